"""Photometry from images: of the one that is drawn, or of a pass."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from perijove.errors import OptionError
from perijove.photometry.models import DEFAULT_MODEL, MODELS
from perijove.photometry.photometry import Photometry
from perijove.pipeline import Image, open_image


def fit_photometry(images: Sequence[Image], model: str = DEFAULT_MODEL) -> Photometry:
    """Fit a law of limb darkening to images of one pass, band by band.

    Parameters
    ----------
    images : sequence of Image
        Ground that several of them see under different angles tells most.
    model : str
        One of `perijove.photometry.models.MODELS`.

    Returns
    -------
    Photometry

    Raises
    ------
    OptionError
        There is no such model, or too little ground in daylight to tell.
    """
    from perijove.photometry.fit import fit_samples
    from perijove.photometry.models import model_named

    model_named(model)
    return fit_samples([_sampled(image) for image in images], model)


def fit_files(raws: Sequence[Path], output: Path, model: str | None = None, **options: Any) -> Photometry:
    """Fit a law to raw images of one pass, held in memory one by one, and write it.

    Parameters
    ----------
    raws : sequence of Path
        As for `open_image`.
    output : Path
        ``.json``.
    model : str, optional
        One of `perijove.photometry.models.MODELS`.
    **options
        For `open_image`.

    Returns
    -------
    Photometry

    Raises
    ------
    InputError
        Of the kind that tells what is wrong.
    """
    from perijove.photometry.fit import fit_samples
    from perijove.photometry.models import model_named
    from perijove.products.raster import check_folder

    law = model_named(model or DEFAULT_MODEL)
    if output.suffix.lower() != ".json":
        raise OptionError(f"cannot write photometry to {output.name}: give a name that ends in .json")
    check_folder(output.parent)
    parts = [_sampled(open_image(raw, **options)) for raw in raws]
    twice = sorted({part.name for part in parts if sum(other.name == part.name for other in parts) > 1})
    if twice:
        raise OptionError(f"{', '.join(twice)} given twice; give each image once")
    found = fit_samples(parts, law.name)
    found.save(output)
    return found


def _sampled(image: Image) -> Any:
    """What an image tells (`perijove.photometry.samples.Samples`)."""
    from perijove.photometry.samples import sample

    image.progress(f"sampling {image.label.product_id}")
    return sample(image.calibrated, image.located.solution.pointing)


def photometry_of(text: str, images: Sequence[Image]) -> Photometry:
    """Photometry from what a user gave: a model's name, fitted to the images, or a file of a fitted one.

    Parameters
    ----------
    text : str
        One of `perijove.photometry.models.MODELS`, or a path.
    images : sequence of Image
        Not looked at where a file is given.

    Raises
    ------
    OptionError
        It is neither, or cannot be fitted or read.
    """
    if text in MODELS:
        return fit_photometry(images, text)
    if not Path(text).is_file():
        known = ", ".join(MODELS)
        raise OptionError(f"{text!r} is no photometric model and no file; choose {known}, or a file of a fitted one")
    return Photometry.load(text)


__all__ = ["fit_files", "fit_photometry", "photometry_of"]
