"""Make the picture of docs/colour.md: one simulated image, natural and enhanced.

Usage: ``python docs/images/make_colour.py`` writes ``colour.jpg`` beside itself.
"""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from perijove.compose.options import PictureOptions
from perijove.pipeline import open_image
from perijove.simulate.flyby import plan_flyby
from perijove.simulate.write import simulate_flyby

HERE = Path(__file__).parent
#: Perijove, number of images, seed, and which of them is shown.
PERIJOVE, IMAGES, SEED, SHOWN = 43, 12, 7, 1
SIZE = 700


def main() -> None:
    """Simulate, draw in two styles, put side by side."""
    flyby = plan_flyby(PERIJOVE, IMAGES, SEED)
    flyby = replace(flyby, images=(flyby.images[SHOWN],))
    with tempfile.TemporaryDirectory() as folder:
        written = simulate_flyby(Path(folder), flyby=flyby, seed=SEED, kernels=False)
        raster = open_image(written["images"][0]).view(SIZE, north_up=True)
        pictures = [raster.picture(PictureOptions(style)).pixels >> 8 for style in ("natural", "enhanced")]
    Image.fromarray(np.hstack(pictures).astype(np.uint8)).save(HERE / "colour.jpg", quality=88)


if __name__ == "__main__":
    main()
