"""From an image to its products on disk."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from perijove.annotating import AnnotationPlan, annotate
from perijove.compose.options import PictureOptions
from perijove.pipeline import Image
from perijove.products.pictures import suffix_of
from perijove.products.raster import check_folder, write_json
from perijove.products.report import view_report
from perijove.project.view import check_size

Product = Literal["natural", "linear", "backplanes"]


def process(
    image: Image,
    folder: Path,
    *,
    view: Literal["spacecraft", "orthographic"] = "spacecraft",
    size: int | None = None,
    north_up: bool = False,
    centre: tuple[float, float] | None = None,
    products: Sequence[Product] = ("natural", "linear"),
    picture: PictureOptions | None = None,
    annotation: AnnotationPlan | None = None,
) -> dict[str, Any]:
    """Draw an image and write its products and its report.

    Parameters
    ----------
    image : Image
    folder : Path
        Made if it does not exist.
    view, size, north_up, centre
        As for :meth:`Image.view`.
    products : sequence of {"natural", "linear", "backplanes"}
        The picture, of whatever style, the planes, the backplanes.
    picture : PictureOptions, optional
    annotation : AnnotationPlan, optional
        What is drawn over another copy of the picture.

    Returns
    -------
    dict
        The report; its ``files`` are the paths written, the report's own last.
    """
    # Refuse at once what could only fail after the work is done.
    check_folder(folder)
    if size is not None:
        check_size(size)
    raster = image.view(size, view, north_up=north_up, centre=centre)
    name = str(image.label.product_id)
    files = []
    picture = picture or PictureOptions()
    for product in products:
        kind = picture.style if product == "natural" else product
        image.progress(f"writing {name}-{kind}")
        path = folder / f"{name}-{kind}{suffix_of(picture.format) if product == 'natural' else '.tif'}"
        if product == "natural":
            made = raster.picture(picture)
            files.append(raster.keep_picture(path, made, picture))
            if annotation is not None:
                files += annotate(path, made.pixels, raster, annotation, picture.gamut)
        else:
            files.append(raster.save_backplanes(path) if product == "backplanes" else raster.save(path))
    path = folder / f"{name}.report.json"
    caption = raster.caption
    report = {
        **image.report,
        "view": view_report(raster.view),
        "caption": {"short": caption.short, "long": caption.long, "alt": caption.alt},
        "files": [str(p) for p in (*files, path)],
    }
    write_json(path, report)
    return report
