"""From a stack of raw framelets to calibrated I/F: the one door of the room."""

import math
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from perijove.archive.framelets import FrameletStack
from perijove.archive.label import ImageLabel
from perijove.calibrate import defects, denoise, detector, repair, striping
from perijove.calibrate.calibration_set import CalibrationSet
from perijove.calibrate.decompand import code_gain, code_step, companding_table, decompand, expand, expected_dn
from perijove.calibrate.noise import FLAT_SIGMA, FLAT_SIGMA_KNOWN, sigma_by_dn
from perijove.calibrate.quality import FrameletLayout, Quality
from perijove.calibrate.radiance import (
    DEFAULT_SOLAR_DISTANCE_AU,
    RDR_WHITE,
    new_camera_white_dn,
    throughput,
    white_dn,
)
from perijove.calibrate.repair import Repairs
from perijove.constants import ACTIVE_SAMPLES, FRAMELET_LINES, FRAMELET_SAMPLES
from perijove.errors import ImageFileError

Bool = npt.NDArray[np.bool_]
UInt8 = npt.NDArray[np.uint8]
UInt16 = npt.NDArray[np.uint16]
Float = npt.NDArray[np.float32]

_THREADS = 4
#: A dark holds a hot pixel where it exceeds this, DN; asked where frames are too few.
_DARK_HOT_DN = 5.0
#: A flat this far below its surroundings knows of dust.
_KNOWN_DUST = 0.98
_ALL_REPAIRS = Repairs()


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
    confidence : ndarray, (frame, band, line, sample), float32, read-only, or None
        0 to 1, where noise was taken out: see `denoise.calm`.
    sigma : ndarray, (frame, band, line, sample), float32, read-only, or None
        Standard error of ``i_over_f`` where asked: see `perijove.calibrate.noise`. Of pixels that were filled, with the
        scatter about them; of saturated ones infinite, for they tell a lower bound; NaN where ``i_over_f`` is. Where
        noise was taken out it is that before.
    """

    label: ImageLabel
    i_over_f: Float
    quality: UInt8
    saturation_i_over_f: Mapping[str, float]
    notes: tuple[str, ...]
    confidence: Float | None = None
    sigma: Float | None = None


def calibrate(
    stack: FrameletStack,
    calibration: CalibrationSet | None = None,
    repairs: Repairs = _ALL_REPAIRS,
    *,
    black: detector.BlackLevel = "framelet",
    sigma: bool = False,
    dither_seed: int | None = None,
) -> CalibratedStack:
    """Calibrate an image: counts, dark level, defects, flat, I/F.

    Parameters
    ----------
    stack : FrameletStack
    calibration : CalibrationSet, optional
        Flats and bad pixels. Without it the response of all pixels of a band is taken as equal.
    repairs : Repairs
        What is repaired: all by default, noise where the image has that of an aged camera.
    black : {"framelet", "image", "off"}
        Dark level of each framelet, the median over the image of these in each band, or none.
    sigma : bool
        Tell the uncertainty of every pixel.
    dither_seed : int, optional
        Spread the counts of each code over its range, for pictures that are strongly stretched: see
        `perijove.calibrate.decompand.expand`.

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
    calibration = None if calibration is None else calibration.applying_to(label)
    dn = _counts(stack)
    layout = FrameletLayout.of(dn.shape[2], dn.shape[3], label.sampling_factor)
    missing = detector.missing_framelets(dn, layout)
    if missing.all():
        raise ImageFileError(
            f"{label.title or 'the image'} holds no content: every framelet is constant; use another image"
        )
    dark = detector.dark_level(dn, layout, black)
    i_over_f = np.empty(dn.shape, np.float32)
    quality = np.empty(dn.shape, np.uint8)
    saturation = {}
    notes = list(_opening_notes(label, dark, calibration))
    levels, new_noise = _levels_and_noise(label)
    noise = denoise.Noise.of(dn, layout.dark, new_noise, repairs.noise)
    confidence = np.zeros(dn.shape, np.float32) if noise.heavy else None
    error = np.empty(dn.shape, np.float32) if sigma else None
    notes.append(noise.note)
    for index, band in enumerate(label.bands):
        flat, bad = _calibration_planes(calibration, band, layout, label)
        white = white_dn(band, label.exposure_s, label.solar_distance_km, label.orbit)
        clipped = _clipped_dn(dn[:, index, :, layout.active], levels)
        saturation[band] = float(_expected(clipped, label) - _expected(dark[:, index].mean(), label)) / white
        above = _above_dark(stack, dn, index, dark[:, index], dither_seed)
        stages = label.tdi_stages // label.sampling_factor
        work = _Band(layout, noise, white, dark[:, index], clipped, flat, bad, repairs, above, stages, levels)
        out = i_over_f[:, index], quality[:, index]
        more = [None if plane is None else plane[:, index] for plane in (confidence, error)]
        fixed = work.run(dn[:, index], missing[:, index], out, (more[0], more[1]))
        notes.append(f"{band}: {_band_note(out[1], missing[:, index], fixed, layout)}")
    for array in (i_over_f, quality, confidence, error):
        if array is not None:
            array.flags.writeable = False
    return CalibratedStack(label, i_over_f, quality, MappingProxyType(saturation), tuple(notes), confidence, error)


@dataclass(frozen=True)
class _Band:
    """All that is needed to calibrate the framelets of one band.

    Attributes
    ----------
    layout : FrameletLayout
    noise : Noise
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
    repairs : Repairs
    above_dark : callable
        Expected counts of a frame above its dark level, (line, sample), DN.
    stages : int
        TDI stages, in lines as they were read.
    levels : ndarray, (codes,), uint16
        Counts that codes stand for.
    """

    layout: FrameletLayout
    noise: denoise.Noise
    white_dn: float
    dark_dn: npt.NDArray[np.float64]
    clipped_dn: int
    flat: Float | None
    bad: Bool
    repairs: Repairs
    above_dark: Callable[[int], Float]
    stages: int
    levels: UInt16

    def run(
        self, dn: UInt16, missing: Bool, out: tuple[Float, UInt8], more: tuple[Float | None, Float | None]
    ) -> repair.FixedDefects:
        """Fill I/F, quality, and where asked confidence and sigma, of all frames; return the defects that repeat."""
        confidence, sigma = more
        active = self.layout.active
        frames = [int(frame) for frame in np.flatnonzero(~missing)]
        out[1][...] = self.layout.flags()
        out[0][missing] = np.nan
        out[1][missing] |= np.uint8(Quality.MISSING)
        offsets = np.zeros(active.stop - active.start, np.float32)
        if self.repairs.stripes:
            offsets = striping.column_offsets(dn[frames][:, :, active], self.dark_dn[frames])
        striped = bool(offsets.any())

        def look(frame: int) -> defects.Detail:
            seen = dn[frame, :, active]
            return defects.detail_of(striping.destriped(seen, offsets) if striped else seen, self.noise.by_dn)

        with ThreadPoolExecutor(_THREADS) as pool:
            details = list(pool.map(look, frames))
            score = np.zeros((self.layout.lines, active.stop - active.start), np.float32)
            for part in pool.map(defects.score_of, details):
                score += part
            score *= np.float32(1.0 / max(len(details), 1))
            known = self._known_response(), self.bad
            fixed = repair.find_fixed(details, score, self.dark_dn[frames], known, self.repairs, stages=self.stages)

            flat_sigma = FLAT_SIGMA if self.flat is None else FLAT_SIGMA_KNOWN
            error_by_dn = sigma_by_dn(
                self.noise.by_dn, float(np.median(self.dark_dn)), flat_sigma, float(offsets.std())
            )
            if sigma is not None:
                sigma[missing] = np.nan

            def job(frame: int, detail: defects.Detail) -> None:
                values, flags = out[0][frame], out[1][frame]
                values[...] = self.above_dark(frame)
                if striped:
                    values[:, active] -= offsets + striping.wander(detail.residual, detail.noise)
                bad = repair.to_fill(detail, fixed, self.repairs)
                self._framelet(dn[frame], bad, fixed, (values, flags))
                if sigma is not None:
                    error = np.take(error_by_dn, dn[frame])
                    np.copyto(error[:, active], detail.scale, where=bad[1])
                    sigma[frame] = self._error(error, fixed, (values, flags))
                if confidence is not None:
                    confidence[frame, :, active] = self._calm(values[:, active], detail, bad[1], fixed)

            list(pool.map(job, frames, details))
        return fixed

    def _framelet(
        self, dn: UInt16, bad: tuple[Bool, Bool], fixed: repair.FixedDefects, out: tuple[Float, UInt8]
    ) -> None:
        """Turn counts above dark into I/F, in place, with repairs and flags."""
        values, flags = out
        active = self.layout.active
        lit, seen = values[:, active], flags[:, active]
        lit -= fixed.pattern.excess
        lit /= fixed.response
        if self.flat is not None:
            values /= self.flat
        values *= np.float32(1.0 / self.white_dn)
        if self.repairs.blocks:
            values[lost := detector.lost_blocks(dn, self.layout)] = np.nan
            flags[lost] |= np.uint8(Quality.BLOCK)
        repair.mend(lit, seen, bad, fixed)
        if self.repairs.blocks and (over := detector.wrapped(dn[:, active], self.levels)).any():
            lit[over] = np.nan
            seen[over] |= np.uint8(Quality.SATURATED)
        flags[repair.saturated(dn, self.clipped_dn)] |= np.uint8(Quality.SATURATED)

    def _error(self, error: Float, fixed: repair.FixedDefects, done: tuple[Float, UInt8]) -> Float:
        """Turn an uncertainty in counts into one of I/F, in place."""
        values, flags = done
        error[:, self.layout.active] /= fixed.response
        if self.flat is not None:
            error /= self.flat
        error *= np.float32(1.0 / self.white_dn)
        error[(flags & np.uint8(Quality.SATURATED)) > 0] = np.inf
        error[np.isnan(values)] = np.nan
        return error

    def _calm(self, lit: Float, detail: defects.Detail, bad: Bool, fixed: repair.FixedDefects) -> Float:
        """Take the noise out of a framelet, in place, and return its confidence."""
        unit = fixed.response * np.float32(self.white_dn)
        if self.flat is not None:
            unit = unit * self.flat[:, self.layout.active]
        dark = np.uint16(max(round(float(np.median(self.dark_dn))), 0))
        new = self.noise.new_by_dn[np.maximum(detail.level, dark) - dark]
        return denoise.calm(lit, detail.noise / unit, new / unit, np.where(bad, detail.scale, np.float32(0.0)) / unit)

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
        # Labels hold none but the four modes: their reader refuses others.
        return decompand(pixels, label.bit_mode)  # type: ignore[arg-type]
    counts = np.empty(pixels.shape, np.uint16)
    highest = np.iinfo(np.uint16).max
    for index, band in enumerate(label.bands):
        white = new_camera_white_dn(band, label.exposure_s, label.solar_distance_km)
        # Reflectance is counts times a factor, so that rounding to counts loses nothing but noise.
        counts[:, index] = np.minimum(np.rint(pixels[:, index] * (white / RDR_WHITE)), highest)
    return counts


def _above_dark(
    stack: FrameletStack, dn: UInt16, index: int, dark_dn: npt.NDArray[np.float64], seed: int | None
) -> Callable[[int], Float]:
    """Return what gives the expected counts of a frame of a band above its dark level."""
    mode, gain = stack.label.bit_mode, code_gain(stack.label.compression)
    dark = _expected(dark_dn, stack.label)

    def of_codes(frame: int) -> Float:
        codes = np.asarray(stack.dn[frame, index], np.uint8)
        above: Float = expand(codes, mode, None if seed is None else (seed, index, frame), gain)
        above -= dark[frame]
        return above

    def of_reflectance(frame: int) -> Float:
        above: Float = _expected(dn[frame, index], stack.label) - dark[frame]
        return above

    return of_codes if stack.label.pixel_scale == "codes" else of_reflectance


def _expected(table_dn: npt.ArrayLike, label: ImageLabel) -> Float:
    """Counts to be expected where the companding table says so many; also of their means, and of RDR made by it."""
    table = companding_table(label.bit_mode)
    moved = expected_dn(label.bit_mode, code_gain(label.compression)) - table
    dn = np.asarray(table_dn, np.float64)
    return np.asarray(dn + np.interp(dn, table, moved), np.float32)


def _levels_and_noise(label: ImageLabel) -> tuple[UInt16, Float]:
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

    def as_read(kind: str, plane: Float) -> Float:
        # A plane that was measured through TDI is smeared already.
        left = label.tdi_stages - calibration.stages.get((kind, band), 1) + 1
        return _as_read(plane, layout, (max(left, 1), label.sampling_factor))

    if band in calibration.bad_pixel:
        bad |= as_read("bad_pixel", calibration.bad_pixel[band].astype(np.float32)) > 0.0
    if band in calibration.dark and label.frames < defects.MIN_FRAMES:
        bad |= as_read("dark", (calibration.dark[band] > _DARK_HOT_DN).astype(np.float32)) > 0.0
    flat = as_read("flat", calibration.flat[band]) if band in calibration.flat else None
    return flat, bad[:, layout.active]


def _as_read(plane: Float, layout: FrameletLayout, summing: tuple[int, int]) -> Float:
    """Average a plane over so many TDI stages, and over the on-board sums.

    Charge that is read as line y was collected in lines y, y - 1, ... y - N + 1.
    """
    stages, factor = min(summing[0], len(plane)), summing[1]
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
    if dark.any():
        yield f"dark level {dark.min():.2f} to {dark.max():.2f} DN subtracted, from the dark columns"
    else:
        yield "no dark level subtracted"
    yield "codes taken for the mean of the counts that they stand for"
    if (gain := code_gain(label.compression)) != 1.0:
        yield f"codes divided by {gain}, by which lossy compression lets them come back too high"
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


def _band_note(quality: UInt8, missing: Bool, fixed: repair.FixedDefects, layout: FrameletLayout) -> str:
    """Say what was found in one band."""
    active = quality[:, :, layout.active]
    pixels = active.size

    def percent(flag: Quality) -> str:
        return f"{100.0 * np.count_nonzero(active & np.uint8(flag)) / pixels:.3f} %"

    note = (
        f"{np.count_nonzero(fixed.pattern.hot)} hot and {np.count_nonzero(fixed.unknown)} dull detector pixels, "
        f"{np.count_nonzero(fixed.response < 1.0)} under dust, "
        f"{np.count_nonzero(active & np.uint8(Quality.COSMIC))} pixels hit by radiation "
        f"({percent(Quality.COSMIC)}); {percent(Quality.SATURATED)} saturated"
    )
    if missing.any():
        frames = ", ".join(str(frame) for frame in np.flatnonzero(missing))
        note += f"; framelets without content: {frames}"
    if (active & np.uint8(Quality.BLOCK)).any():
        note += f"; {percent(Quality.BLOCK)} in lost compression blocks"
    return note
