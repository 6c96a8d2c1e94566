"""Make the pictures of docs/darkroom.md: every recipe that comes along, on simulated images.

Usage: ``python docs/images/make_presets.py [NAME...]`` writes ``preset-NAME.jpg`` beside itself.
"""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from perijove.darkroom.layers import MAIN
from perijove.darkroom.recipe import presets, read_recipe
from perijove.developing import develop
from perijove.pipeline import Image, open_image
from perijove.simulate.flyby import plan_flyby
from perijove.simulate.write import simulate_flyby

HERE: Final = Path(__file__).parent
PERIJOVE, IMAGES, SEED = 12, 12, 2
#: Pixels of the longer side, and the most bytes of a picture.
SIDE, MOST_BYTES = 480, 100_000
#: What each preset is shown on, by its place in the pass: departing, over the south, over storms, in methane.
SHOWN: Final = {"crescent": 0, "storm": 7, "methane": 9, "polar": 9, "polar-map": 9}
WHOLE, METHANE = 9, 8
#: Parts of the views that are worth looking at, and how large, in pixels of the camera.
CROPS: Final = {"storm": ((0.06, 0.4, 0.58, 0.7), 1.0)}


def main(names: list[str]) -> None:
    """Simulate, and make the pictures."""
    flyby = plan_flyby(PERIJOVE, IMAGES, SEED)
    chosen = names or list(presets())
    places = {SHOWN.get(name, WHOLE) for name in chosen} | ({METHANE} if "methane" in chosen else set())
    with tempfile.TemporaryDirectory() as folder:
        images = {}
        for place in sorted(places):
            alone = replace(flyby, images=(flyby.images[place],))
            written = simulate_flyby(Path(folder) / str(place), flyby=alone, seed=SEED, kernels=False)
            images[place] = open_image(written["images"][0])
        for name in chosen:
            beside = {"methane": images[METHANE]} if name == "methane" else {}
            write(HERE / f"preset-{name}.jpg", drawn(name, {MAIN: images[SHOWN.get(name, WHOLE)], **beside}))


def drawn(name: str, images: dict[str, Image]) -> npt.NDArray[np.uint8]:
    """A preset's picture, of which only what is seen is shown."""
    recipe = read_recipe(name)
    crop, zoom = CROPS.get(name, (None, None))
    if crop is not None:
        made = develop(images, recipe.viewed(crop=crop, zoom=zoom)).pixels
    else:
        made = develop(images, recipe.viewed(size=2 * SIDE)).pixels
    picture = (made >> 8).astype(np.uint8)
    lit = picture.max(axis=-1) > 12
    rows, columns = np.flatnonzero(lit.any(axis=1)), np.flatnonzero(lit.any(axis=0))
    picture = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = SIDE / max(picture.shape[:2])
    size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def write(path: Path, picture: npt.NDArray[np.uint8]) -> None:
    """As a JPEG that is small enough."""
    for quality in range(92, 60, -4):
        done, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        if done and len(data) <= MOST_BYTES:
            path.write_bytes(data.tobytes())
            print(path.name, picture.shape[:2], len(data))
            return
    raise SystemExit(f"{path.name} does not fit into {MOST_BYTES} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
