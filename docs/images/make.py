"""Make the pictures of the README and the docs, all from simulated data.

Usage: ``python docs/images/make.py`` writes beside itself: ``raw.jpg`` (what the camera sends), ``demo.jpg`` (what
``perijove demo`` makes of it), ``map.jpg`` (the simulated planet).
"""

import tempfile
from pathlib import Path

import imagecodecs
import numpy as np
from PIL import Image

from perijove.compose.colour import encode_srgb
from perijove.demo import demo
from perijove.geometry.timescale import utc_to_et
from perijove.simulate.planet import Planet

HERE = Path(__file__).parent


def save(name: str, codes16: np.ndarray, height: int) -> None:
    """Write a 16-bit picture as an 8-bit JPEG of the given height."""
    picture = Image.fromarray((codes16 >> 8).astype(np.uint8))
    width = round(picture.width * height / picture.height)
    picture.resize((width, height), Image.Resampling.LANCZOS).save(HERE / name, quality=90)


def main() -> None:
    """Make all of them."""
    with tempfile.TemporaryDirectory() as folder:
        report = demo(Path(folder), None, print)
        save("demo.jpg", imagecodecs.imread(report["files"][0]), 900)
        raw = imagecodecs.imread(report["truth"]["raw"])
    middle = raw[raw.shape[0] // 2 - 1152 : raw.shape[0] // 2 + 384]
    save("raw.jpg", middle.astype(np.uint16) << 8, 900)
    albedo = Planet(7).albedo_map(("RED", "GREEN", "BLUE"), utc_to_et("2022-07-05T09:17:22"), 10.0)
    save("map.jpg", encode_srgb(np.moveaxis(albedo, 0, -1)), 500)


if __name__ == "__main__":
    main()
