"""From JunoCam's raw framelets to registered, calibrated pictures of Jupiter.

>>> import perijove
>>> image = perijove.open("JNCE_2022229_44C00032_V01-raw.png")  # doctest: +SKIP
>>> view = image.view(size=1600)  # doctest: +SKIP
>>> view.save("picture.png")  # doctest: +SKIP
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Image", "Raster", "__version__", "open"]

if TYPE_CHECKING:
    from perijove.pipeline import Image, Raster
    from perijove.pipeline import open_image as open  # noqa: A004 - a reader opens images as it opens files


def __getattr__(name: str) -> Any:
    # Loaded when first used: a command's --help must not wait for numpy.
    if name in ("open", "Image", "Raster"):
        from perijove import pipeline

        return {"open": pipeline.open_image, "Image": pipeline.Image, "Raster": pipeline.Raster}[name]
    raise AttributeError(f"module 'perijove' has no attribute '{name}'")
