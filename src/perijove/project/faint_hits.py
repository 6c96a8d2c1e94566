"""Faint hits, told by what other framelets say of the same ground.

On detail of the scene a framelet alone cannot tell a hit of five sigma of the noise from a small cloud. The ground was
seen two to five times within two seconds, through other filters or at another line of the chip: a cloud shows each
time, if not as much, a hit once. What no other framelet confirms is filled.

That these are hits can be seen from their sign: of pixels that stand out by 5 sigma and are not confirmed, ten times as
many are bright as are dark, while among those that are confirmed there are about as many of both.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perijove.calibrate.decompand import code_step, companding_table
from perijove.calibrate.defects import fill, sigma_table, with_texture
from perijove.calibrate.denoise import dark_noise
from perijove.calibrate.quality import FrameletLayout, Quality
from perijove.calibrate.radiance import white_dn
from perijove.calibrate.stack import CalibratedStack
from perijove.constants import FRAMELET_LINES
from perijove.geometry.pointing import Pointing

Floats = npt.NDArray[np.float64]
Plane = npt.NDArray[np.float32]
Index = npt.NDArray[np.intp]
Bool = npt.NDArray[np.bool_]

_THREADS: Final = 4
#: A hit stands out by so many sigma of the noise and of the texture, a link of one by so many.
_NOISE_SIGMA: Final = 5.0
_TEXTURE_SIGMA: Final = 3.0
_LINK_NOISE_SIGMA: Final = 3.5
_LINK_TEXTURE_SIGMA: Final = 1.3
#: ... and exceeds both neighbours in one direction by this part of what it stands out.
_RIDGE: Final = 0.3
#: Others confirm it if one of the four pixels around the place has this part of the contrast or, for bands differ in
#: contrast, stands out by so many sigma of its noise and texture. So many must be able to.
_CONFIRMED: Final = 0.33
_CONFIRMED_SIGMA: Final = 3.0
_WITNESSES: Final = 2
#: So many links in a chain are a track without a hit among them.
_CHAIN: Final = 4
#: Clear ones stand out by this part of the light, and by so many sigma of the noise and of the texture; only contrast,
#: and more of it, confirms them. Beside limb and terminator, where what one framelet sees a pixel elsewhere than
#: another has contrast of its own, no others are asked for.
_CLEAR_CONTRAST: Final = 0.3
_CLEAR_NOISE_SIGMA: Final = 10.0
_CLEAR_TEXTURE_SIGMA: Final = 5.0
_CLEAR_CONFIRMED: Final = 0.5
#: Ground is compared that has so many counts of light and is this far from clipping. It is no brink if its surroundings
#: of 9 x 9 pixels have no less than this part of the light of their brightest.
_LIT_DN: Final = 25.0
_BOX: Final = 9
_EVEN: Final = 0.5
_UNCLIPPED: Final = 0.9
#: Distance from the ends of a framelet that is asked, pixels.
_MARGIN: Final = 2
#: Points by which the way of the ground from frame to frame is told.
_PROBES: Final = 64
#: Parts of a count in which medians are taken, and the greatest number of them.
_FINE: Final = np.float32(16.0)
_MOST: Final = 65535
_ACROSS: Final = ((0, 1), (1, 0), (1, 1), (1, -1))
_OWN: Final = np.uint8(Quality.HOT | Quality.COSMIC | Quality.BLOCK | Quality.MISSING | Quality.SATURATED)


@dataclass(frozen=True)
class _Candidates:
    """Pixels of a band that may be hits.

    Attributes
    ----------
    frame, line, sample : ndarray, (n,)
    contrast : ndarray, (n,)
        What they exceed the median around them by, as a part of it.
    strong, clear : ndarray, (n,)
        Those that need no others to be a hit, and those that no noise or cloud is.
    sigma : ndarray, (n,)
        Noise and texture, I/F.
    """

    frame: Index
    line: Index
    sample: Index
    contrast: Plane
    strong: Bool
    clear: Bool
    sigma: Plane


def without_faint_hits(calibrated: CalibratedStack, pointing: Pointing) -> CalibratedStack:
    """Fill faint hits that no other framelet confirms.

    Parameters
    ----------
    calibrated : CalibratedStack
    pointing : Pointing

    Returns
    -------
    CalibratedStack
        The same one if nothing is found, if there is but one band, or if noise was taken out, and hits blurred with it.
        Otherwise its notes say how much.
    """
    label = calibrated.label
    if calibrated.confidence is not None or len(label.bands) < 2:
        return calibrated
    contrast = np.full((2, *calibrated.i_over_f.shape), np.nan, np.float32)
    frames = range(len(calibrated.i_over_f))
    found: dict[int, tuple[_Candidates, Bool]] = {}
    with ThreadPoolExecutor(_THREADS) as pool:
        candidates = []
        for index in range(len(label.bands)):
            look = _Look.of(calibrated, index)
            parts = list(pool.map(lambda f, look=look, i=index: look.framelet(f, contrast[:, f, i]), frames))
            candidates.append(_Candidates(*(np.concatenate(column) for column in zip(*parts, strict=True))))

        def judge(index: int) -> Bool:
            alone = ~_confirmed(contrast, candidates[index], (index, label.bands), pointing)
            return _connected(candidates[index], alone, contrast.shape[3:])

        for index, hit in enumerate(pool.map(judge, range(len(label.bands)))):
            if hit.any():
                found[index] = candidates[index], hit
    return _filled(calibrated, found) if found else calibrated


@dataclass(frozen=True)
class _Look:
    """How the framelets of a band are looked at.

    Attributes
    ----------
    values : ndarray, (frame, line, sample), float32
        I/F.
    quality : ndarray, (frame, line, sample), uint8
    noise_by_dn : ndarray, (counts,), float32
    white_dn : float
        Counts of I/F = 1.
    clipped : float
        I/F from which a pixel is clipped.
    active : slice
        Photoactive columns.
    """

    values: Plane
    quality: npt.NDArray[np.uint8]
    noise_by_dn: Plane
    white_dn: float
    clipped: float
    active: slice

    @classmethod
    def of(cls, calibrated: CalibratedStack, index: int) -> "_Look":
        """Look at a band of an image."""
        label, values = calibrated.label, calibrated.i_over_f[:, index]
        band = label.bands[index]
        white = white_dn(band, label.exposure_s, label.solar_distance_km, label.orbit)
        layout = FrameletLayout.of(values.shape[1], values.shape[2], label.sampling_factor)
        new = sigma_table(companding_table(label.bit_mode), code_step(label.bit_mode))
        dark = np.concatenate([values[..., part] for part in layout.dark], axis=-1) * np.float32(white)
        dark = dark[np.isfinite(dark).all(axis=(1, 2))]
        read = dark_noise(dark, (slice(None),)) if dark.size else 0.0
        noise = np.sqrt(np.square(new) + np.float32(max(read**2 - float(new[0]) ** 2, 0.0)))
        clipped = calibrated.saturation_i_over_f[band]
        return cls(values, calibrated.quality[:, index], noise, white, clipped, layout.active)

    def framelet(self, frame: int, contrast: Plane) -> tuple[Any, ...]:
        """Candidates of a framelet; its contrast is written where ground can be compared: as a part, in sigma."""
        import cv2

        values = self.values[frame, :, self.active] * np.float32(self.white_dn)
        np.nan_to_num(values, copy=False)
        # Medians of integers are faster; a sixteenth of a count is fine enough.
        dn = np.multiply(
            cv2.medianBlur(np.clip(values * _FINE, 0, _MOST).astype(np.uint16), 5), 1.0 / _FINE, dtype="f4"
        )
        box = np.ones((_BOX, _BOX), np.uint8)
        highest = cv2.dilate(dn, box)
        lit = (dn > _LIT_DN) & (highest < _UNCLIPPED * self.clipped * self.white_dn)
        if not lit.any():
            nothing = np.zeros(0, np.float32)
            return *np.zeros((3, 0), np.intp), nothing, *np.zeros((2, 0), np.bool_), nothing
        even = cv2.erode(dn, box) > _EVEN * highest
        out = values - dn
        noise = np.take(self.noise_by_dn, np.clip(dn, 0, len(self.noise_by_dn) - 1).astype(np.intp))
        scale = with_texture(noise, np.abs(out), dn)
        part = np.where(lit, out / np.maximum(dn, np.float32(1.0)), np.float32(np.nan))
        contrast[0, :, self.active] = part
        contrast[1, :, self.active] = np.where(lit, out / scale, np.float32(np.nan))
        lit &= (self.quality[frame, :, self.active] & _OWN) == 0
        lit[:_MARGIN], lit[-_MARGIN:], lit[:, :_MARGIN], lit[:, -_MARGIN:] = False, False, False, False
        may = lit & (out > _LINK_NOISE_SIGMA * noise) & (out > _LINK_TEXTURE_SIGMA * scale)
        clear = (out > _CLEAR_NOISE_SIGMA * noise) & (out > _CLEAR_TEXTURE_SIGMA * scale) & (out > _CLEAR_CONTRAST * dn)
        line, sample = np.divmod(np.flatnonzero(may & (even | clear)), out.shape[1])
        at = _thin(out, (line, sample))
        strong = (out[at] > _NOISE_SIGMA * noise[at]) & (out[at] > _TEXTURE_SIGMA * scale[at])
        sigma = scale[at] / np.float32(self.white_dn)
        places = np.full(len(at[0]), frame, np.intp), at[0], at[1] + self.active.start
        return *places, part[at], strong, clear[at], sigma


def _thin(out: Plane, at: tuple[Index, ...]) -> tuple[Index, Index]:
    """Of places those that exceed both neighbours in one direction."""
    line, sample = at
    height = out[line, sample]
    beside = [np.maximum(out[line + i, sample + j], out[line - i, sample - j]) for i, j in _ACROSS]
    thin = height - np.min(beside, axis=0) > _RIDGE * height
    return line[thin], sample[thin]


def _confirmed(contrast: Plane, candidates: _Candidates, band: tuple[int, tuple[str, ...]], pointing: Pointing) -> Bool:
    """Which candidates another framelet shows, or none can tell of."""
    own, bands = band
    confirmed = np.zeros(len(candidates.frame), np.bool_)
    witnesses = np.zeros(len(confirmed), np.intp)
    if not len(confirmed):
        return confirmed
    ground = pointing.ground(bands[own], candidates.frame, candidates.sample + 0.5, candidates.line + 0.5)
    for index, name in enumerate(bands):
        for which, frame in _frames(name, candidates.frame, ground, pointing):
            if index == own:
                other = frame != candidates.frame[which]
                which, frame = which[other], frame[other]
            part, sigma = _greatest(contrast[:, :, index], frame, pointing.pixels(name, frame, ground[which]))
            witnesses[which] += np.isfinite(part)
            clear = candidates.clear[which]
            needed = np.where(clear, np.float32(_CLEAR_CONFIRMED), np.float32(_CONFIRMED))
            shown = part > needed * candidates.contrast[which]
            confirmed[which] |= shown | ((sigma > _CONFIRMED_SIGMA) & ~clear)
    confirmed |= witnesses < _WITNESSES
    return confirmed


def _frames(name: str, frame: Index, ground: Floats, pointing: Pointing) -> list[tuple[Index, Index]]:
    """Which points of the ground the frames of a band see, and in which frame: the middle one, and its neighbours."""
    frames, lines = len(pointing.position_fixed_km), _lines(name, pointing)
    known = np.flatnonzero(np.isfinite(ground).all(axis=-1))
    if not len(known):
        return []
    _, y = pointing.pixels(name, frame[known], ground[known])
    some = known[:: max(len(known) // _PROBES, 1)]
    after = np.minimum(frame[some] + 1, frames - 1)
    moved = pointing.pixels(name, after, ground[some])[1] - pointing.pixels(name, frame[some], ground[some])[1]
    step = float(np.nanmedian(moved[after > frame[some]])) if (after > frame[some]).any() else 0.0
    if not abs(step) > 1.0:
        return []
    nearest = np.rint((0.5 * lines - np.nan_to_num(y)) / step).astype(np.intp)
    seen = []
    for way in (-1, 0, 1):
        at = frame[known] + nearest + way
        row = y + (nearest + way) * step
        # Rows are followed along a straight line: a little more than the framelet is asked.
        use = (at >= 0) & (at < frames) & (np.abs(row - 0.5 * lines) < 0.5 * lines + 4.0)
        if use.any():
            seen.append((known[use], at[use]))
    return seen


def _lines(name: str, pointing: Pointing) -> int:
    """Lines of a framelet as it was read."""
    return FRAMELET_LINES // pointing.cameras[name].sampling_factor


def _greatest(planes: Plane, frame: Index, at: tuple[Floats, Floats]) -> Plane:
    """Greatest contrast of the four pixels around places; NaN where that is not known."""
    lines, samples = planes.shape[2:]
    x, y = (np.nan_to_num(part - 0.5, nan=-1.0) for part in at)
    inside = (x > _MARGIN) & (x < samples - _MARGIN) & (y > _MARGIN) & (y < lines - _MARGIN)
    column, row = np.where(inside, x, _MARGIN).astype(np.intp), np.where(inside, y, _MARGIN).astype(np.intp)
    window = np.stack([planes[:, frame, row + i, column + j] for i in (0, 1) for j in (0, 1)])
    greatest: Plane = window.max(axis=0)
    greatest[:, ~inside] = np.nan
    return greatest


def _connected(candidates: _Candidates, alone: Bool, shape: tuple[int, ...]) -> Bool:
    """Unconfirmed candidates that are strong, are connected to such, or are a chain."""
    import cv2

    hit = np.zeros(len(alone), np.bool_)
    for frame in np.unique(candidates.frame[alone]):
        mine = np.flatnonzero(alone & (candidates.frame == frame))
        plane = np.zeros(shape, np.uint8)
        plane[candidates.line[mine], candidates.sample[mine]] = 1
        _, names = cv2.connectedComponents(plane, connectivity=8, ltype=cv2.CV_16U)
        name = names[candidates.line[mine], candidates.sample[mine]]
        strong = np.bincount(name, candidates.strong[mine]) > 0
        hit[mine] = (strong | (np.bincount(name) >= _CHAIN))[name]
    return hit


def _filled(calibrated: CalibratedStack, found: dict[int, tuple[_Candidates, Bool]]) -> CalibratedStack:
    """Fill and flag hits."""
    values, quality = calibrated.i_over_f.copy(), calibrated.quality.copy()
    sigma = None if calibrated.sigma is None else calibrated.sigma.copy()
    for index, (candidates, hit) in found.items():
        frame, line, sample = candidates.frame[hit], candidates.line[hit], candidates.sample[hit]
        quality[frame, index, line, sample] |= np.uint8(Quality.COSMIC | Quality.REPAIRED)
        for one in np.unique(frame):
            bad = np.zeros(values.shape[2:], np.bool_)
            bad[line[frame == one], sample[frame == one]] = True
            lines, samples, filled = fill(values[one, index], bad)
            values[one, index, lines, samples] = filled
        if sigma is not None:
            sigma[frame, index, line, sample] = candidates.sigma[hit]
    for array in (values, quality, sigma):
        if array is not None:
            array.flags.writeable = False
    told = ", ".join(f"{calibrated.label.bands[index]} {np.count_nonzero(hit)}" for index, (_, hit) in found.items())
    note = f"faint hits that neither other bands nor neighbouring framelets confirm, filled: {told} pixels"
    return replace(calibrated, i_over_f=values, quality=quality, sigma=sigma, notes=(*calibrated.notes, note))
