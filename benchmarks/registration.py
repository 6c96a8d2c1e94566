"""How well the colours of a picture lie on each other.

Usage: ``python benchmarks/registration.py [--size N] RAW_OR_PNG...``. Of a raw image the linear spacecraft view is
measured, at native scale or drawn N pixels wide; of an 8-bit RGB PNG (such as the mission's map-projected products) the
picture as it is. Shifts are in the picture's own pixels: compare pictures of one size. Needs the extra ``bench``.

The measure: tiles of 128 pixels every 64, wholly known and brighter than 15 % of the 95th percentile in both bands;
each band smoothed (sigma 1.2 px) over its surroundings (sigma 8 px), outliers clipped at 6 sigma, Hann window; shift by
phase correlation to 1/50 px. Tiles whose bands correlate by more than 0.6 count.

Bands show different detail, too, which draws a tile's shift aside though nothing is shifted. ``floor`` is the median
that this alone makes: in each tile the second band, and on it, moved elsewhere, what the first one has beyond it. And
``field`` is the median of the shift that neighbouring tiles (within 192 pixels, 12 at least) agree upon.
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
#: Times that the unlike detail of a tile is moved, and the least it is.
ROLLS, LEAST_ROLL = 2, 24
NEIGHBOURHOOD_PX, MIN_NEIGHBOURS = 192, 12


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


def shift(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Shift between two windowed tiles (y, x), pixels."""
    return phase_cross_correlation(a, b, upsample_factor=UPSAMPLING, normalization=None)[0]


def unshifted(a: np.ndarray, b: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A tile like ``a`` that lies on ``b``: its part of ``b``, and the rest of it from elsewhere in the tile."""
    a, b = a - np.median(a), b - np.median(b)
    part = np.sum(a * b) / np.sum(b * b)
    return part * b + np.roll(a - part * b, generator.integers(LEAST_ROLL, TILE - LEAST_ROLL, 2), (0, 1))


def shifts(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Shifts (y, x) between two bands in the tiles that count, the tiles' corners, shifts of the floor, all tiles."""
    detail_a, detail_b = relative_detail(a), relative_detail(b)
    found, at, floor, tried = [], [], [], 0
    generator = np.random.default_rng(0)
    for tile in corners(a, b):
        tried += 1
        ta, tb = windowed(detail_a[tile]), windowed(detail_b[tile])
        power = np.sqrt(np.sum(ta**2) * np.sum(tb**2))
        if power > 0 and np.sum(ta * tb) / power > MIN_CORRELATION:
            found.append(shift(ta, tb))
            at.append((tile[0].start, tile[1].start))
            rolled = (unshifted(detail_a[tile], detail_b[tile], generator) for _ in range(ROLLS))
            floor += [shift(windowed(other), tb) for other in rolled]
    return np.reshape(found, (-1, 2)), np.reshape(at, (-1, 2)), np.reshape(floor, (-1, 2)), tried


def field(found: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Median shifts (y, x) of neighbouring tiles, one for each tile that has enough of them."""
    near = (np.abs(at[:, None] - at[None]) <= NEIGHBOURHOOD_PX).all(axis=-1)
    return np.reshape([np.median(found[row], axis=0) for row in near if row.sum() >= MIN_NEIGHBOURS], (-1, 2))


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
    print(
        f"{'picture':44} {'size':>11} {'bands':5} {'tiles':>9} {'median':>7} {'p95':>7} {'floor':>7} {'field':>7}  px"
    )
    for path in paths:
        red, green, blue = planes_of(path, size)
        shape = f"{red.shape[1]} x {red.shape[0]}"
        for name, other in (("R-G", red), ("B-G", blue)):
            found, at, floor, tried = shifts(other, green)
            count = f"{len(found)}/{tried}"
            row = f"{path.name:44} {shape:>11} {name:5} {count:>9}"
            if not len(found):
                print(f"{row} no tile correlates")
                continue
            lengths = np.hypot(*found.T)
            agreed = np.median(np.hypot(*field(found, at).T)) if len(field(found, at)) else np.nan
            print(
                f"{row} {np.median(lengths):7.3f} {np.percentile(lengths, 95):7.3f} "
                f"{np.median(np.hypot(*floor.T)):7.3f} {agreed:7.3f}"
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int)
    parser.add_argument("picture", type=Path, nargs="+")
    arguments = parser.parse_args()
    main(arguments.picture, arguments.size)
