"""Tune the refinement beyond the camera's pixels: weight of smoothness, what is flat, reach of the range, iterations.

Usage: ``python docs/decisions/upscale.py``. Scenes and measures are those of benchmarks/upscale.py.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import upscale as bench
from perijove.project import upscale
from perijove.project.resample import Framelets, gather
from perijove.project.view import spacecraft_view
from perijove.simulate.flyby import plan_flyby

SIDE: Final = 160
TRIED: Final = {
    "_KAPPA": (0.05, 0.08, 0.12, 0.2),
    "_EPSILON": (0.2, 0.4, 0.8),
    "_AROUND": (1.0, 1.6, 2.5, 50.0),
    "_ITERATIONS": (10, 20, 40, 80),
}


def scenes() -> Iterator[tuple[int, float, Any, Any, Any, Any]]:
    """Zoom, noise, what is measured, the cubic's picture, Lanczos' and the truth."""
    flyby = plan_flyby(bench.PERIJOVE, 12, bench.SEED)
    pointing = flyby.images[bench.PLACES[0]].pointing
    whole = spacecraft_view(pointing)
    middle = tuple(c - n / 2 + SIDE / 2 for c, n in zip(whole.centre, (whole.width, whole.height), strict=True))
    view = replace(whole, width=SIDE, height=SIDE, centre=middle)
    scene = bench.Scene.under(view, pointing)
    clean = bench.exposed(scene, pointing, view)
    for zoom in bench.ZOOMS:
        finer = view.zoomed(zoom)
        truth = scene.at(view.zoomed(4 * zoom).ground()).reshape(finer.height, 4, finer.width, 4).mean(axis=(1, 3))
        for noise in bench.NOISES:
            rng = np.random.default_rng(1)
            values = clean * (1 + np.float32(noise) * rng.standard_normal(clean.shape, np.float32))
            framelets = Framelets.of(values, (bench.BAND,), pointing)
            native, cubic = (gather(v.ground(), framelets, "bicubic")[0][..., 0] for v in (view, finer))
            rival = cv2.resize(native, (finer.width, finer.height), interpolation=cv2.INTER_LANCZOS4)
            told = upscale.measured(finer, pointing, bench.BAND, values[:, 0], np.float32(noise) * values[:, 0])
            yield zoom, noise, told, cubic, rival, truth


def main() -> None:
    """Print a line for each value of each number, the others as they are."""
    found = list(scenes())
    print("RMS over that of Lanczos (excess over that of Lanczos) at noises of 0.2, 0.6, 1.2 %, 2 x and 3 x")
    for name, values in TRIED.items():
        kept = getattr(upscale, name)
        for value in values:
            setattr(upscale, name, value)
            told = []
            for zoom, _, measured, cubic, rival, truth in found:
                mine = bench.error(upscale.refined(cubic, measured, zoom), truth, zoom)
                theirs = bench.error(rival, truth, zoom)
                told.append(f"{mine[0] / theirs[0]:.2f} ({mine[1] / theirs[1]:4.1f})")
            print(f"{name.strip('_').lower():>10} {value:5g}  {'  '.join(told)}", flush=True)
        setattr(upscale, name, kept)


if __name__ == "__main__":
    main()
