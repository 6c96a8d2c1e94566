"""How well the colours of a picture lie on each other.

Usage: ``python benchmarks/registration.py [--size N] RAW_OR_PNG...``. Of a raw image the linear spacecraft view is
measured, at native scale or drawn N pixels wide; of an 8-bit RGB PNG (such as the mission's map-projected products) the
picture as it is. Shifts are in the picture's own pixels: compare pictures of one size. Needs the extra ``bench``.

The measure: tiles of 128 pixels every 64, wholly known and brighter than 15 % of the 95th percentile in both bands;
each band smoothed (sigma 1.2 px) over its surroundings (sigma 8 px), outliers clipped at 6 sigma, Hann window; shift by
phase correlation to 1/50 px. Tiles whose bands correlate by more than 0.6 count.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from skimage.registration import phase_cross_correlation

import perijove

TILE, STEP = 128, 64
LEVEL_PART, LEVEL_PERCENTILE = 0.15, 95
SMOOTHING_PX, SURROUNDINGS_PX = 1.2, 8.0
CLIP_SIGMA = 6.0
MIN_CORRELATION = 0.6
UPSAMPLING = 50


def relative_detail(band: np.ndarray) -> np.ndarray:
    """Smoothed band over its surroundings, minus one; unknown pixels count as zero."""
    filled = np.nan_to_num(band).astype(np.float32)
    smooth = cv2.GaussianBlur(filled, (0, 0), SMOOTHING_PX)
    return smooth / np.maximum(cv2.GaussianBlur(filled, (0, 0), SURROUNDINGS_PX), 1e-9) - 1


def windowed(tile: np.ndarray) -> np.ndarray:
    """A tile without outliers and mean, under a Hann window."""
    centred = tile - np.median(tile)
    limit = CLIP_SIGMA * 1.4826 * np.median(np.abs(centred))
    clipped = np.clip(centred, -limit, limit)
    return (clipped - clipped.mean()) * np.outer(np.hanning(TILE), np.hanning(TILE))


def corners(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[slice, slice]]:
    """Tiles that are wholly known and bright in both bands."""
    known = np.isfinite(a) & np.isfinite(b)
    levels = [LEVEL_PART * np.percentile(band[known], LEVEL_PERCENTILE) for band in (a, b)]
    for y in range(0, a.shape[0] - TILE + 1, STEP):
        for x in range(0, a.shape[1] - TILE + 1, STEP):
            tile = slice(y, y + TILE), slice(x, x + TILE)
            if known[tile].all() and a[tile].min() >= levels[0] and b[tile].min() >= levels[1]:
                yield tile


def shifts(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, int]:
    """Lengths of the shifts between two bands in the tiles that count, pixels, and the number of all tiles."""
    detail_a, detail_b = relative_detail(a), relative_detail(b)
    found, tried = [], 0
    for tile in corners(a, b):
        tried += 1
        ta, tb = windowed(detail_a[tile]), windowed(detail_b[tile])
        power = np.sqrt(np.sum(ta**2) * np.sum(tb**2))
        if power > 0 and np.sum(ta * tb) / power > MIN_CORRELATION:
            shift, _, _ = phase_cross_correlation(ta, tb, upsample_factor=UPSAMPLING, normalization=None)
            found.append(float(np.hypot(*shift)))
    return np.array(found), tried


def planes_of(path: Path, size: int | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Red, green and blue of a raw image's view, or of a finished picture."""
    if path.name.lower().endswith(".png") and not path.name.lower().endswith("-raw.png"):
        with Image.open(path) as picture:
            values = np.asarray(picture.convert("RGB"), np.float32)
    else:
        values = perijove.open(path).view(size).values
    return values[..., 0], values[..., 1], values[..., 2]


def main(paths: list[Path], size: int | None) -> None:
    """Print a row for each pair of bands of each picture."""
    print(f"{'picture':44} {'size':>11} {'bands':5} {'tiles':>9} {'median':>7} {'p95':>7}  px")
    for path in paths:
        red, green, blue = planes_of(path, size)
        shape = f"{red.shape[1]} x {red.shape[0]}"
        for name, other in (("R-G", red), ("B-G", blue)):
            found, tried = shifts(other, green)
            count = f"{len(found)}/{tried}"
            figures = f"{np.median(found):7.3f} {np.percentile(found, 95):7.3f}" if len(found) else "no tile correlates"
            print(f"{path.name:44} {shape:>11} {name:5} {count:>9} {figures}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int)
    parser.add_argument("picture", type=Path, nargs="+")
    arguments = parser.parse_args()
    main(arguments.picture, arguments.size)
