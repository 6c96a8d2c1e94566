"""The same ground in two framelets of a band: what it tells of the camera's response, and the image levelled by it."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perijove.calibrate.gradient import USUAL_SLOPES, Gradient, Pairs, fit_gradient
from perijove.calibrate.stack import CalibratedStack
from perijove.geometry.pointing import Pointing

Floats = npt.NDArray[np.float64]
Planes = npt.NDArray[np.float32]

#: Lines of a framelet's upper end and columns that are asked, full resolution.
_LINES: Final = np.arange(4.0, 16.0, 3.0)
_SAMPLES: Final = np.arange(32.5, 1622.0, 8.0)
#: Pixels must be so far from the ends of a framelet, full resolution, and at least 2 as it was read.
_MARGIN: Final = 3.0
#: Values are means of so many samples and lines.
_BOX: Final = (9, 3)
#: Pixels count above this part of a high percentile, and below this part of what clips.
_LIT_PART: Final = 0.15
_UNCLIPPED_PART: Final = 0.9
#: A gradient that is not known to better than this is not corrected, natural logarithm from end to end.
_WANTED_ERROR: Final = 0.01


def overlap_pairs(values: Planes, bands: tuple[str, ...], pointing: Pointing) -> dict[str, Pairs]:
    """Find ground that consecutive framelets share.

    Parameters
    ----------
    values : ndarray, (frame, band, line, sample), float32
        I/F; NaN where nothing is known.
    bands : tuple of str
    pointing : Pointing

    Returns
    -------
    dict of str to Pairs
        By band; bands without shared ground are left out.
    """
    found = {}
    for index, band in enumerate(bands):
        pairs = _pairs(values[:, index], band, pointing)
        if len(pairs.edge):
            found[band] = pairs
    return found


def _pairs(values: Planes, band: str, pointing: Pointing) -> Pairs:
    """Pairs of one band."""
    import cv2

    frames, lines, samples = values.shape
    factor = pointing.cameras[band].sampling_factor
    columns = _SAMPLES[factor * samples - 12 > _SAMPLES]
    shape = (frames, len(_LINES), len(columns))
    frame = np.broadcast_to(np.arange(frames)[:, None, None], shape).ravel()
    y = np.broadcast_to((_LINES / factor)[:, None], shape).ravel()
    x = np.broadcast_to(columns / factor, shape).ravel()
    ground = pointing.ground(band, frame, x, y)
    margin = max(_MARGIN / factor, 2.0)
    smooth = np.stack([cv2.blur(np.ascontiguousarray(framelet), _BOX) for framelet in values]).astype(np.float32)
    parts = []
    for way in (-1, 1):
        other = frame + way
        there = (other >= 0) & (other < frames) & np.isfinite(ground).all(axis=-1)
        one, row, column, two = frame[there], y[there], x[there], other[there]
        px, py = pointing.pixels(band, two, ground[there])
        with np.errstate(invalid="ignore"):
            inside = (py > margin) & (py < lines - margin) & (px > 28 / factor) & (px < 1626 / factor)
        one, row, column, two, px, py = (part[inside] for part in (one, row, column, two, px, py))
        a, b = _sampled(smooth, one, column, row), _sampled(smooth, two, px, py)
        parts.append(np.stack([np.minimum(one, two), column * factor, row * factor, py * factor, a, b]))
    table = np.concatenate(parts, axis=1)
    table = table[:, np.isfinite(table).all(axis=0)]
    if table.shape[1]:
        lit = _LIT_PART * float(np.percentile(table[4], 95))
        table = table[:, (table[4:].min(axis=0) > max(lit, 1e-6))]
    edge, sample, line_a, line_b, value_a, value_b = np.ascontiguousarray(table)
    return Pairs(edge.astype(np.int64), sample, line_a, line_b, value_a, value_b)


def _sampled(planes: Planes, frame: npt.NDArray[Any], x: Floats, y: Floats) -> Floats:
    """Values at pixel coordinates, bilinear; NaN where one of the four is."""
    left, up = np.floor(x - 0.5).astype(np.intp), np.floor(y - 0.5).astype(np.intp)
    fx, fy = x - 0.5 - left, y - 0.5 - up
    above = planes[frame, up, left] * (1 - fx) + planes[frame, up, left + 1] * fx
    below = planes[frame, up + 1, left] * (1 - fx) + planes[frame, up + 1, left + 1] * fx
    return np.asarray(above * (1 - fy) + below * fy)


def gradients(calibrated: CalibratedStack, pointing: Pointing, bands: Collection[str]) -> dict[str, Gradient]:
    """Fit the gradients of some bands of one image.

    Parameters
    ----------
    calibrated : CalibratedStack
    pointing : Pointing
    bands : collection of str

    Returns
    -------
    dict of str to Gradient
        Of the bands in which something significant and well known was found.
    """
    found = {}
    for band, pairs in unclipped_pairs(calibrated, pointing, bands).items():
        gradient = fit_gradient(pairs, along=True, usual=USUAL_SLOPES.get(band, 0.0))
        if gradient.columns and 2.0 * gradient.error < _WANTED_ERROR:
            found[band] = gradient
    return found


def unclipped_pairs(calibrated: CalibratedStack, pointing: Pointing, bands: Collection[str]) -> Mapping[str, Pairs]:
    """Pairs of some bands of one image that are far from clipping."""
    chosen = tuple(band for band in calibrated.label.bands if band in bands)
    planes = calibrated.i_over_f[:, [calibrated.label.bands.index(band) for band in chosen]]
    kept = {}
    for band, pairs in overlap_pairs(planes, chosen, pointing).items():
        limit = _UNCLIPPED_PART * calibrated.saturation_i_over_f[band]
        good = np.maximum(pairs.value_a, pairs.value_b) < limit
        kept[band] = Pairs(**{name: column[good] for name, column in vars(pairs).items()})
    return kept


def levelled(calibrated: CalibratedStack, pointing: Pointing, bands: Collection[str]) -> CalibratedStack:
    """Divide an image by the gradients that its own overlaps show.

    Parameters
    ----------
    calibrated : CalibratedStack
    pointing : Pointing
    bands : collection of str
        Those to be levelled.

    Returns
    -------
    CalibratedStack
        The same one if nothing is to be done. Otherwise its notes say what was.
    """
    label = calibrated.label
    found = gradients(calibrated, pointing, bands)
    if not found:
        return calibrated
    values = calibrated.i_over_f.copy()
    sigma = None if calibrated.sigma is None else calibrated.sigma.copy()
    saturation = dict(calibrated.saturation_i_over_f)
    frames, _, lines, samples = values.shape
    for index, band in enumerate(label.bands):
        if band not in found:
            continue
        highest = 1.0
        for frame in range(frames):
            response = found[band].plane(lines, samples, label.sampling_factor, frame)
            values[frame, index] /= response
            if sigma is not None:
                sigma[frame, index] /= response
            highest = max(highest, float(response.max()))
        # From here on something is clipped: where the response is greatest.
        saturation[band] /= highest
    for array in (values, sigma):
        if array is not None:
            array.flags.writeable = False
    told = ", ".join(f"{band} {200 * g.mean:+.2f} % (+- {200 * g.error:.2f} %)" for band, g in found.items())
    note = (
        "change of the response along the lines, measured where framelets of this image see the same ground, divided "
        f"out; from the first line to the last {told}"
    )
    if any(gradient.frames for gradient in found.values()):
        note += ", and changing along the image"
    return replace(
        calibrated,
        i_over_f=values,
        sigma=sigma,
        saturation_i_over_f=MappingProxyType(saturation),
        notes=(*calibrated.notes, note),
    )
