"""How well images of a perijove are located, alone and together, and how long it takes.

Usage: ``python benchmarks/geometry.py [--json] RAW...``, images of one perijove. Times are those of limb, ties and fit,
without reading and calibrating. Of every two colour images the offset of the same ground is measured: maps of the green
band at 25 pixels a degree, solved together, the later moved back with the mean zonal wind; tiles of 128 pixels every 64
that are known and textured in both, shift by phase correlation. There is no rival to be timed: no other package that
pip installs solves JunoCam's pointing from the image. ``benchmarks/registration.py`` measures colours on each other, in
pictures of any origin. Needs the extra ``bench``.
"""

import argparse
import itertools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from skimage.registration import phase_cross_correlation

import perijove
from perijove.calibrate.quality import Quality
from perijove.geometry.ellipsoid import from_lat_lon
from perijove.geometry.pointing import Pointing
from perijove.geometry.winds import blown
from perijove.project.resample import Framelets, gather
from perijove.register.bundle import Observation, locate_pass
from perijove.register.locate import Knowledge, Located, locate

PIXELS_PER_DEGREE = 25
TILE, STEP = 128, 64
MIN_CORRELATION = 0.5


def pixels(path: Path) -> tuple[Any, np.ndarray]:
    """Label and calibrated pixels of an image, clipped ones unknown."""
    image = perijove.open(path)
    calibrated = image.calibrated
    saturated = (calibrated.quality & np.uint8(Quality.SATURATED)) > 0
    return image.label, np.where(saturated, np.float32(np.nan), calibrated.i_over_f)


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What the work gives, and the seconds it took the second time, when everything is compiled."""
    work()
    begin = time.perf_counter()
    return work(), time.perf_counter() - begin


def told(located: Located) -> dict[str, float | None]:
    """Residuals of an image, pixels."""
    limb = np.abs(located.solution.residual_px)
    ties = np.hypot(*located.solution.tie_residual_px.T)
    return {
        "limb_median_px": float(np.median(limb)) if limb.size else None,
        "limb_p95_px": float(np.percentile(limb, 95)) if limb.size else None,
        "ties_median_px": float(np.median(ties)) if ties.size else None,
        "spin_axis_sigma_deg": float(np.degrees(located.solution.spin_axis_sigma_rad)),
    }


def green_map(values: np.ndarray, bands: tuple[str, ...], pointing: Pointing, late_s: float) -> np.ndarray:
    """Green at 25 pixels a degree, the ground carried on by the wind for so many seconds, (latitude, longitude)."""
    middle = pointing.position_fixed_km[pointing.mid_frame]
    lon = np.degrees(-np.arctan2(middle[1], middle[0]))
    lat = np.degrees(np.arctan2(middle[2], np.hypot(*middle[:2])))
    north, south = min(90.0, np.ceil(lat + 60)), max(-90.0, np.floor(lat - 60))
    lats = north - (np.arange(int((north - south) * PIXELS_PER_DEGREE)) + 0.5) / PIXELS_PER_DEGREE
    # One frame of longitudes for all images of the perijove: whole degrees.
    lons = np.floor(lon) + 90 - (np.arange(180 * PIXELS_PER_DEGREE) + 0.5) / PIXELS_PER_DEGREE
    full = np.full((180 * PIXELS_PER_DEGREE, 360 * PIXELS_PER_DEGREE), np.nan, np.float32)
    framelets = Framelets.of(values, bands, pointing)
    top = round((90 - north) * PIXELS_PER_DEGREE)
    left = round((360 - (np.floor(lon) + 90)) % 360 * PIXELS_PER_DEGREE)
    columns = (left + np.arange(len(lons))) % full.shape[1]
    for first in range(0, len(lats), 256):
        rows = lats[first : first + 256]
        ground = blown(from_lat_lon(*np.meshgrid(rows, lons, indexing="ij")), late_s)
        hidden = np.sum(ground * (middle - ground) / np.array([71492.0, 71492.0, 66854.0]) ** 2, axis=-1) < 0
        ground[hidden] = np.nan
        lit = np.sum(ground / 71492.0 * pointing.sun_fixed, axis=-1) > 0.15
        drawn = gather(ground, framelets)[0][..., bands.index("GREEN")]
        full[top + first : top + first + len(rows), columns] = np.where(lit, drawn, np.nan)
    return full


def offsets(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Shifts of the tiles of two maps, map pixels, (n, 2)."""
    detail = []
    for plane in (a, b):
        filled = np.nan_to_num(plane)
        detail.append(
            cv2.GaussianBlur(filled, (0, 0), 1.5) / np.maximum(cv2.GaussianBlur(filled, (0, 0), 10), 1e-9) - 1
        )
    known = np.isfinite(a) & np.isfinite(b)
    window = np.outer(np.hanning(TILE), np.hanning(TILE))
    found = []
    for y, x in itertools.product(range(0, a.shape[0] - TILE, STEP), range(0, a.shape[1] - TILE, STEP)):
        tile = slice(y, y + TILE), slice(x, x + TILE)
        if not known[tile].all():
            continue
        ta, tb = ((plane[tile] - plane[tile].mean()) * window for plane in detail)
        shift, _, _ = phase_cross_correlation(ta, tb, upsample_factor=20, normalization=None)
        if np.abs(shift).max() > TILE / 8:
            continue
        moved = cv2.warpAffine(tb, np.float32([[1, 0, shift[1]], [0, 1, shift[0]]]), (TILE, TILE))
        power = np.sqrt(np.sum(ta**2) * np.sum(moved**2))
        if power > 0 and np.sum(ta * moved) / power > MIN_CORRELATION:
            found.append(shift)
    return np.array(found).reshape(-1, 2)


def measure(paths: list[Path]) -> dict[str, Any]:
    """All figures of the images."""
    images = [pixels(path) for path in paths]
    labels = tuple(label for label, _ in images)
    report: dict[str, Any] = {"alone": {}, "together": {}, "same_ground": {}}
    for label, values in images:
        located, seconds = timed(lambda label=label, values=values: locate(label, values, Knowledge(labels=labels)))
        report["alone"][str(label.product_id)] = {"frames": label.frames, "seconds": seconds, **told(located)}
    observations = [Observation(label, lambda values=values: values) for label, values in images]
    together, report["pass_seconds"] = timed(lambda: locate_pass(observations, Knowledge(labels=labels)))
    for (label, _), located in zip(images, together, strict=True):
        report["together"][str(label.product_id)] = told(located)
    colour = [k for k, label in enumerate(labels) if "GREEN" in label.bands]
    for i, j in itertools.combinations(colour, 2):
        pointings = [together[k].solution.pointing for k in (i, j)]
        late = pointings[1].et.mean() - pointings[0].et.mean()
        maps = [
            green_map(images[k][1], labels[k].bands, pointing, wind)
            for k, pointing, wind in zip((i, j), pointings, (0.0, late), strict=True)
        ]
        shifts = offsets(*maps)
        lengths = np.hypot(*shifts.T)
        report["same_ground"][f"{labels[i].product_id} {labels[j].product_id}"] = {
            "tiles": len(shifts),
            "median_map_px": float(np.median(lengths)) if len(shifts) else None,
            "median_north_east_map_px": [float(v) for v in np.median(shifts, axis=0)] if len(shifts) else None,
        }
    return report


def main(paths: list[Path], as_json: bool) -> None:
    """Print the figures."""
    report = measure(paths)
    if as_json:
        print(json.dumps(report, indent=2))
        return
    print(f"{'image':28} {'':9} {'limb':>6} {'p95':>6} {'ties':>6} px  {'axis':>6} deg  seconds")
    for way in ("alone", "together"):
        for name, row in report[way].items():
            numbers = [row[key] for key in ("limb_median_px", "limb_p95_px", "ties_median_px")]
            shown = " ".join(f"{n:6.3f}" if n is not None else "     -" for n in numbers)
            seconds = f"{row['seconds']:.2f}" if way == "alone" else ""
            print(f"{name:28} {way:9} {shown}     {row['spin_axis_sigma_deg']:6.3f}      {seconds}")
    print(f"all together: {report['pass_seconds']:.1f} s")
    for pair, row in report["same_ground"].items():
        print(f"same ground, {pair}: median {row['median_map_px']:.2f} map px of {row['tiles']} tiles")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("raw", type=Path, nargs="+")
    arguments = parser.parse_args()
    main(arguments.raw, arguments.json)
