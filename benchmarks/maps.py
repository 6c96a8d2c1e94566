"""Maps of one image: time and memory as the scale grows, and ``cv2.remap`` that is handed its coordinates.

Usage: ``python benchmarks/maps.py RAW [PPD ...]``. Draws the whole globe, equirectangular, bands and weight, as a
cloud-optimised GeoTIFF, once for each scale (pixels a degree), each in a process of its own, so that memory is told
apart. At the first scale the rival draws the same tiles, bilinear, and hands them to the same writer: it gets ready
coordinates into one tall plane a band, and so need not find frames, project, blend overlaps or keep weights.
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import perijove
from perijove.mapping import GLOBE, Drawing, MapPlan, scale_of
from perijove.products.geotiff import write_geotiff
from perijove.products.map_planes import MapPlanes, Tile

ROUNDS = 3


def coordinates(ground: np.ndarray, pointing: Any, band: str, lines: int) -> tuple[np.ndarray, np.ndarray]:
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


def rival(drawing: Drawing, path: Path) -> float:
    """Seconds of the rival."""
    image, pointing = drawing.image, drawing.image.located.solution.pointing
    stack = image.calibrated.i_over_f
    planes = [np.ascontiguousarray(stack[:, k].reshape(-1, stack.shape[3])) for k in range(stack.shape[1])]
    tiles = [(rows, columns) for rows, columns, _ in drawing.tiles()]
    bands = image.label.bands
    ready = [
        [coordinates(drawing.grid.ground(rows, columns), pointing, band, stack.shape[2]) for band in bands]
        for rows, columns in tiles
    ]

    def remapped() -> Iterator[Tile]:
        for (rows, columns), maps in zip(tiles, ready, strict=True):
            drawn = [
                cv2.remap(plane, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=np.nan)
                for plane, (x, y) in zip(planes, maps, strict=True)
            ]
            yield rows, columns, np.stack([*drawn, np.isfinite(drawn[0]).astype(np.float32)], axis=-1)

    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        told = drawing.planes
        write_geotiff(path, MapPlanes(told.grid, told.planes, remapped(), told.metadata))
        taken.append(time.perf_counter() - start)
    return min(taken)


def one(raw: str, ppd: float, against: bool) -> None:
    """Draw at one scale, and print what it took."""
    image = perijove.open(raw)
    plan = MapPlan(region=GLOBE, scale_km=scale_of(ppd) / 1e3, kernel="bilinear" if against else "bicubic")
    drawing = Drawing(image, plan.grid(image), plan)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with tempfile.TemporaryDirectory(dir=".") as folder:
        path = Path(folder) / "map.tif"
        small = MapPlan(region=GLOBE, scale_km=2000.0)
        write_geotiff(path, Drawing(image, small.grid(image), small).planes)
        taken = []
        for _ in range(ROUNDS if ppd <= 25 else 1):
            start, used = time.perf_counter(), time.process_time()
            write_geotiff(path, drawing.planes)
            taken.append((time.perf_counter() - start, time.process_time() - used))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        size = path.stat().st_size / 1e6
        covered = sum(np.isfinite(planes[..., 0]).sum() for *_, planes in drawing.tiles()) if ppd <= 25 else 0
        known = f"{covered / 1e6:.1f} million pixels seen, " if covered else ""
        print(
            f"{ppd:g} pixels a degree, {plan.kernel}: {drawing.grid.width} x {drawing.grid.height}, {known}"
            f"{min(taken)[0]:.2f} s, {min(used for _, used in taken):.2f} s of processor, {size:.0f} MB; "
            f"memory {peak / 1e3:.0f} MB, {before / 1e3:.0f} MB before"
        )
        if against:
            other = rival(drawing, path)
            print(f"perijove {min(taken)[0]:.2f} s, cv2.remap {other:.2f} s, ratio {min(taken)[0] / other:.2f}")


def main(raw: str, *scales: str) -> None:
    """Draw at each scale in a process of its own."""
    for number, scale in enumerate(scales or ("25", "12.5", "50", "100")):
        if number == 0:
            subprocess.run([sys.executable, __file__, raw, scale, "--rival"], check=True)
        subprocess.run([sys.executable, __file__, raw, scale, "--one"], check=True)


if __name__ == "__main__":
    if sys.argv[-1] in ("--one", "--rival"):
        one(sys.argv[1], float(sys.argv[2]), sys.argv[-1] == "--rival")
    else:
        main(*sys.argv[1:])
