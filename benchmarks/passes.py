"""How well whole simulated passes are solved from their labels alone, against the truth.

Usage: ``python benchmarks/passes.py [--images N] [PERIJOVE:SEED...]``. Of each pass: the time to solve it, ground error
of sampled pixels, and how many of these errors, along columns and along rows, are within one stated standard error. The
errors of a pass have few causes, which its images share, so that only of many passes 68 % can be expected to be. A pass
of twelve images takes some two minutes on two cores.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

import perijove
from perijove.calibrate.quality import Quality
from perijove.register.bundle import Observation, locate_pass
from perijove.register.locate import Knowledge
from perijove.register.uncertainty import pixel_sigma
from perijove.simulate.flyby import plan_flyby
from perijove.simulate.truth import ground_error_px, samples
from perijove.simulate.write import simulate_flyby

PASSES = ("5:13", "12:2", "20:11", "27:1", "33:12", "39:14", "43:3", "44:0")


def observation(path: Path) -> Observation:
    """An image, clipped pixels unknown."""
    image = perijove.open(path)

    def values() -> np.ndarray:
        calibrated = image.calibrated
        saturated = (calibrated.quality & np.uint8(Quality.SATURATED)) > 0
        return np.where(saturated, np.float32(np.nan), calibrated.i_over_f)

    return Observation(image.label, values)


def measured(number: int, seed: int, images: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Ground errors of a pass, pixels; which are within one standard error; seconds to solve it."""
    flyby = plan_flyby(number, images, seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        simulate_flyby(folder, flyby=flyby, seed=seed, kernels=False)
        observations = [observation(folder / f"{image.label.product_id}-raw.png") for image in flyby.images]
        begin = time.perf_counter()
        located = locate_pass(observations, Knowledge(labels=tuple(o.label for o in observations)))
        seconds = time.perf_counter() - begin
    errors, within = [], []
    for found, image in zip(located, flyby.images, strict=True):
        solution = found.solution
        errors.append(ground_error_px(solution.pointing, image.pointing))
        for part in samples(image.pointing):
            sigma = pixel_sigma(solution, part.band, part.frame, part.ground_km)
            within.append((np.abs(part.offsets_px(solution.pointing)) < sigma).ravel())
    return np.concatenate(errors), np.concatenate(within), seconds


def row(name: str, errors: np.ndarray, within: np.ndarray, seconds: float) -> str:
    """What is printed of a pass."""
    tail = np.percentile(errors, 99)
    return f"{name:12} {seconds:8.1f} {np.median(errors):11.3f} {tail:8.3f} {100 * within.mean():14.0f} %"


def main(passes: list[tuple[int, int]], images: int) -> None:
    """Print a row a pass, and one for all."""
    print(f"{'pass':12} {'solved s':>8} {'ground px':>11} {'p99 px':>8} {'within 1 sigma':>16}")
    found = []
    for number, seed in passes:
        found.append(measured(number, seed, images))
        print(row(f"PJ{number}, {seed}", *found[-1]))
    errors, within = (np.concatenate([pass_[k] for pass_ in found]) for k in (0, 1))
    print(row("all", errors, within, float(np.mean([pass_[2] for pass_ in found]))))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=12)
    parser.add_argument("passes", nargs="*", default=PASSES, metavar="PERIJOVE:SEED")
    arguments = parser.parse_args()
    main([tuple(int(part) for part in name.split(":")) for name in arguments.passes], arguments.images)
