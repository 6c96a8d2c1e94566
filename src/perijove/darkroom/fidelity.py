"""How far a picture is from what an eye would have seen."""

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from perijove.compose.spaces import WHITE_D65, to_xyz
from perijove.darkroom.canvas import Canvas
from perijove.darkroom.curve import to_linear
from perijove.darkroom.layers import Layer
from perijove.darkroom.recipe import Recipe

Planes = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Badge = Literal["natural", "enhanced", "artistic"]

#: Mean colour distance up to which a picture is the natural one: about what an eye begins to notice.
NATURAL_DISTANCE: Final = 1.0
#: Pixels that are enough to tell a mean.
_SAMPLE: Final = 200_000
#: Ground in less light than this, cosine of incidence, does not count: there all is black.
_LIT: Final = 0.02


@dataclass(frozen=True)
class Fidelity:
    """What may be said of a picture.

    Attributes
    ----------
    badge : {"natural", "enhanced", "artistic"}
        Natural: within `NATURAL_DISTANCE` of the natural picture, by no hand. Artistic: shows something that was not
        seen, or that was drawn by hand. Enhanced: all between.
    distance : float
        Mean CIEDE2000 from the natural picture over the sunlit ground; NaN where none is seen.
    reasons : tuple of str
        Why it is artistic.
    projected : str
        What it is where it shows the ground as nobody saw it from the spacecraft: "the globe from far away", "a map".
    """

    badge: Badge
    distance: float
    reasons: tuple[str, ...] = ()
    projected: str = ""

    @property
    def line(self) -> str:
        """Itself in one line."""
        told = f"{self.badge}; CIEDE2000 from the natural picture {self.distance:.1f}"
        return f"{told}; drawn as {self.projected}" if self.projected else told

    def report(self) -> dict[str, Any]:
        """Itself as data."""
        return {
            "badge": self.badge,
            "distance_ciede2000": self.distance,
            "artistic_because": list(self.reasons),
            "drawn_as": self.projected or "what the spacecraft saw",
        }


def fidelity_of(recipe: Recipe, colour: Planes, natural: Canvas) -> Fidelity:
    """Judge a finished picture by its recipe and by its distance from the natural one.

    Parameters
    ----------
    recipe : Recipe
    colour : ndarray, (height, width, 3), float32
        The finished picture, display-referred, 0 to 1, in the recipe's gamut.
    natural : Canvas
        The natural picture of the same view in the same gamut.
    """
    reasons = tuple(dict.fromkeys(reason for layer in recipe.all_layers() for reason in _reasons(layer)))
    lit = (natural.cover > 0.5) & (np.nan_to_num(natural.light.mu0) > _LIT) & natural.light.on_ground
    at = np.flatnonzero(lit)[:: max(1, int(np.count_nonzero(lit)) // _SAMPLE)]
    pair = (to_lab(plane.reshape(-1, 3)[at], recipe.output.gamut) for plane in (colour, natural.colour))
    distance = float(ciede2000(*pair).mean()) if len(at) else float("nan")
    projected = "a map" if recipe.view.map else "the globe from far away" if recipe.view.orthographic else ""
    if reasons:
        return Fidelity("artistic", distance, reasons, projected)
    return Fidelity("natural" if distance <= NATURAL_DISTANCE else "enhanced", distance, (), projected)


def _reasons(layer: Layer) -> list[str]:
    """What of a layer was not seen by the camera."""
    found = [f"{type(step).__name__} adds what was not seen" for step in layer.operators if step.artistic]
    if layer.colour or layer.gradient:
        found.append("a layer of plain colour")
    if layer.mask and (layer.mask.polygon or layer.mask.brush):
        found.append("a mask drawn by hand")
    return found


def to_lab(display: Planes, gamut: str) -> Floats:
    """Display-referred colours as CIE L*a*b* under D65, (..., 3)."""
    x, y = WHITE_D65
    white = np.array([x / y, 1.0, (1.0 - x - y) / y])
    xyz = to_linear(display).astype(float) @ to_xyz(gamut).T / white
    # CIE 15: cube roots, straight below (6 / 29)^3.
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


def ciede2000(first: Floats, second: Floats) -> Floats:
    """Colour distance of CIE 142-2001, for colours in L*a*b*, (..., 3) each.

    Notes
    -----
    In the form of Sharma, Wu and Dalal (2005), Color Research and Application 30:21, whose test data it reproduces.
    """
    l1, a1, b1 = np.moveaxis(np.asarray(first, float), -1, 0)
    l2, a2, b2 = np.moveaxis(np.asarray(second, float), -1, 0)
    mean7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    stretch = 1.5 - 0.5 * np.sqrt(mean7 / (mean7 + 25.0**7))
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    grey = c1 * c2 == 0
    turn = np.where(grey, 0.0, (h2 - h1 + 180) % 360 - 180)
    # Opposite hues are 180 degrees apart either way; the paper takes the sign of their difference.
    turn = np.where((turn == -180) & (h2 > h1), 180.0, turn)
    dl, dc, dh = l2 - l1, c2 - c1, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    lightness, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    far = np.abs(h1 - h2) > 180
    hue = np.where(grey, h1 + h2, np.where(far, (h1 + h2 + np.where(h1 + h2 < 360, 360, -360)) / 2, (h1 + h2) / 2))
    angle = np.radians(hue)
    t = (
        1
        - 0.17 * np.cos(angle - np.radians(30))
        + 0.24 * np.cos(2 * angle)
        + 0.32 * np.cos(3 * angle + np.radians(6))
        - 0.20 * np.cos(4 * angle - np.radians(63))
    )
    chroma7 = chroma**7
    rotation = -2 * np.sqrt(chroma7 / (chroma7 + 25.0**7)) * np.sin(np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2))))
    off = (lightness - 50) ** 2
    kl, kc, kh = 1 + 0.015 * off / np.sqrt(20 + off), 1 + 0.045 * chroma, 1 + 0.015 * chroma * t
    cross = rotation * (dc / kc) * (dh / kh)
    return np.asarray(np.sqrt((dl / kl) ** 2 + (dc / kc) ** 2 + (dh / kh) ** 2 + cross))
