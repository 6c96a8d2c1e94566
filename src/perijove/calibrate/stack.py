"""From a stack of raw framelets to calibrated I/F: the one door of the room."""

import math
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from perijove.archive.framelets import FrameletStack
from perijove.archive.label import ImageLabel
from perijove.calibrate import defects, detector
from perijove.calibrate.calibration_set import CalibrationSet
from perijove.calibrate.decompand import code_step, companding_table, decompand
from perijove.calibrate.quality import FrameletLayout, Quality
from perijove.calibrate.radiance import DEFAULT_SOLAR_DISTANCE_AU, new_camera_white_dn, throughput, white_dn
from perijove.constants import ACTIVE_SAMPLES, FRAMELET_LINES, FRAMELET_SAMPLES
from perijove.errors import ImageFileError

Bool = npt.NDArray[np.bool_]
UInt8 = npt.NDArray[np.uint8]
UInt16 = npt.NDArray[np.uint16]
Float = npt.NDArray[np.float32]

#: RDR value of a white Lambert surface that faces the Sun (SIS 4.3.1.3).
_RDR_WHITE = 10000.0
_THREADS = 4
#: A dark holds a hot pixel where it exceeds this, DN; asked where frames are too few.
_DARK_HOT_DN = 5.0
#: A flat this far below its surroundings knows of dust.
_KNOWN_DUST = 0.98


@dataclass(frozen=True)
class CalibratedStack:
    """Framelets in I/F.

    Attributes
    ----------
    label : ImageLabel
    i_over_f : ndarray, (frame, band, line, sample), float32, read-only
        Reflectance relative to a white Lambert surface that faces the Sun. NaN where nothing is known:
        missing framelets, lost blocks, defects without good neighbours. Dark columns keep their values and
        are flagged.
    quality : ndarray, (frame, band, line, sample), uint8, read-only
        Sums of `Quality`.
    saturation_i_over_f : mapping of str to float
        By band, I/F from which a pixel is clipped.
    notes : tuple of str
        What was done and what was found, for people.
    """

    label: ImageLabel
    i_over_f: Float
    quality: UInt8
    saturation_i_over_f: Mapping[str, float]
    notes: tuple[str, ...]


def calibrate(stack: FrameletStack, calibration: CalibrationSet | None = None) -> CalibratedStack:
    """Calibrate an image: counts, dark level, defects, flat, I/F.

    Parameters
    ----------
    stack : FrameletStack
    calibration : CalibrationSet, optional
        Flats and bad pixels. Without it the response of all pixels of a band is taken as equal.

    Returns
    -------
    CalibratedStack

    Raises
    ------
    LabelError
        Unknown bit mode or band, or an exposure or solar distance that is not positive.
    ImageFileError
        The pixels do not fit the label, or hold no content at all.
    """
    label = stack.label
    dn = _counts(stack)
    layout = FrameletLayout.of(dn.shape[2], dn.shape[3], label.sampling_factor)
    missing = detector.missing_framelets(dn, layout)
    if missing.all():
        raise ImageFileError(
            f"{label.title or 'the image'} holds no content: every framelet is constant; use another image"
        )
    dark = detector.dark_level(dn, layout)
    i_over_f = np.empty(dn.shape, np.float32)
    quality = np.empty(dn.shape, np.uint8)
    saturation = {}
    notes = list(_opening_notes(label, dark, calibration))
    levels, sigma = _levels_and_sigma(label)
    for index, band in enumerate(label.bands):
        flat, bad = _calibration_planes(calibration, band, layout, label)
        white = white_dn(band, label.exposure_s, label.solar_distance_km, label.orbit)
        clipped = _clipped_dn(dn[:, index, :, layout.active], levels)
        saturation[band] = (clipped - float(dark[:, index].mean())) / white
        work = _Band(layout, sigma, white, dark[:, index], clipped, flat, bad)
        out = i_over_f[:, index], quality[:, index]
        pattern = work.run(dn[:, index], missing[:, index], out)
        notes.append(f"{band}: {_band_note(out[1], missing[:, index], pattern, layout)}")
    i_over_f.flags.writeable = False
    quality.flags.writeable = False
    return CalibratedStack(label, i_over_f, quality, MappingProxyType(saturation), tuple(notes))


@dataclass(frozen=True)
class _Band:
    """All that is needed to calibrate the framelets of one band.

    Attributes
    ----------
    layout : FrameletLayout
    sigma : ndarray, (65536,), float32
        Noise by counts, DN.
    white_dn : float
        Counts of I/F = 1.
    dark_dn : ndarray, (frame,)
        Dark level, DN.
    clipped_dn : int
        Counts from which a pixel is clipped.
    flat : ndarray, (line, sample), float32, or None
        Relative response.
    bad : ndarray, (line, active sample), bool
        Pixels without a usable response.
    """

    layout: FrameletLayout
    sigma: Float
    white_dn: float
    dark_dn: npt.NDArray[np.float64]
    clipped_dn: int
    flat: Float | None
    bad: Bool

    def run(self, dn: UInt16, missing: Bool, out: tuple[Float, UInt8]) -> defects.FixedPattern:
        """Fill I/F and quality of all frames; return the defects that repeat."""
        active = self.layout.active
        frames = [int(frame) for frame in np.flatnonzero(~missing)]
        out[1][...] = self.layout.flags()
        out[0][missing] = np.nan
        out[1][missing] |= np.uint8(Quality.MISSING)
        with ThreadPoolExecutor(_THREADS) as pool:
            details = list(pool.map(lambda i: defects.detail_of(dn[i, :, active], self.sigma), frames))
            score = np.zeros((self.layout.lines, active.stop - active.start), np.float32)
            for part in pool.map(defects.score_of, details):
                score += part
            score *= np.float32(1.0 / max(len(details), 1))
            pattern = defects.fixed_pattern(score, details)
            cold = self.bad | (pattern.cold & ~self._known_response())

            def job(frame: int, detail: defects.Detail) -> None:
                values, flags = out[0][frame], out[1][frame]
                np.subtract(dn[frame], np.float32(self.dark_dn[frame]), out=values)
                self._framelet(dn[frame], defects.find_hits(detail, pattern), (pattern, cold), (values, flags))

            list(pool.map(job, frames, details))
        return pattern

    def _framelet(
        self, dn: UInt16, hits: Bool, fixed: tuple[defects.FixedPattern, Bool], out: tuple[Float, UInt8]
    ) -> None:
        """Turn counts above dark into I/F, in place, with repairs and flags."""
        values, flags = out
        pattern, cold = fixed
        active = self.layout.active
        lit, seen = values[:, active], flags[:, active]
        lit -= pattern.excess
        if self.flat is not None:
            values /= self.flat
        values *= np.float32(1.0 / self.white_dn)
        values[lost := detector.lost_blocks(dn, self.layout)] = np.nan
        bad = hits | cold
        lines, samples, filled = defects.fill(lit, bad)
        lit[lines, samples] = filled
        seen[pattern.hot | cold] |= np.uint8(Quality.HOT)
        seen[hits] |= np.uint8(Quality.COSMIC)
        seen[pattern.hot | bad] |= np.uint8(Quality.REPAIRED)
        flags[lost] |= np.uint8(Quality.BLOCK)
        flags[dn >= self.clipped_dn] |= np.uint8(Quality.SATURATED)

    def _known_response(self) -> Bool | np.bool_:
        """Where the flat knows that a pixel responds less than its surroundings."""
        if self.flat is None:
            return np.bool_(False)
        import cv2

        flat = np.ascontiguousarray(self.flat[:, self.layout.active])
        known: Bool = flat < np.float32(_KNOWN_DUST) * cv2.blur(flat, (31, 31))
        return known


def _counts(stack: FrameletStack) -> UInt16:
    """Return the counts of a stack, whatever its pixels are."""
    label, pixels = stack.label, stack.dn
    factor = label.sampling_factor
    expected = (label.frames, len(label.bands), FRAMELET_LINES // factor)
    # Summed images come without the last columns or padded to the full width.
    fits = ACTIVE_SAMPLES[1] // factor <= pixels.shape[-1] <= FRAMELET_SAMPLES // factor
    if pixels.shape[:-1] != expected or not fits:
        raise ImageFileError(
            f"the framelets have shape {pixels.shape}, their label says {expected} and "
            f"{FRAMELET_SAMPLES // factor} samples: take the label of this image"
        )
    if label.pixel_scale == "codes":
        return decompand(pixels, label.bit_mode)  # type: ignore[arg-type]
    counts = np.empty(pixels.shape, np.uint16)
    highest = np.iinfo(np.uint16).max
    for index, band in enumerate(label.bands):
        white = new_camera_white_dn(band, label.exposure_s, label.solar_distance_km)
        # Reflectance is counts times a factor, so that rounding to counts loses nothing but noise.
        counts[:, index] = np.minimum(np.rint(pixels[:, index] * (white / _RDR_WHITE)), highest)
    return counts


def _levels_and_sigma(label: ImageLabel) -> tuple[UInt16, Float]:
    """Return the levels that counts can have, and their noise continued to all 16-bit numbers."""
    levels, step = companding_table(label.bit_mode), code_step(label.bit_mode)
    sigma = defects.sigma_table(levels, step)
    return levels, np.concatenate([sigma, np.full(65536 - len(sigma), sigma[-1], np.float32)])


def _clipped_dn(dn: UInt16, levels: UInt16) -> int:
    """Find the counts from which a band is clipped."""
    bright = dn[dn >= levels[len(levels) // 2]]
    codes = np.searchsorted(levels, bright, side="right") - 1
    return detector.saturation_level(np.bincount(codes, minlength=len(levels)), levels)


def _calibration_planes(
    calibration: CalibrationSet | None, band: str, layout: FrameletLayout, label: ImageLabel
) -> tuple[Float | None, Bool]:
    """Return flat, and bad pixels of the photoactive part, as an image with this label meets them."""
    bad = np.zeros((layout.lines, layout.samples), np.bool_)
    if calibration is None:
        return None, bad[:, layout.active]
    if band in calibration.bad_pixel:
        bad |= _as_read(calibration.bad_pixel[band].astype(np.float32), layout, label) > 0.0
    if band in calibration.dark and label.frames < defects.MIN_FRAMES:
        bad |= _as_read((calibration.dark[band] > _DARK_HOT_DN).astype(np.float32), layout, label) > 0.0
    flat = _as_read(calibration.flat[band], layout, label) if band in calibration.flat else None
    return flat, bad[:, layout.active]


def _as_read(plane: Float, layout: FrameletLayout, label: ImageLabel) -> Float:
    """Average a detector plane over the TDI stages and the on-board sums.

    Charge that is read as line y was collected in lines y, y - 1, ... y - N + 1.
    """
    stages, factor = min(label.tdi_stages, len(plane)), label.sampling_factor
    if stages > 1:
        above = np.concatenate([np.repeat(plane[:1], stages - 1, axis=0), plane])
        total = np.cumsum(above, axis=0, dtype=np.float64)
        total[stages:] -= total[:-stages].copy()
        plane = (total[stages - 1 :] / stages).astype(np.float32)
    if factor > 1:
        lines, samples = plane.shape
        plane = plane.reshape(lines // factor, factor, samples // factor, factor).mean(axis=(1, 3))
    return plane[:, : layout.samples]


def _opening_notes(
    label: ImageLabel, dark: npt.NDArray[np.float64], calibration: CalibrationSet | None
) -> Iterator[str]:
    """Say what holds for all bands."""
    yield (f"dark level {dark.min():.2f} to {dark.max():.2f} DN subtracted, from the dark columns of each framelet")
    if calibration is None:
        yield "no flat field applied"
    else:
        yield f"calibration files: {calibration.description} ({calibration.source})"
        without = [band for band in label.bands if band not in calibration.flat]
        if without:
            yield f"no flat field for {', '.join(without)}"
    if math.isnan(label.solar_distance_km):
        yield f"solar distance not in the label: {DEFAULT_SOLAR_DISTANCE_AU} AU taken"
    values = ", ".join(f"{band} {throughput(band, label.orbit):.3f}" for band in label.bands)
    yield f"throughput at orbit {label.orbit} divided out: {values}"
    if "METHANE" in label.bands:
        yield "no loss of throughput is published for METHANE: 1 taken"
    if label.frames < defects.MIN_FRAMES:
        yield f"{label.frames} frames are too few to tell hot pixels from the scene"


def _band_note(quality: UInt8, missing: Bool, pattern: defects.FixedPattern, layout: FrameletLayout) -> str:
    """Say what was found in one band."""
    active = quality[:, :, layout.active]
    pixels = active.size

    def percent(flag: Quality) -> str:
        return f"{100.0 * np.count_nonzero(active & np.uint8(flag)) / pixels:.3f} %"

    note = (
        f"{np.count_nonzero(pattern.hot)} hot and {np.count_nonzero(pattern.cold)} dull detector pixels, "
        f"{np.count_nonzero(active & np.uint8(Quality.COSMIC))} pixels hit by radiation "
        f"({percent(Quality.COSMIC)}); {percent(Quality.SATURATED)} saturated"
    )
    if missing.any():
        frames = ", ".join(str(frame) for frame in np.flatnonzero(missing))
        note += f"; framelets without content: {frames}"
    if (active & np.uint8(Quality.BLOCK)).any():
        note += f"; {percent(Quality.BLOCK)} in lost compression blocks"
    return note
