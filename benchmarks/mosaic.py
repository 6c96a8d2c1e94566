"""Time and memory of a polar mosaic.

Usage: ``python benchmarks/mosaic.py POINTING RAW... [--scale KM]``. Draws a north polar map to 50 degrees from images
whose pointing `perijove solve` wrote into the folder POINTING, and prints the time of each stage, and the largest
memory. The figure that stands beside it is the time in which the same bytes are only compressed and written.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from perijove.mapping import MapPlan, Region
from perijove.mosaicking import MosaicPlan, draw_mosaic
from perijove.products.geotiff import write_geotiff
from perijove.products.map_file import open_map
from perijove.products.map_planes import TILE_PX, MapPlanes, Plane
from perijove.shelving import Given


def main(pointing: str, raws: list[str], scale_km: float) -> None:
    """Print stages, total, and the rival's time."""
    began = last = time.perf_counter()
    stage = "opening"

    def told(name: str) -> None:
        nonlocal last, stage
        now = time.perf_counter()
        if now - last > 0.5:
            print(f"{now - last:6.2f} s  {stage}")
        last, stage = now, name

    region = Region(50.0, 90.0, 0.0, 360.0)
    plan = MosaicPlan(MapPlan("north-stereographic", region, scale_km))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mosaic.tif"
        report = draw_mosaic([Path(raw) for raw in raws], path, plan, Given(pointing=Path(pointing), progress=told))
        told("")
        total = time.perf_counter() - began
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        grid = report["map"]
        print(f"{grid['width']} x {grid['height']} pixels of {len(raws)} images: {total:.1f} s, {memory:.2f} GB")
        file = open_map(path)
        tiles = []
        for rows in file.grid.blocks(TILE_PX):
            for left in range(0, file.grid.width, TILE_PX):
                columns = slice(left, min(left + TILE_PX, file.grid.width))
                read = file.read(rows, columns)
                if np.isfinite(read).any():
                    tiles.append((rows, columns, read))
        planes = tuple(Plane(name, "1", name, averaged=name != "source") for name in file.planes)
        began = time.perf_counter()
        write_geotiff(Path(folder) / "again.tif", MapPlanes(file.grid, planes, tiles, {}))
        alone = time.perf_counter() - began
        print(f"the same planes, compressed and written alone: {alone:.1f} s; ratio {total / alone:.1f}")


if __name__ == "__main__":
    given = sys.argv[1:]
    at = given.index("--scale") if "--scale" in given else len(given)
    main(given[0], given[1:at], float(given[at + 1]) if at < len(given) else 10.0)
