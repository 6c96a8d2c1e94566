"""How well the bands of simulated images are matched, as the tuned numbers of the matching are changed.

Usage: ``python docs/decisions/ties.py [--perijove N] [--seed S]``. A flyby is simulated; bands of three of its images
are matched with the true pointing, so that whatever a match is off by is the matching's own error.
"""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np

import perijove
from perijove.geometry.pointing import Pointing
from perijove.register import patches, ties
from perijove.simulate.flyby import plan_flyby
from perijove.simulate.write import simulate_flyby

#: Of a flyby of twelve images: from afar, from near, from close by.
SHOWN = (1, 4, 9)
#: Names, and what replaces them.
TRIALS: dict[str, dict[str, float | tuple[int, int]]] = {
    "as adopted": {},
    "patches 33 x 17": {"HALF_U": 16, "HALF_V": 8},
    "patches 65 x 25": {"HALF_U": 32},
    "surroundings 1.2": {"_SURROUNDINGS": 1.2},
    "surroundings 4": {"_SURROUNDINGS": 4.0, "_SURROUNDINGS_REACH": 10},
    "blur 0.3": {"BLUR": 0.3},
    "blur 1": {"BLUR": 1.0},
    "correlation 0.4": {"_MIN_CORRELATION": 0.4},
    "correlation 0.7": {"_MIN_CORRELATION": 0.7},
    "emission 75": {"_MAX_EMISSION_DEG": 75.0},
    "stretch 10": {"_MAX_STRETCH": 10.0},
}

Sight = tuple[np.ndarray, tuple[str, ...], Pointing]


def sights(perijove_number: int, seed: int) -> Iterator[Sight]:
    """Calibrated pixels, bands and true pointing of some simulated images."""
    flyby = plan_flyby(perijove_number, 12, seed)
    flyby = replace(flyby, images=tuple(flyby.images[k] for k in SHOWN))
    with tempfile.TemporaryDirectory() as folder:
        simulate_flyby(Path(folder), flyby=flyby, seed=seed, kernels=False)
        for image in flyby.images:
            opened = perijove.open(Path(folder) / f"{image.label.product_id}-raw.png")
            yield np.array(opened.calibrated.i_over_f), opened.label.bands, image.pointing


def errors(sight: Sight) -> tuple[np.ndarray, np.ndarray]:
    """By how much each match is off, over columns and rows, pixels, and its stated standard error."""
    _, bands, pointing = sight
    found = ties.band_ties(*sight)
    off = np.empty((len(found), 2))
    for a, b in {(a, b) for a, b in zip(found.band_a.tolist(), found.band_b.tolist(), strict=True)}:
        chosen = (found.band_a == a) & (found.band_b == b)
        one = found.take(np.flatnonzero(chosen))
        ground = pointing.ground(bands[a], one.frame_a, one.x_a, one.y_a)
        x, y = pointing.pixels(bands[b], one.frame_b, ground)
        off[chosen] = np.column_stack([one.x_b - x, one.y_b - y])
    return off, found.sigma_px


def main(perijove_number: int, seed: int) -> None:
    """Print a row a trial."""
    seen = list(sights(perijove_number, seed))
    print(f"{'trial':20} {'ties':>6} {'median px':>10} {'bias px':>14} {'over stated':>12} {'beyond 4 sigma':>15}")
    for name, changes in TRIALS.items():
        with ExitStack() as changed:
            for key, value in changes.items():
                for module in (ties, patches):
                    if hasattr(module, key):
                        changed.enter_context(patch.object(module, key, value))
            parts = [errors(sight) for sight in seen]
        off, sigma = (np.concatenate(part) for part in zip(*parts, strict=True))
        pull = off / sigma[:, None]
        bias = " ".join(f"{value:6.3f}" for value in np.median(off, axis=0))
        scatter = 1.4826 * np.median(np.abs(pull - np.median(pull, axis=0)))
        wild = (np.abs(pull) > 4.0).any(axis=1).mean()
        length = np.median(np.hypot(*off.T))
        print(f"{name:20} {len(off):6} {length:10.3f} {bias:>14} {scatter:12.2f} {100 * wild:13.1f} %")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--perijove", type=int, default=20)
    parser.add_argument("--seed", type=int, default=5)
    arguments = parser.parse_args()
    main(arguments.perijove, arguments.seed)
