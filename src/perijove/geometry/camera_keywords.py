"""The camera as keywords of SPICE: what the solved optical axis changes in the mission's kernels."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.constants import ACTIVE_SAMPLES, BANDS, DISTORTION_Y_WHOLE_PX, FRAMELET_LINES, PIXEL_PITCH_MM
from perijove.geometry.camera import CAMERA_TO_CUBE_DEG, Camera
from perijove.geometry.kernel_files import Value
from perijove.geometry.rotation import rotation_about

Floats = npt.NDArray[np.float64]

_NUMBERS: Final = {"BLUE": -61501, "GREEN": -61502, "RED": -61503, "METHANE": -61504}
_WHOLE: Final = -61500
#: Our own word in a text kernel: rows by which the optical axis was moved, without those of TDI.
_OWN_ROW: Final = "PERIJOVE_PRINCIPAL_ROW"
#: Row of the boresight on the chip, of which the rows of the bands' centres are told in the ISIS addendum kernel
#: (``junoAddendum005.ti``).
_ISIS_BORESIGHT_LINE: Final = 600.0
# Centres of the outermost pixels and of the middle, as the instrument kernel takes them.
_LEFT, _RIGHT = ACTIVE_SAMPLES[0] + 0.5, ACTIVE_SAMPLES[1] - 0.5
_TOP, _BOTTOM = 0.5, FRAMELET_LINES - 0.5
_MIDDLE: Final = (827.0, 64.0)
#: Pixels at which cameras are compared.
_GRID: Final = (41, 9)


def all_bands(cameras: Mapping[str, Camera], methane_y_px: float | None = None) -> dict[str, Camera]:
    """Full-resolution cameras of all bands from those that an image has.

    Parameters
    ----------
    cameras : mapping of str to Camera
        Of at least one band; all with the optical axis moved by the same number of rows.
    methane_y_px : float, optional
        Row of the methane band's centre of distortion where its window was moved.

    Returns
    -------
    dict of str to Camera
        In the order of `BANDS`.
    """
    known = next(iter(cameras.values()))
    moved = known.cy_px - _published(known.band, methane_y_px).cy_px
    out = {}
    for band in BANDS:
        row = methane_y_px if band == "METHANE" else None
        other = Camera.in_flight(band, 1, row, principal_row_px=moved)
        out[band] = replace(cameras[band], sampling_factor=1) if band in cameras else other
    return out


def camera_keywords(cameras: Mapping[str, Camera]) -> dict[str, Value]:
    """Keywords that make SPICE's JunoCam this one, to be loaded after the frames and the instrument kernel.

    Parameters
    ----------
    cameras : mapping of str to Camera
        Of all bands, at full resolution (`all_bands`).

    Returns
    -------
    dict
        The angles of the frame JUNO_JUNOCAM, whose +Z becomes the optical axis; centres and coefficients of the
        distortion; boresights and corners of the fields of view, which are vectors of that frame; and the row of the
        boresight for ISIS.
    """
    tilt = cameras["GREEN"].tilt_rad
    about_z, about_y, about_x = CAMERA_TO_CUBE_DEG
    moved = cameras["GREEN"].cy_px - Camera.for_band("GREEN").cy_px
    values: dict[str, Value] = {f"TKFRAME_{_WHOLE}_ANGLES": (about_z, about_y, about_x - float(np.degrees(tilt)))}
    for band, number in _NUMBERS.items():
        values |= _distortion(number, cameras[band], cameras[band].cy_px)
    values |= _distortion(_WHOLE, cameras["GREEN"], DISTORTION_Y_WHOLE_PX + moved)
    for band, number in _NUMBERS.items():
        camera = cameras[band]
        values[f"INS{number}_BORESIGHT"] = _vectors(camera, *_MIDDLE)
        x, y = [_LEFT, _LEFT, _RIGHT, _RIGHT], [_TOP, _BOTTOM, _BOTTOM, _TOP]
        values[f"INS{number}_FOV_BOUNDARY_CORNERS"] = _vectors(camera, x, y)
    values[f"INS{_WHOLE}_BORESIGHT"] = _numbers(np.array([0.0, 0.0, 1.0]) @ rotation_about("x", tilt))
    down = [v for band in BANDS for v in _vectors(cameras[band], [_LEFT, _LEFT], [_TOP, _BOTTOM])]
    up = [v for band in reversed(BANDS) for v in _vectors(cameras[band], [_RIGHT, _RIGHT], [_BOTTOM, _TOP])]
    values[f"INS{_WHOLE}_FOV_BOUNDARY_CORNERS"] = down + up
    values[f"INS{_WHOLE}_BORESIGHT_LINE"] = _ISIS_BORESIGHT_LINE + moved
    for band, number in _NUMBERS.items():
        values[f"INS{number}_FILTER_OFFSET"] = _ISIS_BORESIGHT_LINE + moved - cameras[band].cy_px
    return values


def misfit_px(camera: Camera, methane_y_px: float | None = None) -> Floats:
    """How far the mission's camera puts what a camera sees from where it is seen, full-resolution pixels.

    Both look along +Z of the same frame with the pixel that the instrument kernel has there.

    Returns
    -------
    ndarray, (rows, columns)
        Over a grid of the framelet.
    """
    x, y = np.meshgrid(np.linspace(_LEFT, _RIGHT, _GRID[0]), np.linspace(_TOP, _BOTTOM, _GRID[1]))
    there = _published(camera.band, methane_y_px).pixels(replace(camera, sampling_factor=1).directions(x, y))
    return np.asarray(np.hypot(there[0] - x, there[1] - y))


def _published(band: str, methane_y_px: float | None) -> Camera:
    return Camera.for_band(band, 1, methane_y_px if band == "METHANE" else None)


def _distortion(number: int, camera: Camera, row: float) -> dict[str, Value]:
    return {
        f"INS{number}_FOCAL_LENGTH": camera.focal_length_px * PIXEL_PITCH_MM,
        f"INS{number}_DISTORTION_X": camera.cx_px,
        f"INS{number}_DISTORTION_Y": row,
        f"INS{number}_DISTORTION_K1": camera.k1,
        f"INS{number}_DISTORTION_K2": camera.k2,
    }


def _vectors(camera: Camera, x: npt.ArrayLike, y: npt.ArrayLike) -> list[float]:
    """Directions of pixels in the frame of the optical axis, one after another."""
    return _numbers(camera.directions(x, y) @ rotation_about("x", camera.tilt_rad))


def _numbers(vectors: Floats) -> list[float]:
    return [round(float(v), 12) for v in vectors.ravel()]


def principal_row_keyword(row_px: float) -> dict[str, Value]:
    """What tells our own readers where the optical axis is, full-resolution rows from the instrument kernel's."""
    return {_OWN_ROW: row_px}


def principal_row_beside(ck: Path) -> float | None:
    """Row of the optical axis that was solved with one of our own CKs, from the text kernels beside it.

    Returns
    -------
    float or None
        None where there is no such kernel, or where several tell different rows.
    """
    rows = set()
    for path in ck.parent.glob(f"{ck.name.split('_')[0]}_{ck.name.split('_')[1]}_*.ti"):
        found = re.search(rf"{_OWN_ROW}\s*=\s*\(?\s*([-+.\dEeDd]+)", path.read_text(encoding="ascii"))
        if found:
            rows.add(round(float(found[1].upper().replace("D", "E")), 6))
    return rows.pop() if len(rows) == 1 else None
