"""True backplanes of a simulated image, in the layout of its raw picture."""

from collections.abc import Iterator
from pathlib import Path

from perijove.geometry.backplanes import Backplane, framelet_backplanes, mid_et
from perijove.geometry.sunlight import sunlight_at
from perijove.products.backplanes import write_backplanes
from perijove.simulate.flyby import SimulatedImage
from perijove.simulate.labels import DESCRIPTION, framelet_shape


def write_true_backplanes(folder: Path, image: SimulatedImage) -> Path:
    """Write ``<product_id>-backplanes.tif``: a row of a plane is the row of the raw picture.

    Parameters
    ----------
    folder : Path
    image : SimulatedImage

    Returns
    -------
    Path
        What was written: `perijove.geometry.backplanes.FRAMELET_NAMES` of all framelets.

    Raises
    ------
    OptionError
        If the folder cannot be written to.
    """
    label = image.label
    path = folder / f"{label.product_id}-backplanes.tif"
    lines, samples = framelet_shape(label.sampling_factor)
    metadata = {
        "description": DESCRIPTION,
        "product": str(label.product_id),
        "bands": label.bands,
        "frames": label.frames,
        "lines": lines,
        "samples": samples,
        "rows": "frame by frame, in each frame band by band, as in the raw picture",
    }
    write_backplanes(path, _framelets(image, (lines, samples)), metadata)
    return path


def _framelets(image: SimulatedImage, shape: tuple[int, int]) -> Iterator[dict[str, Backplane]]:
    pointing = image.pointing
    light = sunlight_at(mid_et(pointing))
    for frame in range(pointing.frames):
        for band in image.label.bands:
            yield framelet_backplanes(pointing, band, frame, shape, sunlight=light)
