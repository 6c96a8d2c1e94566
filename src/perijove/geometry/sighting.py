"""Which frame of an image sees a point of the ground."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.constants import ACTIVE_SAMPLES, FRAMELET_LINES, LIGHT_SPEED_KM_S
from perijove.geometry.camera import Camera
from perijove.geometry.orientation import SPIN_RATE_RAD_S
from perijove.geometry.pointing import Pointing

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

#: Steps towards the frame that sees a point: close passes need a second one, for parallax.
_STEPS: Final = 4
#: No other framelet is nearer to points within this part of its height from its middle; they overlap by a tenth.
_SURELY_NEAREST: Final = 0.4


def photoactive_window(camera: Camera) -> Floats:
    """First and last pixel coordinate of the photoactive part of a framelet, columns then rows, (4,)."""
    return np.array([*ACTIVE_SAMPLES, 0, FRAMELET_LINES]) / camera.sampling_factor


@dataclass(frozen=True)
class Sightings:
    """Ground points, and the frames in which the bands of an image see them.

    Attributes
    ----------
    pointing : Pointing
    ground_km : ndarray, (n, 3)
        Body-fixed, finite. What the planet hides is not noticed.
    window : ndarray, (4,), optional
        First and last usable pixel coordinate of a framelet, columns then rows, as in
        `perijove.project.resample.Framelets`. Default: `photoactive_window`.
    """

    pointing: Pointing
    ground_km: Floats
    window: Floats | None = None

    def nearest_frame(self, band: str) -> tuple[Ints, Flags]:
        """The frame whose framelet has a point nearest to its middle row.

        Where framelets of a band overlap, it is the one that the gather kernel takes the value from, alone or mainly.

        Returns
        -------
        frame : ndarray, (n,), int
            Of points that the image does not reach: its first or last.
        seen : ndarray, (n,), bool
            Whether the point lies within the window of that framelet.
        """
        camera, last = self.pointing.cameras[band], self.pointing.frames - 1
        window = photoactive_window(camera) if self.window is None else self.window
        frame, off = self._by_azimuth(camera, window)
        # By angle it is the nearest but for the distortion: near an edge the neighbour may be nearer.
        beside = np.flatnonzero(np.abs(off) > _SURELY_NEAREST * (window[3] - window[2]))
        other = np.clip(frame[beside] + np.sign(off[beside]).astype(np.int64), 0, last)
        off_there = _off_middle(camera, window, self._in_camera(other, beside))
        nearer = np.abs(off_there) < np.abs(off[beside])
        frame[beside[nearer]], off[beside[nearer]] = other[nearer], off_there[nearer]
        return frame, np.abs(off) <= (window[3] - window[2]) / 2

    def _by_azimuth(self, camera: Camera, window: Floats) -> tuple[Ints, Floats]:
        """The frame whose framelet has a point nearest to its middle by angle, and `_off_middle` in it, (n,) each."""
        middle = camera.directions(camera.cx_px / camera.sampling_factor, (window[2] + window[3]) / 2)
        centre, turn = float(np.arctan2(middle[1], middle[2])), turn_per_frame(self.pointing)
        last = self.pointing.frames - 1
        frame = np.clip(self.pointing.mid_frame + _steps(self._azimuth, centre, turn), 0, last)
        sight = self._in_camera(frame, slice(None))
        moving = np.arange(frame.size)
        for _ in range(_STEPS):
            azimuth = np.arctan2(sight[1, moving], sight[2, moving])
            target = np.clip(frame[moving] + _steps(azimuth, centre, turn), 0, last)
            other = target != frame[moving]
            moving, target = moving[other], target[other]
            if not moving.size:
                break
            frame[moving] = target
            sight[:, moving] = self._in_camera(target, moving)
        return frame, _off_middle(camera, window, sight)

    @cached_property
    def _points(self) -> Floats:
        """Where the points stood when their light left, their distance, and one: what `_affine` takes, (5, n)."""
        x, y, z = np.ascontiguousarray(self.ground_km.T)
        observer = self.pointing.position_fixed_km[self.pointing.mid_frame]
        distance = np.sqrt((x - observer[0]) ** 2 + (y - observer[1]) ** 2 + (z - observer[2]) ** 2)
        lag = SPIN_RATE_RAD_S / LIGHT_SPEED_KM_S * distance
        return np.stack([x + lag * y, y - lag * x, z, distance, np.ones_like(distance)])

    @cached_property
    def _affine(self) -> Floats:
        """What takes points to the axes of each camera: rotation, aberration, position, (15, frames)."""
        rotation = self.pointing.camera_from_jupiter
        columns = [self.pointing.aberration_fixed, -self.pointing.position_fixed_km]
        moved = [np.einsum("nij,nj->ni", rotation, column)[..., None] for column in columns]
        return np.ascontiguousarray(np.concatenate([rotation, *moved], axis=-1).reshape(-1, 15).T)

    @cached_property
    def _azimuth(self) -> Floats:
        """Angle about the X axis of the camera of the middle frame, radians, (n,)."""
        _, y, z = self._affine[:, self.pointing.mid_frame].reshape(3, 5) @ self._points
        return np.asarray(np.arctan2(y, z))

    def _in_camera(self, frame: Ints, which: Ints | slice) -> Floats:
        """Directions in the cameras of frames, (3, n), not normalised."""
        affine = self._affine.take(frame, axis=1).reshape(3, 5, -1)
        return np.asarray(np.einsum("ajn,jn->an", affine, self._points[:, which]))


def turn_per_frame(pointing: Pointing) -> float:
    """Angle about the camera's X axis from one frame to the next at the middle of the image, radians."""
    if pointing.frames < 2:
        return 1.0
    middle = min(pointing.mid_frame, pointing.frames - 2)
    ahead = pointing.camera_to_j2000[middle].T @ pointing.camera_to_j2000[middle + 1][:, 2]
    return float(np.arctan2(ahead[1], ahead[2]))


def _off_middle(camera: Camera, window: Floats, sight: Floats) -> Floats:
    """Rows from the middle of a framelet to where directions, (3, n), meet it; NaN beyond the window's columns."""
    x, y = camera.pixels(sight.T)
    return np.where((x >= window[0]) & (x <= window[1]), y - (window[2] + window[3]) / 2, np.nan)


def _steps(azimuth: Floats, centre: float, turn: float) -> Ints:
    return np.rint((azimuth - centre) / turn).astype(np.int64)
