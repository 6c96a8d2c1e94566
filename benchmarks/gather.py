"""The gather kernel against ``cv2.remap`` that is handed its coordinates.

Usage: ``python benchmarks/gather.py RAW [SIZE]``. Both draw three bands of the spacecraft's view, bilinear, at the same
size, in turn. The rival gets ready coordinates into one tall plane a band and so need not find frames, project, blend
overlaps or keep weights.
"""

import sys
import time

import cv2
import numpy as np

import perijove
from perijove.geometry.pointing import Pointing
from perijove.project.resample import Framelets, gather
from perijove.project.view import spacecraft_view

ROUNDS = 15


def coordinates(ground: np.ndarray, pointing: Pointing, band: str, lines: int) -> tuple[np.ndarray, np.ndarray]:
    """Column and row, in the plane of stacked framelets, of the most central framelet that sees each point."""
    x = np.full(ground.shape[:2], -1e4, np.float32)
    y = x.copy()
    best = np.full(ground.shape[:2], lines / 2 - 2.0)
    for frame in range(pointing.frames):
        ray = ground - pointing.position_fixed_km[frame]
        px, py = pointing.cameras[band].pixels(ray @ pointing.camera_from_jupiter[frame].T)
        off = np.abs(py - lines / 2)
        use = (off < best) & (px > 25) & (px < 1629)
        best[use] = off[use]
        x[use], y[use] = px[use] - 0.5, py[use] - 0.5 + frame * lines
    return x, y


def main(path: str, size: int) -> None:
    """Print both times and their ratio."""
    image = perijove.open(path)
    pointing = image.located.solution.pointing
    bands = image.label.bands
    ground = spacecraft_view(pointing, size).ground()
    stack = image.calibrated.i_over_f
    framelets = Framelets.of(stack, bands, pointing)
    planes = [np.ascontiguousarray(stack[:, k].reshape(-1, stack.shape[3])) for k in range(len(bands))]
    maps = [coordinates(ground, pointing, band, stack.shape[2]) for band in bands]
    seen = np.mean([np.mean(x >= 0) for x, _ in maps])
    ours, theirs = [], []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        gather(ground, framelets, "bilinear")
        middle = time.perf_counter()
        for plane, (x, y) in zip(planes, maps, strict=True):
            cv2.remap(plane, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=np.nan)
        theirs.append(time.perf_counter() - middle)
        ours.append(middle - start)
    a, b = np.median(ours[1:]) * 1e3, np.median(theirs[1:]) * 1e3
    print(f"{size} x {size} x {len(bands)} bands, {seen:.0%} seen:")
    print(f"gather {a:.1f} ms, cv2.remap {b:.1f} ms, ratio {a / b:.2f}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1600)
