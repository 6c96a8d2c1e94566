"""What the camera would see: I/F of every pixel, without detector or optics."""

from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from perijove.constants import JUPITER_RADII_KM, LIGHT_SPEED_KM_S
from perijove.geometry.pointing import Pointing
from perijove.simulate.atlas import Mapped, make_atlas

Floats = npt.NDArray[np.float64]
Light = npt.NDArray[np.float32]

#: Haze is drawn up to this many scale heights above its top.
_HAZE_SCALES: Final = 8.0
#: Rays across a pixel of a moon.
_MOON_RAYS: Final = 4


class Scenery(Mapped, Protocol):
    """What can be rendered: `perijove.simulate.planet.Planet`, or anything that answers alike."""

    def photometry(self, band: str) -> Any:
        """Scattering of a band: Minnaert's k, haze and terminator."""

    def moons(self, et: float) -> Sequence[Any]:
        """Moons with name, position, radius and albedo."""


def render(
    planet: Scenery, pointing: Pointing, bands: Sequence[str], lines: int, samples: int, subsamples: int = 2
) -> Light:
    """Draw all framelets of an image.

    Parameters
    ----------
    planet : Scenery
        Gives albedo maps, photometry and moons.
    pointing : Pointing
    bands : sequence of str
        In the order of the framelets.
    lines, samples : int
        Size of a framelet.
    subsamples : int
        Rays through a pixel; sixteen where emission is beyond 78 degrees.

    Returns
    -------
    ndarray, (frame, band, line, sample), float32
        I/F; 0 in the sky.

    Notes
    -----
    Light time and aberration as in `perijove.geometry.pointing`: the planet stands still as long as its light travels
    and turns under it. Minnaert's law with a soft terminator; the light of the limb reaches up into the haze.
    """
    from perijove.simulate.shade import shade_kernel

    cameras = pointing.cameras
    factor = cameras[bands[0]].sampling_factor
    atlas = make_atlas(planet, pointing, bands, factor)
    looks = np.array([_look(planet.photometry(band)) for band in bands])
    y, x = np.mgrid[: lines + 1, : samples + 1].astype(float)
    corners = np.stack([cameras[band].directions(x, y) for band in bands]).ravel()
    observers = pointing.position_fixed_km
    distances = np.linalg.norm(observers, axis=-1)
    suns = pointing.jupiter_from_j2000 @ pointing.sun
    top = float(np.max(looks[:, 3] + _HAZE_SCALES * looks[:, 2]))
    sines = np.minimum((JUPITER_RADII_KM[0] + top) / distances, 1.0)
    # A pixel more, so that those on the border are looked at.
    reaches = np.cos(np.arcsin(sines) + 0.001 * factor)
    turns = np.ascontiguousarray(np.swapaxes(pointing.camera_from_jupiter, -1, -2))
    out = np.empty((pointing.frames, len(bands), lines, samples), np.float32)
    shade_kernel(
        corners, turns, pointing.aberration_fixed, observers, suns, -observers / distances[:, None], reaches, looks,
        subsamples, atlas.index, atlas.places, atlas.sizes, atlas.pixels, out,
    )  # fmt: skip
    _add_moons(out, planet, pointing, bands)
    return out


def _look(photometry: Any) -> tuple[float, ...]:
    p = photometry
    return (p.minnaert_k, p.haze_scale_km, p.haze_top_km, p.twilight_width)


def _add_moons(out: Light, planet: Scenery, pointing: Pointing, bands: Sequence[str]) -> None:
    """Add moons that stand in the sky of a framelet, as Lambert spheres."""
    for moon in planet.moons(float(pointing.et[pointing.mid_frame])):
        sight = moon.position_km - pointing.position_km
        distance = np.linalg.norm(sight, axis=-1)
        true = sight / distance[:, None]
        apparent = true + pointing.velocity_km_s / LIGHT_SPEED_KM_S
        seen = np.einsum("nji,nj->ni", pointing.camera_to_j2000, apparent)
        hidden = _behind(pointing, true, distance)
        for index, band in enumerate(bands):
            camera = pointing.cameras[band]
            x, y = camera.pixels(seen)
            reach = moon.radius_km / distance * camera.focal_length_px / camera.sampling_factor + 2.0
            near = (x > -reach) & (x < out.shape[3] + reach) & (y > -reach) & (y < out.shape[2] + reach) & ~hidden
            for frame in np.flatnonzero(near):
                window = _window(x[frame], y[frame], reach[frame], out.shape[2:])
                if window is not None:
                    patch = _moon_patch(moon, band, pointing, int(frame), window)
                    out[(frame, index, *window)] += patch


def _behind(pointing: Pointing, true: Floats, distance: Floats) -> npt.NDArray[np.bool_]:
    """Whether the planet hides a moon's centre, by frame; a sphere does."""
    along = -np.einsum("ni,ni->n", pointing.position_km, true)
    miss = np.linalg.norm(pointing.position_km + along[:, None] * true, axis=-1)
    return np.asarray((along > 0) & (along < distance) & (miss < JUPITER_RADII_KM[2]))


def _window(x: float, y: float, reach: float, shape: tuple[int, ...]) -> tuple[slice, slice] | None:
    top, bottom = max(int(y - reach), 0), min(int(y + reach) + 1, shape[0])
    left, right = max(int(x - reach), 0), min(int(x + reach) + 1, shape[1])
    return (slice(top, bottom), slice(left, right)) if top < bottom and left < right else None


def _moon_patch(moon: Any, band: str, pointing: Pointing, frame: int, window: tuple[slice, slice]) -> Light:
    """I/F of the pixels of a window, mean of 4 x 4 rays."""
    parts = (np.arange(_MOON_RAYS) + 0.5) / _MOON_RAYS
    rows, columns = (np.arange(part.start, part.stop) for part in window)
    y = rows[:, None, None, None] + parts[:, None]
    x = columns[None, :, None, None] + parts
    seen = pointing.cameras[band].directions(x, y) @ pointing.camera_to_j2000[frame].T
    rays = seen - pointing.velocity_km_s[frame] / LIGHT_SPEED_KM_S
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    centre = moon.position_km - pointing.position_km[frame]
    along = rays @ centre
    depth = moon.radius_km**2 - (centre @ centre - along**2)
    point = (along - np.sqrt(np.maximum(depth, 0.0)))[..., None] * rays - centre
    sunlight = np.maximum(point @ pointing.sun / moon.radius_km, 0.0)
    light = np.where(depth > 0, moon.albedo[band] * sunlight, 0.0)
    return np.asarray(light.mean(axis=(2, 3)), np.float32)
