"""What a view shows: latitudes, limb, terminator, poles, moons, and where in the picture they are."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.constants import FRAMELET_LINES, FRAMELET_SAMPLES, LIGHT_SPEED_KM_S
from perijove.geometry.backplanes import backplanes, reference_band
from perijove.geometry.ellipsoid import RADII_KM
from perijove.geometry.moons import galilean_moons
from perijove.geometry.orientation import j2000_to_jupiter
from perijove.geometry.pointing import Pointing
from perijove.project.grid import MapGrid
from perijove.project.view import View
from perijove.story.features import features_between

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

#: The view is looked at with so many points along its longer side.
_POINTS: Final = 160
#: Sides and corners of a picture, clockwise from its top.
SIDES: Final = ("top", "upper right", "right", "lower right", "bottom", "lower left", "left", "upper left")
#: A pole is in view where so high a latitude is.
_POLE_DEG: Final = 88.5
#: Parts of the latitudes in view that are no more than this, of the points seen, are left out at either end.
_FRINGE: Final = 0.002
#: Points that make a limb or a terminator worth telling.
_LEAST_POINTS: Final = 4
#: An edge is told where an octant of the picture holds this part of its points.
_LEAST_SHARE: Final = 0.04


@dataclass(frozen=True)
class MoonInView:
    """A moon that a view shows.

    Attributes
    ----------
    name : str
    distance_km : float
        From Juno.
    size_px : float
        Diameter in pixels of the view.
    x, y : float
        Pixel coordinates of its centre.
    side : str
        One of `SIDES`, or "middle".
    """

    name: str
    distance_km: float
    size_px: float
    x: float
    y: float
    side: str


@dataclass(frozen=True)
class Scene:
    """What a view shows of an image.

    Attributes
    ----------
    nearest_scale_km, nearest_range_km : float
        Kilometres to a pixel of the camera at the nearest ground seen, and how far away that is.
    south_deg, north_deg : float
        Planetographic latitudes seen in daylight; NaN where none is.
    features : tuple of str
        What lies there.
    poles : tuple of str
        "north" and "south", where in daylight.
    limb, terminator : tuple of str
        Sides of the picture at which arcs of it are, or "all around"; empty where it is not in view.
    phase_deg : float
        Angle between Sun and spacecraft, seen from Jupiter's centre.
    north_deg_clockwise : float
        Direction of Jupiter's north in the picture, from up.
    moons : tuple of MoonInView
    """

    nearest_scale_km: float
    nearest_range_km: float
    south_deg: float
    north_deg: float
    features: tuple[str, ...]
    poles: tuple[str, ...]
    limb: tuple[str, ...]
    terminator: tuple[str, ...]
    phase_deg: float
    north_deg_clockwise: float
    moons: tuple[MoonInView, ...]

    @property
    def phase_name(self) -> str:
        """How much of the disc is lit: full, gibbous, half or crescent."""
        for name, limit in (("full", 20.0), ("gibbous", 80.0), ("half", 100.0)):
            if self.phase_deg < limit:
                return name
        return "crescent"

    @property
    def hemisphere(self) -> str:
        """Which part of the planet is seen: northern, southern, or "" where both are."""
        if self.south_deg > -5.0:
            return "northern"
        return "southern" if self.north_deg < 5.0 else ""


def scene_of(pointing: Pointing, view: View | MapGrid) -> Scene:
    """Look at what a view or a map shows; a map has no sky, and so neither limb nor moons.

    Parameters
    ----------
    pointing : Pointing
    view : View or MapGrid

    Returns
    -------
    Scene
    """
    coarse = _coarser(view)
    ground = coarse.ground()
    band = reference_band(pointing)
    names = ("lat_graphic_deg", "incidence_deg", "pixel_scale_km", "range_km", f"frame_{band.lower()}")
    lat, incidence, scale, away, frame = (p.values for p in backplanes(pointing, ground, (band,), names).values())
    seen = np.isfinite(frame)
    lit = seen & (incidence < 90.0)
    sky = np.zeros_like(seen) if isinstance(view, MapGrid) else ~((ground * ground) @ RADII_KM**-2 < 1.0 + 1e-9)
    south, north = np.percentile(lat[lit], (100 * _FRINGE, 100 - 100 * _FRINGE)) if lit.any() else (np.nan, np.nan)
    observer = pointing.position_fixed_km[pointing.mid_frame]
    poles = [name for name, sign in (("north", 1.0), ("south", -1.0)) if (lit & (sign * lat > _POLE_DEG)).any()]
    return Scene(
        float(scale[seen].min()) if seen.any() else float("nan"),
        float(away[seen].min()) if seen.any() else float("nan"),
        float(south),
        float(north),
        features_between(float(south), float(north)),
        tuple(poles),
        _sides(coarse, lit & _beside(sky)),
        _sides(coarse, lit & _beside(seen & (incidence >= 90.0))),
        float(np.degrees(np.arccos(np.clip(observer @ pointing.sun_fixed / np.linalg.norm(observer), -1.0, 1.0)))),
        view.north_angle_deg(),
        tuple(_moons(pointing, view)),
    )


def side_of(x: float, y: float, width: float, height: float) -> str:
    """Where in a picture a point is.

    Examples
    --------
    >>> side_of(10, 10, 100, 100), side_of(50, 95, 100, 100), side_of(52, 47, 100, 100)
    ('upper left', 'bottom', 'middle')
    """
    right, up = 2 * x / width - 1, 1 - 2 * y / height
    if max(abs(right), abs(up)) < 0.25:
        return "middle"
    return SIDES[_octant(right, up)]


def _octant(right: float, up: float) -> int:
    return round(float(np.degrees(np.arctan2(right, up))) / 45.0) % 8


def _coarser(view: View | MapGrid) -> View | MapGrid:
    """The same view with few pixels."""
    times = max(max(view.width, view.height) / _POINTS, 1.0)
    if isinstance(view, MapGrid):
        return view.zoomed(1.0 / times)
    width, height = int(np.ceil(view.width / times)), int(np.ceil(view.height / times))
    centre = (view.centre[0] / times, view.centre[1] / times)
    return replace(view, scale=view.scale * times, width=width, height=height, centre=centre)


def _beside(mask: Mask) -> Mask:
    """Points with one of a mask above, below, left or right of them."""
    found = np.zeros_like(mask)
    found[1:] |= mask[:-1]
    found[:-1] |= mask[1:]
    found[:, 1:] |= mask[:, :-1]
    found[:, :-1] |= mask[:, 1:]
    return found


def _sides(view: View | MapGrid, points: Mask) -> tuple[str, ...]:
    """Sides of the picture at which arcs of points have their middles, seen from the picture's own."""
    y, x = np.nonzero(points)
    if len(x) < _LEAST_POINTS:
        return ()
    right, up = (x + 0.5) / view.width - 0.5, 0.5 - (y + 0.5) / view.height
    turn = np.arctan2(right, up)
    octant = np.round(np.degrees(turn) / 45.0).astype(int) % 8
    held = np.bincount(octant, minlength=8) >= _LEAST_SHARE * len(octant)
    if held.all():
        return ("all around",)
    # Octants next to each other hold one arc, told by the direction of its middle; begin where none is.
    start = int(np.argmin(held))
    arcs = np.cumsum(np.roll(~held, -start))
    arc = np.roll(np.where(np.roll(held, -start), arcs, -1), start)[octant]
    middles = [np.exp(1j * turn[arc == k]).sum() for k in np.unique(arc[arc >= 0])]
    return tuple(SIDES[k] for k in sorted({_octant(middle.imag, middle.real) for middle in middles}))


def _moons(pointing: Pointing, view: View | MapGrid) -> Iterator[MoonInView]:
    """Moons that framelets saw within the picture, as they stood when their light left."""
    if isinstance(view, MapGrid) or view.projection == "orthographic":
        # Such a view has no distance, and shows the globe alone.
        return
    middle = pointing.mid_frame
    et, observer = float(pointing.et[middle]), pointing.position_km[middle]
    to_fixed = j2000_to_jupiter(et)
    for now in galilean_moons(et):
        away = float(np.linalg.norm(now.position_km - observer))
        moon = next(m for m in galilean_moons(et - away / LIGHT_SPEED_KM_S) if m.name == now.name)
        place = to_fixed @ moon.position_km
        x, y = (float(v) for v in view.pixel(place))
        within = 0 <= x < view.width and 0 <= y < view.height
        if within and _scanned(pointing, place) and not _hidden(to_fixed @ observer, place):
            size = 2 * moon.radius_km / away / view.scale
            yield MoonInView(moon.name, away, size, x, y, side_of(x, y, view.width, view.height))


def _scanned(pointing: Pointing, place_km: Floats) -> bool:
    """Whether some framelet of some band saw a body-fixed point."""
    frames = np.arange(pointing.frames)
    for band, camera in pointing.cameras.items():
        x, y = pointing.pixels(band, frames, np.broadcast_to(place_km, (len(frames), 3)))
        samples, lines = FRAMELET_SAMPLES / camera.sampling_factor, FRAMELET_LINES / camera.sampling_factor
        if ((x > 0) & (x < samples) & (y > 0) & (y < lines)).any():
            return True
    return False


def _hidden(observer_km: Floats, place_km: Floats) -> bool:
    """Whether the planet stands between."""
    a, b = observer_km / RADII_KM, place_km / RADII_KM
    way = b - a
    nearest = np.clip(-(a @ way) / (way @ way), 0.0, 1.0)
    return bool(np.linalg.norm(a + nearest * way) < 1.0)
