"""Flats, darks and defects of the detector, from ordinary images.

The detector stays while the scene moves on by some 115 lines from frame to frame. Of each band the mean over all lit
frames of a pixel's ratio to its surroundings holds what is the pixel's own: the gain of its column and the dust above.
What changes over longer distances is measured where framelets share ground (`gradient`); the fall-off along the lines
to the sides of the detector cannot be told from the scene, and is left as it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perijove.archive.framelets import FrameletStack
from perijove.calibrate import defects, detector, striping
from perijove.calibrate.calibration_set import SetPlane
from perijove.calibrate.decompand import code_step, companding_table, decompand
from perijove.calibrate.defects import Bool, Detail, Float
from perijove.calibrate.gradient import Gradient, Pairs, fit_gradient
from perijove.calibrate.quality import FrameletLayout
from perijove.calibrate.response import ResponseSums, column_gain, dust
from perijove.constants import BANDS, FRAMELET_LINES, FRAMELET_SAMPLES
from perijove.errors import CalibrationError

#: A hot pixel is one that is seen in at least this part of the images of a group that could show it.
_SEEN_PART: Final = 0.5
#: Less than this is none: rims of motes stand out of the darker pixels around them, but not where it is dark.
_MIN_HOT_DN: Final = 1.5
#: A pixel that keeps less of the light than this has no usable response.
_MIN_RESPONSE: Final = 0.25


@dataclass
class _Group:
    """What the images of one band and TDI have told so far."""

    sums: ResponseSums = field(default_factory=ResponseSums)
    excess: list[Float] = field(default_factory=list)
    cold: list[Bool] = field(default_factory=list)
    orbits: set[int] = field(default_factory=set)
    products: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class BandResult:
    """What was found of one band at one number of TDI stages, for the report.

    Attributes
    ----------
    band : str
    tdi_stages : int
    products : tuple of str
    lit_frames : int
        Frames that tell of the response of the pixel that is lit most often.
    lit_part : float
        Part of the photoactive pixels of which the response was measured.
    gradient : Gradient
    column_gain : float
        Standard deviation that was divided out.
    column_gain_error : float
        Standard error of one column's gain, median.
    dust_pixels, hot_pixels, bad_pixels : int
    """

    band: str
    tdi_stages: int
    products: tuple[str, ...]
    lit_frames: int
    lit_part: float
    gradient: Gradient
    column_gain: float
    column_gain_error: float
    dust_pixels: int
    hot_pixels: int
    bad_pixels: int

    def told(self) -> dict[str, Any]:
        """The same for JSON."""
        change = 200.0 * self.gradient.mean if self.gradient.columns else 0.0
        known = self.gradient.pieces > 0 and np.isfinite(self.gradient.error)
        return {
            "band": self.band,
            "tdi_stages": self.tdi_stages,
            "products": list(self.products),
            "lit_frames": self.lit_frames,
            "lit_part": round(self.lit_part, 4),
            "change_along_lines_percent": round(change, 3),
            "change_along_lines_error_percent": round(200.0 * self.gradient.error, 3) if known else None,
            "pieces_of_shared_ground": self.gradient.pieces,
            "column_gain_percent": round(100.0 * self.column_gain, 3),
            "column_gain_error_percent": round(100.0 * self.column_gain_error, 3),
            "dust_pixels": self.dust_pixels,
            "hot_pixels": self.hot_pixels,
            "bad_pixels": self.bad_pixels,
        }


class SetBuilder:
    """Takes images one by one, keeps sums of them only, and makes the planes of a set."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, int], _Group] = {}
        self._pairs: dict[str, list[Pairs]] = {}

    def add(self, stack: FrameletStack, pairs: Mapping[str, Pairs] | None = None) -> None:
        """Learn from an image.

        Parameters
        ----------
        stack : FrameletStack
        pairs : mapping of str to Pairs, optional
            Ground that framelets of the image share, by band. Only ratios count, in any unit above dark.

        Raises
        ------
        CalibrationError
            The image cannot tell of single pixels: it is summed, reflectance, or of fewer than 5 frames.
        """
        label = stack.label
        for wrong, told in (
            (label.pixel_scale != "codes", "holds reflectance, not the camera's codes"),
            (label.sampling_factor != 1, "was summed on board"),
            (label.frames < defects.MIN_FRAMES, f"has fewer than {defects.MIN_FRAMES} frames"),
        ):
            if wrong:
                raise CalibrationError(f"{label.product_id} {told}: a set is made of other images")
        dn = decompand(np.asarray(stack.dn, np.uint8), label.bit_mode)
        layout = FrameletLayout.of(FRAMELET_LINES, FRAMELET_SAMPLES, 1)
        dark = detector.dark_level(dn, layout)
        missing = detector.missing_framelets(dn, layout)
        sigma = defects.sigma_table(companding_table(label.bit_mode), code_step(label.bit_mode))
        for index, band in enumerate(label.bands):
            frames = np.flatnonzero(~missing[:, index])
            if len(frames) < defects.MIN_FRAMES:
                continue
            group = self._groups.setdefault((band, label.tdi_stages), _Group())
            _learn(group, dn[frames, index][:, :, layout.active], dark[frames, index], sigma)
            group.orbits.add(label.orbit)
            group.products.append(str(label.product_id))
            if pairs and band in pairs:
                self._pairs.setdefault(band, []).append(pairs[band])

    def build(self) -> tuple[tuple[SetPlane, ...], tuple[BandResult, ...]]:
        """Make the planes.

        Returns
        -------
        tuple of SetPlane
            Flat, dark and bad pixels of every band and number of TDI stages.
        tuple of BandResult

        Raises
        ------
        CalibrationError
            Nothing was learned.
        """
        if not self._groups:
            raise CalibrationError("no image tells of the detector: give images with their frames, full resolution")
        gradients = {band: fit_gradient(Pairs.joined(parts)) for band, parts in self._pairs.items()}
        planes: list[SetPlane] = []
        results = []
        for (band, stages), group in sorted(
            self._groups.items(), key=lambda item: (BANDS.index(item[0][0]), item[0][1])
        ):
            made, result = _finish((band, stages), group, gradients.get(band, Gradient()))
            planes += made
            results.append(result)
        return tuple(planes), tuple(results)


def _learn(group: _Group, dn: npt.NDArray[np.uint16], dark_dn: npt.NDArray[np.float64], sigma: Float) -> None:
    """Add the framelets of one band of an image, photoactive part, to a group."""
    offsets = striping.column_offsets(dn, dark_dn)
    striped = bool(offsets.any())
    details: list[Detail] = []
    score = np.zeros(dn.shape[1:], np.float32)
    for framelet in dn:
        detail = defects.detail_of(striping.destriped(framelet, offsets) if striped else framelet, sigma)
        score += defects.score_of(detail)
        details.append(detail)
    pattern = defects.fixed_pattern(score / np.float32(len(details)), details)
    excess = np.where(pattern.excess > _MIN_HOT_DN, pattern.excess, np.float32(0.0))
    for detail, dark in zip(details, dark_dn, strict=True):
        group.sums.add(detail, float(dark), excess > 0.0)
    group.excess.append(excess)
    group.cold.append(pattern.cold)


def _finish(key: tuple[str, int], group: _Group, gradient: Gradient) -> tuple[list[SetPlane], BandResult]:
    """Planes and figures of one group."""
    band, stages = key
    excess = np.stack(group.excess)
    hot = (excess > 0).mean(axis=0) >= _SEEN_PART
    # Images that do not show a hot pixel do not tell how hot it is.
    dark = np.zeros(hot.shape, np.float32)
    dark[hot] = np.nanmedian(np.where(excess[:, hot] > 0, excess[:, hot], np.nan), axis=0)
    mean, error, known = group.sums.response()
    motes = dust(group.sums, known & ~hot)
    gain, gain_error = column_gain(mean, error, known & ~hot & (motes == 1.0))
    bad = (np.stack(group.cold).mean(axis=0) >= _SEEN_PART) & (motes == 1.0)
    bad |= motes < _MIN_RESPONSE
    flat = np.ones((FRAMELET_LINES, FRAMELET_SAMPLES), np.float32)
    layout = FrameletLayout.of(FRAMELET_LINES, FRAMELET_SAMPLES, 1)
    flat[:, layout.active] = gradient.plane()[:, layout.active] * gain * np.where(bad, np.float32(1.0), motes)
    orbits = min(group.orbits), max(group.orbits)
    planes = []
    for kind, values in (("flat", flat), ("dark", _whole(dark, layout)), ("bad_pixel", _whole(bad, layout))):
        values.flags.writeable = False
        # Of a loop over literals only their common type is known.
        planes.append(SetPlane(kind, band, orbits, stages, values))  # type: ignore[arg-type]
    result = BandResult(
        band=band,
        tdi_stages=stages,
        products=tuple(group.products),
        lit_frames=int(group.sums.pixels.frames.max()),
        lit_part=float(known.mean()),
        gradient=gradient,
        column_gain=float(gain.std()),
        column_gain_error=gain_error,
        dust_pixels=int((motes < 1.0).sum()),
        hot_pixels=int(hot.sum()),
        bad_pixels=int(bad.sum()),
    )
    return planes, result


def _whole(active: npt.NDArray[Any], layout: FrameletLayout) -> npt.NDArray[Any]:
    """A plane of the photoactive part with its dark columns, which hold nothing."""
    plane = np.zeros((layout.lines, layout.samples), active.dtype)
    plane[:, layout.active] = active
    return plane


def widened(planes: Sequence[SetPlane], orbits: tuple[int, int] | None) -> tuple[SetPlane, ...]:
    """Let planes hold for other orbits than those that they were made of.

    Parameters
    ----------
    planes : sequence of SetPlane
    orbits : tuple of int, optional
        First and last. Without them nothing changes.

    Returns
    -------
    tuple of SetPlane
    """
    if orbits is None:
        return tuple(planes)
    return tuple(SetPlane(p.kind, p.band, orbits, p.tdi_stages, p.plane) for p in planes)
