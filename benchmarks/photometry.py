"""How well images of the same ground agree after photometry, against Lambert's law.

Usage: ``python benchmarks/photometry.py RAW RAW``: two images of one perijove that see the same ground. For every law,
fitted to both: by what the second differs from the first in the median, the scatter of the ratio where incidence and
emission are below 70 degrees, that with a law fitted to the first alone, the time of the fit and that of flattening.
"""

import sys
import time
from typing import Any

import numpy as np

import perijove
from perijove.photometry.fit import fit_samples
from perijove.photometry.models import MODELS
from perijove.photometry.photometry import Photometry
from perijove.photometry.samples import Samples, sample

LOWEST = np.cos(np.radians(70.0))


def ratio(samples: list[Samples], photometry: Photometry) -> np.ndarray:
    """Logarithm of the second image over the first where both see the same ground, (n, band)."""
    _, *at = np.intersect1d(samples[0].piece, samples[1].piece, return_indices=True)
    flat, high = [], np.ones(len(at[0]), bool)
    for part, rows in zip(samples, at, strict=True):
        planes, _ = photometry.flattened(part.values.astype(np.float32), part.bands, part.angles, image=part.name)
        flat.append(planes[rows])
        high &= (part.angles.mu0[rows] > LOWEST) & (part.angles.mu[rows] > LOWEST)
    both = np.log(flat[1] / flat[0])[high]
    return both[np.isfinite(both).all(axis=1)]


def spread(both: np.ndarray) -> np.ndarray:
    return 148.26 * np.median(np.abs(both - np.median(both, axis=0)), axis=0)


def told(numbers: Any) -> str:
    return " / ".join(f"{number:5.1f}" for number in numbers)


def timed(photometry: Photometry, *given: Any) -> float:
    begun = time.perf_counter()
    photometry.flattened(*given)
    return time.perf_counter() - begun


def main(paths: list[str]) -> None:
    """Print a line a law."""
    images = [perijove.open(path) for path in paths]
    samples = [sample(image.calibrated, image.located.solution.pointing) for image in images]
    values, angles = samples[0].values.astype(np.float32), samples[0].angles
    worst = {}
    print(f"{'law':16} {'median, %':>22} {'scatter, %':>22} {'fitted to one, %':>22}   fit s  flatten us/1000 px")
    for name in MODELS:
        begun = time.perf_counter()
        photometry = fit_samples(samples, name)
        fitted = time.perf_counter() - begun
        flat = min(timed(photometry, values, samples[0].bands, angles) for _ in range(9))
        both, alone = ratio(samples, photometry), ratio(samples, fit_samples(samples[:1], name))
        worst[name] = spread(both).max()
        medians = told(100.0 * np.median(both, axis=0))
        times = f"{fitted:6.1f} {flat / len(values) * 1e9:8.0f}"
        print(f"{name:16} {medians:>22} {told(spread(both)):>22} {told(spread(alone)):>22} {times}")
    best = min(worst, key=lambda name: worst[name])
    print(f"scatter of {best} over that of lambert: {worst[best] / worst['lambert']:.2f}")


if __name__ == "__main__":
    main(sys.argv[1:])
