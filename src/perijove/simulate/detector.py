"""From I/F to on-board codes: optics, TDI, charge, noise, radiation, companding, lost data."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.archive.label import ImageLabel
from perijove.calibrate.decompand import code_gain, code_range
from perijove.calibrate.radiance import white_dn
from perijove.constants import ACTIVE_SAMPLES, BANDS, FOCAL_LENGTH_PX, FRAMELET_LINES, FRAMELET_SAMPLES, TDI_STEP_S
from perijove.simulate.defects import bloom, cosmic_hits, flat_field, hot_pattern, lost_blocks
from perijove.simulate.era import Era

Light = npt.NDArray[np.float32]
Codes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

#: Electrons per count and read noise, electrons (CAL: calibration report MSSS-JUNOCAM-DOC-0102, 2010).
GAIN_E_PER_DN: Final = 16.3
READ_NOISE_E: Final = 16.6
#: Counts at which real bands clip (histograms of an over-exposed image of perijove 43).
FULL_WELL_DN: Final = 2400.0
#: Blur of the optics, Gaussian, pixels (from the MTF in CAL: 0.47 at Nyquist).
PSF_SIGMA_PX: Final = 0.45
#: Largest count of the 12-bit converter.
_MAX_DN: Final = 4095
_THREADS: Final = 2


@dataclass(frozen=True)
class Exposure:
    """An image as the camera sends it, and what was done to it.

    Attributes
    ----------
    codes : ndarray, (frame, band, line, sample), uint8
    hot : ndarray, (band, line, sample), bool
        Pixels over which TDI smeared a hot one; the same in all frames.
    cosmic, lost : ndarray, (frame, band, line, sample), bool
        Radiation hits; lost blocks and framelets.
    flat : ndarray, (band, line, sample), float32
        Relative response.
    """

    codes: Codes
    hot: Mask
    cosmic: Mask
    lost: Mask
    flat: Light

    def __post_init__(self) -> None:
        for array in (self.codes, self.hot, self.cosmic, self.lost, self.flat):
            array.flags.writeable = False


def expose(i_over_f: Light, label: ImageLabel, spin_rad_s: float, era: Era, seed: int = 0) -> Exposure:
    """Expose, read out and compand an image.

    Parameters
    ----------
    i_over_f : ndarray, (frame, band, line, sample), float32
        The scene at mid-exposure.
    label : ImageLabel
        Exposure, stages, solar distance, orbit and bit mode.
    spin_rad_s : float
        Spin rate: what TDI fails to follow smears.
    era : Era
    seed : int
        Fixed defects follow from it and the era; everything else from it and the image as well.

    Returns
    -------
    Exposure
    """
    frames, bands, lines, samples = i_over_f.shape
    fixed = [_fixed(band, (lines, samples), label, era, seed) for band in label.bands]
    codes = np.empty(i_over_f.shape, np.uint8)
    cosmic, lost = np.zeros(i_over_f.shape, np.bool_), np.zeros(i_over_f.shape, np.bool_)
    rows, columns = smear_kernels(label.tdi_stages, spin_rad_s, label.sampling_factor)
    table = _codes_of_counts(label.bit_mode, code_gain(label.compression))
    product = label.product_id

    def job(frame: int, index: int) -> None:
        import cv2

        rng = np.random.default_rng([seed, product.orbit, product.number, frame, index])
        signal = cv2.sepFilter2D(i_over_f[frame, index], cv2.CV_32F, columns, rows, borderType=cv2.BORDER_REPLICATE)
        counts, hits = _read_out(np.asarray(signal, np.float32), fixed[index], era, rng)
        cosmic[frame, index] = hits
        code = table[counts]
        lost[frame, index] = lost_blocks(code, era, rng)
        codes[frame, index] = code

    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(lambda pair: job(*pair), np.ndindex(frames, bands)))
    return Exposure(codes, np.stack([f.hot > 0 for f in fixed]), cosmic, lost, np.stack([f.flat for f in fixed]))


@dataclass(frozen=True)
class _Fixed:
    """What is the same in all framelets of a band: counts of I/F = 1, flat, hot pixels and offsets, DN; summing."""

    white_dn: float
    flat: Light
    hot: Light
    offsets: Light
    sampling_factor: int


def _fixed(band: str, shape: tuple[int, int], label: ImageLabel, era: Era, seed: int) -> _Fixed:
    white = white_dn(band, label.exposure_s, label.solar_distance_km, label.orbit)
    rng = np.random.default_rng([seed, BANDS.index(band), *era.name.encode()])
    chip, factor = (FRAMELET_LINES, FRAMELET_SAMPLES), label.sampling_factor
    flat = flat_field(chip, era, rng)
    hot = hot_pattern(chip, era, label.tdi_stages, rng)
    hot[:, : ACTIVE_SAMPLES[0]] = 0.0
    hot[:, ACTIVE_SAMPLES[1] :] = 0.0
    offsets = np.tile(era.striping_dn * rng.standard_normal(chip[1]), (factor, 1)).astype(np.float32)
    flat, hot, offsets = (_summed(plane, factor)[..., : shape[1]] for plane in (flat, hot, offsets))
    return _Fixed(white, flat, hot, offsets[0], factor)


def _summed(plane: Light, factor: int) -> Light:
    """Mean of each square of pixels: what summing on board leaves of a plane of the chip."""
    if factor == 1:
        return plane
    lines, samples = plane.shape
    return np.asarray(plane.reshape(lines // factor, factor, samples // factor, factor).mean(axis=(1, 3)), np.float32)


def smear_kernels(stages: int, spin_rad_s: float, sampling_factor: int = 1) -> tuple[Light, Light]:
    """Weights along the rows and along the columns of optics and TDI.

    Parameters
    ----------
    stages : int
    spin_rad_s : float
    sampling_factor : int

    Returns
    -------
    rows, columns : ndarray, (n,), float32
        To be correlated with the framelet along lines and along samples; each sums to 1.

    Notes
    -----
    From mid-exposure to stage k the charge moves ``m = k - (N - 1) / 2`` rows, the scene ``m f spin step``: the charge
    that is read as row y sees what the camera of mid-exposure sees in row ``y - m (1 - f spin step)``.
    """
    drift = (
        -(1.0 - FOCAL_LENGTH_PX * spin_rad_s * TDI_STEP_S) * (np.arange(stages) - (stages - 1) / 2) / sampling_factor
    )
    sigma = PSF_SIGMA_PX / sampling_factor
    reach = int(np.ceil(4 * sigma + np.abs(drift).max())) + 1
    at = np.arange(-reach, reach + 1.0)
    # Sampled, not integrated over pixels: the scene's samples have done that. Together: 0.45 at the Nyquist frequency.
    columns = np.exp(-0.5 * (at / sigma) ** 2)
    columns /= columns.sum()
    shifts = np.mean([np.maximum(1.0 - np.abs(at - shift), 0.0) for shift in drift], axis=0)
    rows = np.convolve(shifts, columns, mode="same")
    return (rows / rows.sum()).astype(np.float32), columns.astype(np.float32)


def _read_out(signal: Light, fixed: _Fixed, era: Era, rng: np.random.Generator) -> tuple[npt.NDArray[np.uint16], Mask]:
    """Counts of one framelet and where radiation hit it."""
    factor = np.float32(fixed.white_dn)
    signal = signal * (factor * fixed.flat)
    summed = fixed.sampling_factor
    hits = _summed(cosmic_hits((summed * signal.shape[0], summed * signal.shape[1]), era, rng), summed)
    cosmic = hits > 0
    signal += fixed.hot
    signal += hits
    if era.blooming:
        bloom(signal, FULL_WELL_DN)
    np.minimum(signal, np.float32(FULL_WELL_DN), out=signal)
    left, right = _active(signal.shape[1])
    signal[:, :left] = 0.0
    signal[:, right:] = 0.0
    read = READ_NOISE_E / GAIN_E_PER_DN * era.noise
    # Independent errors of the pixels that are summed.
    spread = np.sqrt(np.float32(read**2) + signal * np.float32(1.0 / GAIN_E_PER_DN)) / np.float32(summed)
    signal += spread * rng.standard_normal(signal.shape, dtype=np.float32)
    wander = rng.standard_normal(signal.shape[1], dtype=np.float32) * np.float32(0.1 * era.striping_dn)
    signal += np.float32(era.dark_dn) + fixed.offsets + wander
    counts = np.clip(np.rint(signal), 0, _MAX_DN).astype(np.uint16)
    cosmic[:, :left] = False
    cosmic[:, right:] = False
    return counts, cosmic


def _active(samples: int) -> tuple[int, int]:
    factor = round(1648 / samples)
    return -(-ACTIVE_SAMPLES[0] // factor), ACTIVE_SAMPLES[1] // factor


def _codes_of_counts(bit_mode: str, gain: float = 1.0) -> Codes:
    """Code of every count: that in whose range it lies, raised by what lossy compression makes of codes.

    Errors of the transform itself, which blur codes by half a code, and the noise that it takes away are not simulated.
    """
    upper = code_range(bit_mode, gain)[:-1, 1]
    return np.searchsorted(upper, np.arange(_MAX_DN + 1)).astype(np.uint8)


def compand(counts: npt.NDArray[np.uint16], bit_mode: str, compression: str = "") -> Codes:
    """On-board codes of counts up to 4095, as they come back from compression.

    Examples
    --------
    >>> compand(np.array([0, 23, 24, 25, 62, 4095], np.uint16), "SQROOT").tolist()
    [0, 23, 24, 24, 43, 255]
    """
    return _codes_of_counts(bit_mode, code_gain(compression))[counts]
