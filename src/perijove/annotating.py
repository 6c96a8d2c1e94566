"""From a finished picture to one with lines, labels and a caption over it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from perijove.files import replacing
from perijove.pipeline import Raster
from perijove.products.raster import write_png
from perijove.products.report import picture_text
from perijove.story.annotation import PARTS, annotation_of
from perijove.story.graticule import Graticule
from perijove.story.scene import scene_of


@dataclass(frozen=True)
class AnnotationPlan:
    """What is drawn over a picture.

    Attributes
    ----------
    parts : tuple of str
        Some of `perijove.story.annotation.PARTS`.
    graticule_deg : float or None
        Between lines of planetographic latitude and System III longitude.
    """

    parts: tuple[str, ...] = PARTS
    graticule_deg: float | None = None

    @classmethod
    def of(cls, text: str | None, graticule_deg: float | None) -> "AnnotationPlan | None":
        """From text like ``scale,north`` or ``all``; None where nothing is asked for."""
        if text is None and graticule_deg is None:
            return None
        parts = PARTS if text == "all" else tuple(part.strip() for part in (text or "").split(",") if part.strip())
        return cls(parts, graticule_deg)


def annotate(picture: Path, raster: Raster, plan: AnnotationPlan, gamut: str = "srgb") -> list[Path]:
    """Write a picture once more with its annotation, and the annotation alone as SVG.

    Parameters
    ----------
    picture : Path
        PNG of the raster.
    raster : Raster
    plan : AnnotationPlan
    gamut : {"srgb", "p3"}
        Of the picture.

    Returns
    -------
    list of Path
        ``-annotated.png``, 8 bits a channel, and ``-annotation.svg``, which has everything but the graticule.

    Raises
    ------
    OptionError
        Something is asked for that cannot be drawn.
    """
    import imagecodecs

    image, view = raster.image, raster.view
    image.progress(f"annotating {picture.stem}")
    pointing = image.located.solution.pointing
    texts = (raster.caption.short, image.provenance["credit"])
    made = annotation_of(pointing, view, scene_of(pointing, view), texts, plan.parts)
    pixels: npt.NDArray[Any] = imagecodecs.png_decode(picture.read_bytes())
    if pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    if plan.graticule_deg is not None:
        pixels = Graticule(plan.graticule_deg, "graphic").drawn_on(pixels, view)
    burnt, drawing = (picture.with_name(f"{picture.stem}{end}") for end in ("-annotated.png", "-annotation.svg"))
    text = {**picture_text(image.label, image.provenance), "Description": raster.caption.short}
    write_png(burnt, made.drawn_on(pixels), text, gamut)
    with replacing(drawing) as temporary:
        temporary.write_text(made.svg(), encoding="utf-8")
    return [burnt, drawing]
