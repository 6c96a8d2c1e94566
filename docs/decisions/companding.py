"""Which counts a code stands for, and what lossy compression does to codes.

Usage: ``python docs/decisions/companding.py RAW...``. Fits each corner of the companding table, where the steps double,
in the histogram of each band of each image: codes are as frequent as their steps are wide, times a smooth density,
moved by some codes and blurred. With two images of one perijove that see the same ground it also tells how well
their ratios agree with a smooth law of the light if codes are divided by one gain or another.
"""

import sys
from collections import defaultdict

import cv2
import numpy as np
from scipy.optimize import minimize
from scipy.special import erf

from perijove.archive.framelets import read_framelets
from perijove.calibrate import decompand
from perijove.compose.illumination import Illumination
from perijove.pipeline import Image, open_image

#: Last code with the narrower step, if table values are the upper ends of ranges, and codes on either side.
CORNERS = ((23, 7), (43, 9), (89, 10), (184, 10), (209, 9))
LEAST, TEXTURE = 200, 0.03
GAINS = (1.0, 1.004, 1.0075, 1.011, 1.015)


def expected(parameters: np.ndarray, codes: np.ndarray, corner: int) -> np.ndarray:
    """Histogram: density (logarithm of a parabola), steps that double behind the corner, shift, blur."""
    level, slope, bend, shift, blur = parameters
    near = np.arange(codes[0] - 8, codes[-1] + 9)
    away = near - corner
    wide = np.where(near <= corner, 1.0, 2.0) * np.exp(level + slope * away + bend * away**2)
    ends = [(codes[:, None] + side - near - shift) / (np.sqrt(2.0) * (abs(blur) + 1e-3)) for side in (0.5, -0.5)]
    return np.asarray(0.5 * (erf(ends[0]) - erf(ends[1])) @ wide)


def fitted(histogram: np.ndarray, corner: int, half: int) -> tuple[float, float]:
    """Shift and blur of a corner, codes."""
    codes = np.arange(corner - half, corner + half + 1)
    number = histogram[codes].astype(float)

    def misfit(parameters: np.ndarray) -> float:
        off = number - expected(parameters, codes, corner)
        return float((off**2 / (number + (TEXTURE * number) ** 2)).sum())

    starts = ([np.log(number[:half].mean()), 0.0, 0.0, shift, 0.6] for shift in (0.0, 0.7, 1.5))
    options = {"maxiter": 6000, "maxfev": 6000}
    best = min((minimize(misfit, s, method="Nelder-Mead", options=options) for s in starts), key=lambda r: r.fun)
    return float(best.x[3]), abs(float(best.x[4]))


def corners(paths: list[str]) -> None:
    """Print the shift of every corner."""
    shifts = defaultdict(list)
    for path in paths:
        stack = read_framelets(path)
        for index, band in enumerate(stack.label.bands):
            histogram = np.bincount(np.asarray(stack.dn[:, index, :, 23:1631]).ravel(), minlength=256)
            for corner, half in CORNERS:
                if histogram[corner - half : corner + half + 1].min() < LEAST:
                    continue
                shift, blur = fitted(histogram, corner, half)
                name = f"{stack.label.product_id} {band} {stack.label.compression.lower()}"
                if abs(shift) > 3 or blur > 1.2:
                    print(f"{name}: corner {corner} is not told")
                    continue
                print(f"{name}: corner {corner} moved by {shift:+.2f}, blurred by {blur:.2f}")
                if decompand.code_gain(stack.label.compression) != 1.0:
                    shifts[corner].append(shift)
    for corner, found in sorted(shifts.items()):
        mean, error = np.mean(found), np.std(found) / np.sqrt(len(found))
        print(f"corner {corner}: {mean:+.2f} +- {error:.2f} of {len(found)}: gain {1 + mean / (corner + 0.5):.4f}")


def smooth(values: np.ndarray) -> np.ndarray:
    """Means of 15 x 15 where all are known."""
    known = np.isfinite(values).astype(np.float32)
    mean = cv2.blur(np.where(known > 0, values, 0).astype(np.float32), (15, 15))
    return np.where(cv2.blur(known, (15, 15)) > 0.99, mean, np.nan)


def disagreement(first: Image, second: Image) -> dict[str, float]:
    """Robust scatter of the ratio of two images about a smooth law of incidence and emission, per cent, by band."""
    view = second.looking(800)
    seen = []
    for image in (first, second):
        pointing = image.located.solution.pointing
        at = pointing.position_fixed_km[pointing.mid_frame], pointing.sun_fixed
        light = Illumination.joined([Illumination.of_ground(view.ground(rows), *at) for rows in view.blocks(256)])
        seen.append((image.drawn_on(view), light, image.calibrated.saturation_i_over_f))
    out = {}
    for index, band in enumerate(seen[0][0].bands):
        logs, ok = [], np.ones(seen[0][1].mu0.shape, bool)
        for raster, light, clipping in seen:
            plane = smooth(raster.values[..., index])
            ok &= light.on_ground & np.isfinite(plane) & (light.mu0 > 0.25) & (light.mu > 0.3)
            ok &= np.nan_to_num(plane) < 0.85 * clipping[band]
            logs.append(np.log(np.where(ok, plane, 1.0)))
        ok &= np.add.outer(np.arange(800) % 7, np.arange(800) % 7) == 0
        one, two = (law_terms(light.mu0[ok], light.mu[ok]) for _, light, _ in seen)
        terms = np.column_stack([np.ones(ok.sum()), one - two])
        ratio, weight = (logs[0] - logs[1])[ok], np.ones(ok.sum())
        for _ in range(15):
            law = np.linalg.lstsq(terms * weight[:, None], ratio * weight, rcond=None)[0]
            left = ratio - terms @ law
            spread = 1.4826 * float(np.median(np.abs(left)))
            weight = np.sqrt(np.minimum(1.5 * spread / np.maximum(np.abs(left), 1e-9), 1.0))
        out[band] = 100 * spread
    return out


def law_terms(mu0: np.ndarray, mu: np.ndarray) -> np.ndarray:
    """Logarithms of the cosines and their products, (n, 5)."""
    u, v = np.log(np.maximum(mu0, 0.01)), np.log(np.maximum(mu, 0.01))
    return np.stack([u, v, u * u, u * v, v * v], axis=-1)


def main(paths: list[str]) -> None:
    """Print corners, and with images of one perijove how they agree."""
    corners(paths)
    lossy = [path for path in paths if decompand.code_gain(read_framelets(path).label.compression) != 1.0]
    by_orbit = defaultdict(list)
    for path in lossy:
        by_orbit[read_framelets(path).label.orbit].append(path)
    located = {path: open_image(path).located for group in by_orbit.values() if len(group) == 2 for path in group}
    for orbit, group in by_orbit.items():
        if len(group) != 2:
            continue
        for gain in GAINS:
            decompand.LOSSY_GAIN = gain  # type: ignore[misc]
            images = [open_image(path) for path in group]
            for path, image in zip(group, images, strict=True):
                image.__dict__["located"] = located[path]
            told = ", ".join(f"{band} {size:.2f}" for band, size in disagreement(*images).items())
            print(f"perijove {orbit}, codes over {gain}: scatter of the ratio {told} %")


if __name__ == "__main__":
    main(sys.argv[1:])
