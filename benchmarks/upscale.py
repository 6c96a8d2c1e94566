"""How near to the truth pictures above the camera's own scale are: refined, and resampled by others.

A simulated planet is drawn fine, seen by the framelets of an image through optics and square pixels, with noise, and
drawn at two and three times the camera's scale: by `perijove.project.upscale`, by the cubic of ordinary views, and by
Lanczos' kernel from the picture at the camera's scale (OpenCV, eight samples wide). Told are, in percent of the clouds'
standard deviation, the RMS error, and in brackets how far pictures leave the range that the truth has within a pixel
of the camera, in the mean.

Usage: ``python benchmarks/upscale.py [--side N]``.
"""

import argparse
import time
from dataclasses import dataclass, replace
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from perijove.constants import FOCAL_LENGTH_PX, FRAMELET_LINES, FRAMELET_SAMPLES
from perijove.geometry.ellipsoid import to_lat_lon
from perijove.geometry.pointing import Pointing
from perijove.project.resample import Framelets, gather
from perijove.project.upscale import measured, refined, zoom_of
from perijove.project.view import View, spacecraft_view
from perijove.simulate.flyby import plan_flyby
from perijove.simulate.planet import Planet, Region

Plane = npt.NDArray[np.float32]

BAND: Final = "RED"
#: Perijove, seed, and the images' places in the pass: from afar and from near.
PERIJOVE, SEED, PLACES = 44, 0, (2, 4)
NOISES: Final = (0.002, 0.006, 0.012, 0.02)
ZOOMS: Final = (2, 3)
#: Rays across a pixel of the camera; with the square pixel these optics have a transfer of 0.47 at the Nyquist
#: frequency.
RAYS, OPTICS_PX = 5, 0.247
#: Samples of the planet to a pixel of the camera, and kilometres of latitude to a degree.
FINE, KM_PER_DEG = 6.0, 1247.0


@dataclass(frozen=True)
class Scene:
    """A part of a planet whose clouds are known far below the camera's pixels."""

    pixels: Plane
    region: Region
    per_degree: float

    @classmethod
    def under(cls, view: View, pointing: Pointing) -> "Scene":
        """All that a view sees."""
        ground = view.ground()
        lat, lon = _places(ground)
        away = np.linalg.norm(ground - pointing.position_fixed_km[pointing.mid_frame], axis=-1)
        per_degree = min(FINE * KM_PER_DEG * FOCAL_LENGTH_PX / float(away.min()), 2000.0)
        room = 0.1 * float(np.ptp(lat)) + 10 / per_degree
        region = Region(
            min(lat.max() + room, 90.0), max(lat.min() - room, -90.0), lon.max() + 2 * room, lon.min() - 2 * room
        )
        et = float(pointing.et[pointing.mid_frame])
        return cls(Planet(SEED).albedo_map((BAND,), et, per_degree, region)[0], region, per_degree)

    def at(self, ground: npt.NDArray[np.float64]) -> Plane:
        """Albedo of points; NaN beyond it."""
        lat, lon = _places(ground)
        turn = (self.region.west + self.region.east) / 2
        lon = (lon - turn + 180.0) % 360.0 - 180.0 + turn
        x = ((self.region.west - lon) * self.per_degree - 0.5).astype(np.float32)
        y = ((self.region.north - lat) * self.per_degree - 0.5).astype(np.float32)
        border = (cv2.BORDER_CONSTANT, float("nan"))
        return np.asarray(cv2.remap(self.pixels, x, y, cv2.INTER_LINEAR, None, *border), np.float32)


def _places(ground: npt.NDArray[np.float64]) -> Any:
    lat, lon = to_lat_lon(ground)
    middle = lon[lon.shape[0] // 2, lon.shape[1] // 2]
    return lat, (lon - middle + 180.0) % 360.0 - 180.0 + middle


def exposed(scene: Scene, pointing: Pointing, view: View) -> Plane:
    """Framelets, (frame, 1, line, sample), as far as they see into a view; NaN elsewhere."""
    out = np.full((pointing.frames, 1, FRAMELET_LINES, FRAMELET_SAMPLES), np.nan, np.float32)
    y, x = np.meshgrid(np.arange(0, FRAMELET_LINES + 1, 8), np.arange(0, FRAMELET_SAMPLES + 1, 16), indexing="ij")
    for frame in range(pointing.frames):
        place = view.pixel(pointing.ground(BAND, np.full(y.shape, frame), x, y))
        near = ((place > -12) & (place < (view.width + 12, view.height + 12))).all(axis=-1)
        if not near.any():
            continue
        top, bottom = max(y[near].min() - 12, 0), min(y[near].max() + 12, FRAMELET_LINES)
        left, right = max(x[near].min() - 18, 0), min(x[near].max() + 18, FRAMELET_SAMPLES)
        rays = [np.arange(low - 2, high + 2, 1 / RAYS) + 0.5 / RAYS for low, high in ((left, right), (top, bottom))]
        at = np.meshgrid(*rays)
        fine = scene.at(pointing.ground(BAND, np.full(at[0].shape, frame), *at))
        blurred = cv2.GaussianBlur(fine, (0, 0), OPTICS_PX * RAYS)
        shape = (bottom - top + 4, RAYS, right - left + 4, RAYS)
        out[frame, 0, top:bottom, left:right] = blurred.reshape(shape).mean(axis=(1, 3))[2:-2, 2:-2]
    return out


def error(picture: Plane, truth: Plane, zoom: int) -> tuple[float, float]:
    """RMS error, and mean excess over what the truth has around, percent of the clouds' deviation."""
    inner = (slice(8 * zoom, -8 * zoom),) * 2
    around = np.ones((2 * zoom + 1,) * 2, np.uint8)
    over = np.maximum(picture - cv2.dilate(truth, around), 0) + np.maximum(cv2.erode(truth, around) - picture, 0)
    spread = 100 / float(truth[inner].std())
    return spread * float(np.sqrt(np.mean((picture - truth)[inner] ** 2))), spread * float(over[inner].mean())


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=200, help="pixels of the camera that are looked at")
    half = parser.parse_args().side / 2
    flyby = plan_flyby(PERIJOVE, 12, SEED)
    rivals = f"{'Lanczos':>15} {'cubic':>15} {'refined':>15}"
    print(f"{'km/px':>6} {'zoom':>4} {'noise %':>7} {rivals} {'RMS ratio':>9} {'s':>5}")
    for place in PLACES:
        pointing = flyby.images[place].pointing
        whole = spacecraft_view(pointing)
        middle = whole.centre[0] - whole.width / 2 + half, whole.centre[1] - whole.height / 2 + half
        view = replace(whole, width=int(2 * half), height=int(2 * half), centre=middle)
        scene = Scene.under(view, pointing)
        clean = exposed(scene, pointing, view)
        away = np.linalg.norm(view.ground() - pointing.position_fixed_km[pointing.mid_frame], axis=-1).min()
        for zoom in ZOOMS:
            finer = view.zoomed(zoom)
            truth = scene.at(view.zoomed(4 * zoom).ground()).reshape(finer.height, 4, finer.width, 4).mean(axis=(1, 3))
            for noise in NOISES:
                rng = np.random.default_rng(1)
                values = clean * (1 + np.float32(noise) * rng.standard_normal(clean.shape, np.float32))
                framelets = Framelets.of(values, (BAND,), pointing)
                native, cubic = (gather(v.ground(), framelets, "bicubic")[0][..., 0] for v in (view, finer))
                rival = cv2.resize(native, (finer.width, finer.height), interpolation=cv2.INTER_LANCZOS4)
                start = time.perf_counter()
                told = measured(finer, pointing, BAND, values[:, 0], np.float32(noise) * values[:, 0])
                found = refined(cubic, told, zoom_of(finer, 1))
                seconds = time.perf_counter() - start
                errors = [error(picture, truth, zoom) for picture in (rival, cubic, found)]
                columns = " ".join(f"{rms:7.2f} ({ring:5.3f})" for rms, ring in errors)
                ratio = errors[2][0] / errors[0][0]
                print(
                    f"{away / FOCAL_LENGTH_PX:6.1f} {zoom:4d} {100 * noise:7.1f} {columns} {ratio:9.2f} {seconds:5.2f}"
                )


if __name__ == "__main__":
    main()
