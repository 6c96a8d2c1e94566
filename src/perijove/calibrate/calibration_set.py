"""Flats, darks and bad pixels: what a set holds, which of it applies to an image, and two published sets.

Sets that `perijove calibrate` makes are described by a file of their own (`set_file`). No published file comes with the
project; a user names the folder in which they lie. Two families are read:

- ``flatFieldsSmooth12to16.tiff`` and ``debias18.tiff``, 384 x 1648, blue, green and red stacked, scaled to
  the full range of counts;
- ``junocam_rgb_flatfield_v3_{0,1,2}.png`` and ``junocam_dark_pj28_v1_{blue,green,red}.tif``, 128 x 1648 each,
  0-65535, and ``BAD_PIXEL_MASK.png``, 384 x 1648, 0 = bad.

What is taken from which is decided by real images (perijoves 43 and 44):

- *small scale* (dust on the detector): the first flat foretells how dark single pixels are in a TDI 1 image
  to within 0.02 (response 0.36 against 0.36, 0.52 against 0.52), over years. The second has nothing there:
  its structure of 0.5 % is noise that no image shares, and is smoothed away.
- *large scale*: where consecutive framelets see the same ground, the second one leaves smaller steps than the
  first (median red 0.6-1.3 % against 1.4-2.2 %, blue 0.5-0.8 % either way). Along the lines they differ by up
  to 15 % at the right margin; images cannot tell which is right there.
- *darks*: full scale stands for the highest count, 2879 DN: their hot pixels then agree with those of later
  images within about 20 %. Both hold hot pixels as smeared by the TDI of other images, so that subtracting
  them digs holes. They serve as a list of suspects for images too short to show their own pattern.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from perijove.archive.label import ImageLabel
from perijove.constants import ACTIVE_SAMPLES, FRAMELET_LINES, FRAMELET_SAMPLES
from perijove.errors import CalibrationError

Plane = npt.NDArray[np.float32]
Kind = Literal["flat", "dark", "bad_pixel"]

_COLOURS: Final = ("BLUE", "GREEN", "RED")
_SHAPE: Final = (FRAMELET_LINES, FRAMELET_SAMPLES)
_ACTIVE: Final = slice(*ACTIVE_SAMPLES)
#: Counts that full scale stands for: the upper end of the on-board companding (SIS, appendix C).
_FULL_SCALE_DN: Final = 2879.0
#: Relative responses outside are no response: such a pixel is bad.
_SANE_FLAT: Final = (0.3, 1.7)
#: Where the small scale ends, pixels (standard deviation).
_SMOOTHING_PX: Final = 8.0
#: A pixel whose response departs by less carries no small-scale correction.
_DUST_DEPTH: Final = 0.03

_FLAT_STACKED: Final = "flatFieldsSmooth12to16.tiff"
_DARK_STACKED: Final = "debias18.tiff"
_FLAT_SINGLE: Final = "junocam_rgb_flatfield_v3_{index}.png"
_DARK_SINGLE: Final = "junocam_dark_pj28_v1_{name}.tif"
_BAD_STACKED: Final = "BAD_PIXEL_MASK.png"


def _no_planes() -> Mapping[Any, Any]:
    return MappingProxyType({})


@dataclass(frozen=True)
class SetPlane:
    """One plane of a set, and the images for which it holds.

    Attributes
    ----------
    kind : {"flat", "dark", "bad_pixel"}
    band : str
    orbits : tuple of int
        First and last.
    tdi_stages : int
        Stages over which it is summed already: 1 for a plane of the detector itself.
    plane : ndarray, (128, 1648), float32 or bool, read-only
        Relative response, DN, or True for pixels without a usable response.
    """

    kind: Kind
    band: str
    orbits: tuple[int, int]
    tdi_stages: int
    plane: npt.NDArray[Any]


@dataclass(frozen=True)
class CalibrationSet:
    """Flats, darks and bad pixels at full resolution and one TDI stage, by band.

    Attributes
    ----------
    source : str
        Folder they came from.
    description : str
        Which files were used for what.
    flat : mapping of str to ndarray, (128, 1648), float32, read-only
        Relative response, robust mean 1 over the photoactive columns; 1 where nothing sane is known.
    dark : mapping of str to ndarray, (128, 1648), float32, read-only
        DN. Not subtracted: see the module.
    bad_pixel : mapping of str to ndarray, (128, 1648), bool, read-only
        Pixels without a usable response.
    stages : mapping of tuple of str to int
        TDI stages over which a plane is summed already, by kind and band; 1 where there is no entry.
    choices : tuple of SetPlane
        Planes that hold for some orbits and TDI stages only; see `applying_to`.
    """

    source: str
    description: str
    flat: Mapping[str, Plane] = field(default_factory=_no_planes)
    dark: Mapping[str, Plane] = field(default_factory=_no_planes)
    bad_pixel: Mapping[str, npt.NDArray[np.bool_]] = field(default_factory=_no_planes)
    stages: Mapping[tuple[str, str], int] = field(default_factory=_no_planes)
    choices: tuple[SetPlane, ...] = ()

    def applying_to(self, label: ImageLabel) -> "CalibrationSet":
        """The planes that hold for an image: of its orbit, and nearest to its TDI stages, rather fewer than more."""
        planes: dict[str, dict[str, Any]] = {"flat": {}, "dark": {}, "bad_pixel": {}}
        stages: dict[tuple[str, str], int] = {}

        def distance(choice: SetPlane) -> tuple[bool, float]:
            return choice.tdi_stages > label.tdi_stages, abs(float(np.log(choice.tdi_stages / label.tdi_stages)))

        fitting = [c for c in self.choices if c.orbits[0] <= label.orbit <= c.orbits[1]]
        for choice in sorted(fitting, key=distance, reverse=True):
            planes[choice.kind][choice.band] = choice.plane
            stages[choice.kind, choice.band] = choice.tdi_stages
        if not self.choices:
            return self
        flat, dark, bad = (MappingProxyType(planes[kind]) for kind in ("flat", "dark", "bad_pixel"))
        return replace(self, flat=flat, dark=dark, bad_pixel=bad, stages=MappingProxyType(stages), choices=())


def load_calibration(folder: str | Path) -> CalibrationSet:
    """Read a calibration set: a folder with a ``calibration.toml``, or published files in it or its subfolder ``pj28``.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    CalibrationSet

    Raises
    ------
    CalibrationError
        The folder does not exist or holds none of the files, or a file is not what it should be.
    """
    from perijove.calibrate.set_file import SET_FILE, read_set

    root = Path(folder)
    if not root.is_dir():
        raise CalibrationError(f"calibration folder {root} does not exist: name one that holds flats")
    if (root / SET_FILE).is_file():
        return read_set(root)
    places = (root, root / "pj28")
    stacked_flat, large_flat = _stacked(places, _FLAT_STACKED), _singles(places, _FLAT_SINGLE)
    dark = _singles(places, _DARK_SINGLE, 1.0 / 65535.0) or _stacked(places, _DARK_STACKED)
    mask = _stacked(places, _BAD_STACKED)
    if not (stacked_flat or large_flat or dark or mask):
        raise CalibrationError(
            f"calibration folder {root} holds none of {_FLAT_STACKED}, {_FLAT_SINGLE.format(index='0..2')}, "
            f"{_DARK_STACKED}, {_DARK_SINGLE.format(name='red')}, {_BAD_STACKED}: name another folder or none"
        )
    flat: dict[str, Plane] = {}
    bad: dict[str, npt.NDArray[np.bool_]] = {}
    for band in _COLOURS:
        masked = mask[band] == 0 if band in mask else np.zeros(_SHAPE, np.bool_)
        plane, dust = _combined(stacked_flat.get(band), large_flat.get(band))
        if plane is None:
            bad[band] = masked
        else:
            flat[band], insane = _normalised(plane)
            # A masked pixel whose response is known (dust) is better divided than invented.
            bad[band] = insane | (masked & ~dust)
    parts = [
        name
        for name, planes in (
            ("flat " + _FLAT_STACKED, stacked_flat),
            ("smoothed flat " + _FLAT_SINGLE.format(index="0..2"), large_flat),
            ("hot pixels from a dark", dark),
            (_BAD_STACKED, mask),
        )
        if planes
    ]
    return CalibrationSet(
        source=str(root),
        description=", ".join(parts),
        flat=_frozen(flat),
        dark=_frozen({band: plane * np.float32(_FULL_SCALE_DN) for band, plane in dark.items()}),
        bad_pixel=_frozen(bad),
    )


def _frozen(planes: dict[str, Any]) -> Mapping[str, Any]:
    for plane in planes.values():
        plane.flags.writeable = False
    return MappingProxyType(planes)


def _stacked(places: tuple[Path, ...], name: str) -> dict[str, Plane]:
    """Blue, green and red from one file of three framelets, or nothing."""
    path = _find(places, name)
    if path is None:
        return {}
    lines, samples = _SHAPE
    plane = _read(path, (3 * lines, samples)).reshape(3, lines, samples)
    return {band: plane[index].copy() for index, band in enumerate(_COLOURS)}


def _singles(places: tuple[Path, ...], pattern: str, factor: float = 1.0) -> dict[str, Plane]:
    """Blue, green and red from a file each; bands without a file are left out."""
    planes = {}
    for index, band in enumerate(_COLOURS):
        path = _find(places, pattern.format(index=index, name=band.lower()))
        if path is not None:
            planes[band] = _read(path, _SHAPE) * np.float32(factor)
    return planes


def _find(places: tuple[Path, ...], name: str) -> Path | None:
    return next((place / name for place in places if (place / name).is_file()), None)


def _read(path: Path, shape: tuple[int, int]) -> Plane:
    """One calibration file as float32, checked."""
    import cv2
    import tifffile

    def png(source: Path) -> Any:
        return cv2.imdecode(np.frombuffer(source.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)

    reader: Callable[[Path], Any] = png if path.suffix == ".png" else tifffile.imread
    try:
        plane = reader(path)
    except (OSError, ValueError, cv2.error, tifffile.TiffFileError) as error:
        raise CalibrationError(f"calibration file {path} cannot be read ({error}): fetch it again") from error
    if plane is None:
        raise CalibrationError(f"calibration file {path} is not an image: fetch it again")
    if plane.shape != shape:
        raise CalibrationError(
            f"calibration file {path} has shape {plane.shape}, not {shape}: "
            "it does not fit JunoCam's framelets, take another"
        )
    values: Plane = plane.astype(np.float32)
    if not np.isfinite(values).all():
        raise CalibrationError(f"calibration file {path} holds values that are not finite: fetch it again")
    return values


def _smoothed(plane: Plane) -> Plane:
    """Large scale of the photoactive part; the dark columns stay as they are."""
    import cv2

    smooth = plane.copy()
    active = cv2.medianBlur(np.ascontiguousarray(plane[:, _ACTIVE]), 5)
    smooth[:, _ACTIVE] = cv2.GaussianBlur(active, (0, 0), _SMOOTHING_PX, borderType=cv2.BORDER_REFLECT)
    return smooth


def _dust(plane: Plane) -> Plane:
    """Small scale of the photoactive part: response relative to its surroundings, 1 where it hardly departs.

    Dust covers up to about 10 pixels; a wide median looks over it.
    """
    import cv2

    active = np.ascontiguousarray(plane[:, _ACTIVE])
    top = float(np.percentile(active, 99.9))
    wide = cv2.medianBlur(np.clip(active * (254.0 / top), 0, 255).astype(np.uint8), 31)
    surroundings = cv2.GaussianBlur(wide.astype(np.float32), (0, 0), _SMOOTHING_PX) * np.float32(top / 254.0)
    ratio = active / np.maximum(surroundings, np.float32(1e-6))
    dust = np.ones(plane.shape, np.float32)
    dust[:, _ACTIVE] = np.where(ratio < 1.0 - _DUST_DEPTH, ratio, np.float32(1.0))
    # The margins of a flat bend too much for a wide median to follow.
    margin = 8
    dust[:, : ACTIVE_SAMPLES[0] + margin] = 1.0
    dust[:, ACTIVE_SAMPLES[1] - margin :] = 1.0
    return dust


def _combined(stacked: Plane | None, large: Plane | None) -> tuple[Plane | None, npt.NDArray[np.bool_]]:
    """Response from the two flats, and where dust is known."""
    if stacked is None:
        none = np.zeros(_SHAPE, np.bool_)
        return (None if large is None else _smoothed(large)), none
    dust = _dust(stacked)
    return (stacked if large is None else _smoothed(large) * dust), dust < 1.0


def _normalised(plane: Plane) -> tuple[Plane, npt.NDArray[np.bool_]]:
    """Relative response with robust mean 1, and the photoactive pixels that have none."""
    active = plane[:, _ACTIVE]
    low, high = np.percentile(active, (5.0, 95.0))
    relative = plane / active[(active >= low) & (active <= high)].mean()
    insane = (relative < _SANE_FLAT[0]) | (relative > _SANE_FLAT[1])
    outside = np.ones(plane.shape, np.bool_)
    outside[:, _ACTIVE] = False
    flat = np.where(insane | outside, np.float32(1.0), relative).astype(np.float32)
    return flat, insane & ~outside
