"""From a finished picture to one with lines, labels and a caption over it."""

from dataclasses import dataclass
from pathlib import Path

from perijove.files import replacing
from perijove.pipeline import Raster
from perijove.products.pictures import write_picture
from perijove.products.raster import Pixels, to_depth
from perijove.project.grid import MapGrid
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


def annotate(picture: Path, pixels: Pixels, raster: Raster, plan: AnnotationPlan, gamut: str = "srgb") -> list[Path]:
    """Write a picture once more with its annotation, and the annotation alone as SVG.

    Parameters
    ----------
    picture : Path
        Where it was written to.
    pixels : ndarray, (height, width, 3) or (height, width), uint16
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
    image, view = raster.image, raster.view
    image.progress(f"annotating {picture.stem}")
    pointing = image.located.solution.pointing
    texts = (raster.caption.short, image.provenance["credit"])
    made = annotation_of(pointing, view, scene_of(pointing, view), texts, plan.parts)
    pixels = to_depth(pixels, 8)
    if plan.graticule_deg is not None:
        latitudes = view.latitudes if isinstance(view, MapGrid) else "graphic"
        pixels = Graticule(plan.graticule_deg, latitudes).drawn_on(pixels, view)
    burnt, drawing = (picture.with_name(f"{picture.stem}{end}") for end in ("-annotated.png", "-annotation.svg"))
    write_picture(burnt, made.drawn_on(pixels), raster.about(), gamut)
    with replacing(drawing) as temporary:
        temporary.write_text(made.svg(), encoding="utf-8")
    return [burnt, drawing]
