"""Views: where the pixels of a picture look.

A view stands at a point of space with three axes (right, down, forward). Its pixels either look along rays from that
point (perspective, or equidistant for wide fields) or along parallel rays (orthographic). Where a ray misses the planet
it still has a ground point: the point of the line of sight nearest to the planet, so that the limb's haze and the sky
are drawn, too.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numba
import numpy as np
import numpy.typing as npt

from perijove.constants import FOCAL_LENGTH_PX, FRAMELET_LINES, FRAMELET_SAMPLES, JUPITER_RADII_KM
from perijove.errors import GeometryError, OptionError
from perijove.geometry.ellipsoid import from_lat_lon, lat_centric_deg, normals
from perijove.geometry.pointing import Pointing

Floats = npt.NDArray[np.float64]
Projection = Literal["perspective", "equidistant", "orthographic"]

#: Fields wider than this from the centre are drawn equidistant: perspective would stretch their rim.
_WIDE_FIELD_RAD: Final = np.radians(55.0)
#: Ground darker than this (cosine of incidence) does not enlarge the picture: it is night.
_TWILIGHT_COSINE: Final = -0.07
#: What is seen is centred to this, a tenth of a pixel.
_CENTRED_RAD: Final = 7e-5
#: Points on the limb itself may be so far beyond it, radii.
_ROUNDING: Final = 1e-9
#: Room around what is seen, part of the picture's size.
_MARGIN: Final = 0.02
#: The largest picture that is made, pixels a side.
MAX_SIZE_PX: Final = 16384


@dataclass(frozen=True)
class View:
    """A grid of lines of sight.

    Attributes
    ----------
    projection : {"perspective", "equidistant", "orthographic"}
    origin_km : ndarray, (3,)
        Body-fixed. For orthographic views any point of the central line of sight outside the planet.
    axes : ndarray, (3, 3)
        Rows are right, down and forward, body-fixed unit vectors.
    scale : float
        Size of a pixel at the centre: radians, or km for orthographic views.
    width, height : int
    centre : tuple of float
        Pixel coordinates (x, y; pixel centres at + 0.5) of the forward axis.
    seen_from_km : ndarray, (3,), or None
        The observer of the image, body-fixed, where the view stands elsewhere: what the planet hides from there, and
        the sky, have no ground.
    """

    projection: Projection
    origin_km: Floats
    axes: Floats
    scale: float
    width: int
    height: int
    centre: tuple[float, float]
    seen_from_km: Floats | None = None

    def ground(self, rows: slice = slice(None)) -> Floats:
        """Points that the pixels see, (rows, width, 3), body-fixed, km.

        On the ellipsoid, or, where the ray misses, the point of the ray nearest to it in the ellipsoid's metric.
        NaN where a pixel looks away from the planet, and where ``seen_from_km`` rules it out.
        """
        first, last, _ = rows.indices(self.height)
        out = np.empty((last - first, self.width, 3))
        _ground(
            out,
            first,
            self.origin_km,
            self.axes,
            self.scale,
            np.array(self.centre),
            {"perspective": 0, "equidistant": 1, "orthographic": 2}[self.projection],
            np.array(JUPITER_RADII_KM),
        )
        if self.seen_from_km is not None:
            missed = (out * out) @ np.array(JUPITER_RADII_KM) ** -2 > 1.0 + 1e-9
            out[beyond_horizon(out, self.seen_from_km) | missed] = np.nan
        return out

    def pixel(self, ground_km: Floats) -> Floats:
        """Pixel coordinates (x, y) of body-fixed points, (..., 2); NaN behind the view."""
        offset = (ground_km - self.origin_km) @ self.axes.T
        right, down, forward = offset[..., 0], offset[..., 1], offset[..., 2]
        forward = np.where(forward > 0, forward, np.nan)
        if self.projection == "orthographic":
            stretch = np.ones_like(forward)
        elif self.projection == "perspective":
            stretch = 1.0 / forward
        else:
            radius = np.hypot(right, down)
            stretch = np.arctan2(radius, forward) / np.maximum(radius, 1e-12)
        return np.stack(
            [self.centre[0] + right * stretch / self.scale, self.centre[1] + down * stretch / self.scale],
            axis=-1,
        )

    def north_angle_deg(self) -> float:
        """Direction of Jupiter's north pole in the picture, degrees clockwise from up."""
        north = np.array([0.0, 0.0, 1.0]) @ self.axes.T
        return float(np.degrees(np.arctan2(north[0], -north[1])))

    def turned(self, degrees: float) -> "View":
        """The same picture turned clockwise about the middle, whose size stays."""
        angle = np.radians(degrees)
        right, down, forward = self.axes
        axes = [np.cos(angle) * right - np.sin(angle) * down, np.sin(angle) * right + np.cos(angle) * down, forward]
        away = np.array(self.centre) - (self.width / 2, self.height / 2)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        x, y = turn @ away + (self.width / 2, self.height / 2)
        return replace(self, axes=np.stack(axes), centre=(float(x), float(y)))

    def cropped(self, left: float, top: float, right: float, bottom: float) -> "View":
        """A part of the picture; edges are parts of its width and height, moved to whole pixels.

        Raises
        ------
        OptionError
            Nothing is left.
        """
        columns = round(left * self.width), round(right * self.width)
        rows = round(top * self.height), round(bottom * self.height)
        if columns[0] >= columns[1] or rows[0] >= rows[1]:
            raise OptionError(f"a crop from {left:g}, {top:g} to {right:g}, {bottom:g} leaves no pixel")
        centre = self.centre[0] - columns[0], self.centre[1] - rows[0]
        return replace(self, width=columns[1] - columns[0], height=rows[1] - rows[0], centre=centre)

    def zoomed(self, factor: float) -> "View":
        """The same picture with more pixels, or fewer.

        Raises
        ------
        OptionError
            The picture would be empty or too large.
        """
        width, height = round(self.width * factor), round(self.height * factor)
        if not 1 <= min(width, height) <= max(width, height) <= MAX_SIZE_PX:
            raise OptionError(f"a zoom of {factor:g} gives {width} x {height} pixels; {MAX_SIZE_PX} is the most")
        centre = self.centre[0] * factor, self.centre[1] * factor
        return replace(self, scale=self.scale / factor, width=width, height=height, centre=centre)

    def blocks(self, rows: int) -> Iterator[slice]:
        """Slices of at most ``rows`` rows that cover the view."""
        for first in range(0, self.height, rows):
            yield slice(first, min(first + rows, self.height))


def beyond_horizon(ground_km: Floats, observer_km: Floats) -> npt.NDArray[np.bool_]:
    """Whether the planet hides points of its surface, or such as `View.ground` has for the sky, from an observer.

    Parameters
    ----------
    ground_km : ndarray, (..., 3)
        Body-fixed; of NaN it says no.
    observer_km : ndarray, (3,)
        Body-fixed.
    """
    # In the ellipsoid's metric the horizon of an observer S is the plane S . P = 1; the limb itself is seen.
    return np.asarray(ground_km @ (observer_km * np.array(JUPITER_RADII_KM) ** -2) < 1.0 - _ROUNDING)


def ground_seen(view: Any, observer_km: Floats, rows: slice) -> Floats:
    """Ground of a view or a map, (rows, width, 3), NaN where the planet hides it from an observer."""
    ground: Floats = view.ground(rows)
    # Views that know whose horizon counts, or that stand where the observer does, leave out what is hidden.
    if view.seen_from_km is None and not np.array_equal(getattr(view, "origin_km", ()), observer_km):
        ground[beyond_horizon(ground, observer_km)] = np.nan
    return ground


def spacecraft_view(pointing: Pointing, size: int | None = None, north_up: bool = False) -> View:
    """What the spacecraft saw at mid-image.

    Parameters
    ----------
    pointing : Pointing
    size : int, optional
        Side of a square picture in pixels. By default the picture has the camera's own scale and just holds what was
        seen in daylight.
    north_up : bool
        Turn the picture so that Jupiter's north pole is up. By default it stands as on the detector: columns to
        the right, the scan downwards.

    Returns
    -------
    View

    Raises
    ------
    OptionError
        If the size is not usable.
    GeometryError
        If no pixel of the image sees the planet.
    """
    middle = pointing.mid_frame
    origin = pointing.position_fixed_km[middle]
    seen = seen_ground(pointing)
    rays = seen - origin
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    forward = _unit(_unit(rays.max(axis=0) + rays.min(axis=0)))
    north = np.array([0.0, 0.0, 1.0])
    camera = next(iter(pointing.cameras.values()))
    scale = camera.sampling_factor / FOCAL_LENGTH_PX
    wide = False
    # The centre of what is seen depends a little on the axes it is measured along.
    for _ in range(6):
        right = np.cross(forward, north) if north_up else pointing.camera_from_jupiter[middle][0]
        axes = _axes(forward, right)
        wide = bool(np.arccos(np.clip(rays @ forward, -1, 1)).max() > _WIDE_FIELD_RAD)
        plane = _plane(rays @ axes.T, wide)
        low, high = plane.min(axis=0), plane.max(axis=0)
        aside = np.tan((low + high) / 2)
        if np.abs(aside).max() < _CENTRED_RAD:
            break
        forward = _unit(forward + axes[0] * aside[0] + axes[1] * aside[1])
    extent = (high - low) * (1 + 2 * _MARGIN)
    return _framed("equidistant" if wide else "perspective", origin, axes, extent, scale, size)


def orthographic_view(
    pointing: Pointing,
    lat_graphic_deg: float | None = None,
    lon_w_sys3_deg: float | None = None,
    size: int | None = None,
) -> View:
    """The globe from infinitely far above a point, north up.

    Parameters
    ----------
    pointing : Pointing
    lat_graphic_deg, lon_w_sys3_deg : float, optional
        The point: planetographic latitude and System III west longitude. By default the middle of what was seen.
    size : int, optional
        Side of a square picture that holds the whole globe. By default a pixel is as large as the camera's at the
        nearest point seen.

    Returns
    -------
    View
    """
    seen = seen_ground(pointing)
    if (lat_graphic_deg is None) != (lon_w_sys3_deg is None):
        raise OptionError("an orthographic view needs both the latitude and the longitude of its centre, or neither")
    if lat_graphic_deg is None or lon_w_sys3_deg is None:
        towards = _unit(normals(seen).mean(axis=0))
    else:
        if not -90 <= lat_graphic_deg <= 90:
            raise OptionError(f"latitude {lat_graphic_deg} is not between -90 and 90")
        if not np.isfinite(lon_w_sys3_deg):
            raise OptionError(f"longitude {lon_w_sys3_deg} is not a number of degrees")
        towards = _unit(from_lat_lon(lat_centric_deg(lat_graphic_deg), lon_w_sys3_deg, 1e9))
    return _globe(pointing, seen, towards, size)


def _globe(pointing: Pointing, seen: Floats, towards: Floats, size: int | None) -> View:
    up = np.array([0.0, 0.0, 1.0])
    if abs(towards[2]) > 0.999999:
        up = np.array([-1.0, 0.0, 0.0])
    right = np.cross(up, towards)
    nearest = np.linalg.norm(seen - pointing.position_fixed_km[pointing.mid_frame], axis=-1).min()
    camera = next(iter(pointing.cameras.values()))
    scale = float(nearest) * camera.sampling_factor / FOCAL_LENGTH_PX
    side = 2 * JUPITER_RADII_KM[0] * (1 + 2 * _MARGIN)
    origin = towards * 10 * JUPITER_RADII_KM[0]
    view = _framed("orthographic", origin, _axes(-towards, right), np.array([side, side]), scale, size)
    return replace(view, seen_from_km=pointing.position_fixed_km[pointing.mid_frame])


def seen_ground(pointing: Pointing) -> Floats:
    """Points of the lit planet that some framelet saw, body-fixed, (n, 3): a sparse sample."""
    points = []
    for band, camera in pointing.cameras.items():
        samples, lines = FRAMELET_SAMPLES // camera.sampling_factor, FRAMELET_LINES // camera.sampling_factor
        x, y, frame = np.meshgrid(
            np.linspace(26, FRAMELET_SAMPLES - 20, 201) * samples / FRAMELET_SAMPLES,
            np.array([0.03, 0.27, 0.5, 0.73, 0.97]) * lines,
            np.arange(pointing.frames),
        )
        ground = pointing.ground(band, frame.ravel().astype(int), x.ravel(), y.ravel())
        lit = normals(ground) @ pointing.sun_fixed > _TWILIGHT_COSINE
        points.append(ground[lit])
    seen = np.concatenate(points)
    if not len(seen):
        raise GeometryError("no pixel of the image sees the sunlit planet; nothing can be drawn")
    return seen


def check_size(size: int) -> None:
    """Refuse a picture's side that cannot be drawn.

    Raises
    ------
    OptionError
    """
    if not 16 <= size <= MAX_SIZE_PX:
        raise OptionError(f"size {size} is not between 16 and {MAX_SIZE_PX} pixels")


def _framed(
    projection: Projection, origin: Floats, axes: Floats, extent: Floats, scale: float, size: int | None
) -> View:
    if size is None:
        width, height = (int(np.ceil(e / scale)) for e in extent)
    else:
        check_size(size)
        width = height = int(size)
        scale = float(extent.max()) / size
    if max(width, height) > MAX_SIZE_PX:
        raise OptionError(
            f"at native scale the view would be {width} x {height} pixels; give a --size of at most {MAX_SIZE_PX}"
        )
    return View(projection, origin, axes, scale, width, height, (width / 2, height / 2))


def _unit(v: Floats) -> Floats:
    return np.asarray(v / np.linalg.norm(v))


def _axes(forward: Floats, right: Floats) -> Floats:
    """Rows right, down, forward, with right made square to forward."""
    right = _unit(right - (right @ forward) * forward)
    return np.stack([right, np.cross(forward, right), forward])


def _plane(v: Floats, wide: bool) -> Floats:
    """Picture-plane coordinates, radians at the centre, of vectors in the view's axes."""
    radius = np.hypot(v[:, 0], v[:, 1])
    stretch = np.arctan2(radius, v[:, 2]) / np.maximum(radius, 1e-12) if wide else 1.0 / v[:, 2]
    return np.asarray(v[:, :2] * stretch[:, None])


@numba.njit(cache=True, parallel=True)
def _ground(out, first, origin, axes, scale, centre, kind, radii):  # type: ignore[no-untyped-def]
    for j in numba.prange(out.shape[0]):
        for i in range(out.shape[1]):
            u = (i + 0.5 - centre[0]) * scale
            v = (first + j + 0.5 - centre[1]) * scale
            ox, oy, oz = origin[0], origin[1], origin[2]
            a, b, c = u, v, 1.0
            if kind == 1:
                radius = np.sqrt(u * u + v * v)
                if radius > np.pi / 2:
                    out[j, i, :] = np.nan
                    continue
                ratio = np.sin(radius) / radius if radius > 0 else 1.0
                a, b, c = u * ratio, v * ratio, np.cos(radius)
            elif kind == 2:
                ox += u * axes[0, 0] + v * axes[1, 0]
                oy += u * axes[0, 1] + v * axes[1, 1]
                oz += u * axes[0, 2] + v * axes[1, 2]
                a, b = 0.0, 0.0
            dx = a * axes[0, 0] + b * axes[1, 0] + c * axes[2, 0]
            dy = a * axes[0, 1] + b * axes[1, 1] + c * axes[2, 1]
            dz = a * axes[0, 2] + b * axes[1, 2] + c * axes[2, 2]
            sx, sy, sz = ox / radii[0], oy / radii[1], oz / radii[2]
            tx, ty, tz = dx / radii[0], dy / radii[1], dz / radii[2]
            aa = tx * tx + ty * ty + tz * tz
            bb = sx * tx + sy * ty + sz * tz
            disc = bb * bb - aa * (sx * sx + sy * sy + sz * sz - 1.0)
            t = (-bb - np.sqrt(disc)) / aa if disc > 0 else -bb / aa
            if t <= 0.0:
                t = np.nan
            out[j, i, 0] = ox + t * dx
            out[j, i, 1] = oy + t * dy
            out[j, i, 2] = oz + t * dz
