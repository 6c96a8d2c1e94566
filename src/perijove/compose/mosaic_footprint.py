"""Outlines of what images show of a map."""

import numpy as np
import numpy.typing as npt

from perijove.project.grid import MapGrid

Mask = npt.NDArray[np.bool_]
Ring = list[list[float]]

#: An outline may be off by so many cells.
_OFF_CELLS = 0.75
#: Rings around fewer cells are left out.
_LEAST_CELLS = 4.0


def footprint(seen: Mask, grid: MapGrid) -> list[list[Ring]]:
    """Outline the ground that is seen.

    Parameters
    ----------
    seen : ndarray, (height, width), bool
        On the pixels of ``grid``.
    grid : MapGrid

    Returns
    -------
    list of polygons
        As GeoJSON's MultiPolygon has its coordinates: each polygon a list of closed rings, the outer one first, of
        positions [east longitude, latitude], degrees, latitudes of the map's kind. A ring around a pole runs through
        all longitudes.
    """
    import cv2

    padded = np.pad(seen, 1).astype(np.uint8)
    rings, tree = cv2.findContours(padded, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    if tree is None:
        return []
    polygons: dict[int, list[Ring]] = {}
    for index, (ring, (_, _, _, parent)) in enumerate(zip(rings, tree[0], strict=True)):
        outline = cv2.approxPolyDP(ring, _OFF_CELLS, True)[:, 0].astype(float) - 0.5
        if len(outline) < 3 or cv2.contourArea(outline.astype(np.float32)) < _LEAST_CELLS:
            continue
        degrees = _degrees(outline, grid)
        if len(degrees) < 4:
            continue
        if parent < 0:
            polygons[index] = [degrees]
        elif parent in polygons:
            polygons[parent].append(degrees)
    return list(polygons.values())


def _degrees(outline: npt.NDArray[np.float64], grid: MapGrid) -> Ring:
    """A closed ring of longitudes and latitudes; what lies off the world is left out."""
    lon, lat = grid.lon_lat(grid.left_m + outline[:, 0] * grid.scale_m, grid.top_m - outline[:, 1] * grid.scale_m)
    there = np.isfinite(lon)
    ring = [[round(float(a), 3), round(float(b), 3)] for a, b in zip(lon[there], lat[there], strict=True)]
    return [*ring, ring[0]] if ring else []
