"""Operators by the names that recipes call them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from perijove.darkroom.operators.base import Operator
from perijove.darkroom.operators.colour import (
    BlackSky,
    ColourMatrix,
    Defringe,
    FlattenLight,
    HueSelective,
    Saturation,
    WhiteBalance,
)
from perijove.darkroom.operators.detail import HighPass, LocalContrast, Unsharp, Wavelet
from perijove.darkroom.operators.effects import Grain, LensFlare
from perijove.darkroom.operators.lens import DepthBlur, Glow, Vignette
from perijove.darkroom.operators.restoration import Deconvolve, Denoise
from perijove.darkroom.operators.sky import StarField, Stars
from perijove.darkroom.operators.tone import (
    Contrast,
    Curves,
    Exposure,
    Gamma,
    Levels,
    ShadowsHighlights,
    ToneMapping,
)

OPERATORS: Final[Mapping[str, type[Operator]]] = MappingProxyType(
    {
        # tone
        "exposure": Exposure,
        "levels": Levels,
        "curves": Curves,
        "contrast": Contrast,
        "gamma": Gamma,
        "shadows-highlights": ShadowsHighlights,
        "tone-mapping": ToneMapping,
        # colour
        "white-balance": WhiteBalance,
        "colour-matrix": ColourMatrix,
        "saturation": Saturation,
        "hue-selective": HueSelective,
        "defringe": Defringe,
        "flatten-light": FlattenLight,
        "black-sky": BlackSky,
        # detail
        "local-contrast": LocalContrast,
        "unsharp": Unsharp,
        "wavelet": Wavelet,
        "high-pass": HighPass,
        "deconvolve": Deconvolve,
        "denoise": Denoise,
        # lens
        "glow": Glow,
        "vignette": Vignette,
        "depth-blur": DepthBlur,
        "lens-flare": LensFlare,
        "grain": Grain,
        "stars": Stars,
        "star-field": StarField,
    }
)
