"""Radiation hits of one framelet: bright, thin, and never seen again.

A hit stands above its neighbourhood and is sharper than the optics, across at least one direction: a pixel, or a track.
Clouds, limb and moons are blurred, and as wide as they are long. Where a track was recognised, what continues it
belongs to it down to the noise.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.calibrate.defects import Bool, Detail, FixedPattern, Float, Index

#: A hit stands out by this many sigma of its neighbourhood: of what is wide, of what is thin.
HIT_SIGMA: Final = 5.0
THIN_SIGMA: Final = 4.0
#: ... and thin ones by so many sigma of the noise alone.
_NOISE_SIGMA: Final = 4.2
#: What continues a hit stands out by this.
_TRAIL_SIGMA: Final = 2.5
#: Part of a source's height by which it exceeds both neighbours across it: thin; in all directions: a point. A point
#: source seen through the optics (Gaussian of 0.45 px) keeps at least 0.75, a line 0.6, clouds are blurred themselves.
_THIN: Final = 0.6
_POINT: Final = 0.6
#: A hole is deeper than all its neighbours by this part of its depth: less than a point, for noise fills holes.
_HOLE: Final = 0.4
#: What continues a track is at least this thin.
_TRAIL_THIN: Final = 0.35
#: Flanks have at least and at most these parts of a pixel's height, and stand out by so many sigma; what has more
#: of them than this was drawn by the optics.
_FLANK: Final = (0.12, 0.6)
_FLANK_SIGMA: Final = 4.0
_FLANKS: Final = 2
#: Links of a faint track stand out by this many sigma of their neighbourhood and of the noise; so many of them, with so
#: many sigma together, are a track.
_LINK_SIGMA: Final = 1.8
_LINK_NOISE_SIGMA: Final = 3.0
_LINKS: Final = 4
_CHAIN_SIGMA: Final = 5.0
#: ... unless the medians beside them swing by this part of their height.
_BRINK: Final = 1.2
#: A source is extended, no hit, if so many pixels of its 5 x 5 reach this part of its height; of a thin one, which may
#: be a track, more.
_EXTENDED_COUNT: Final = 9
_TRACK_COUNT: Final = 12
_EXTENDED_PART: Final = 0.4
#: ... or if the local medians beside it rise by this part of its height.
_EXTENDED_SWELL: Final = 0.15
_TRACK_SWELL: Final = 0.4
#: ... and by so many sigma: medians of twilight differ by one or two counts by chance.
_SWELL_SIGMA: Final = 2.0
#: Distance at which the level around a source is looked up, pixels: outside a moon of a dozen pixels.
_RING: Final = 6

_WINDOW: Final = tuple((i, j) for i in range(-2, 3) for j in range(-2, 3))
#: Steps to one of the two neighbours across a pixel.
_ACROSS: Final = ((0, 1), (1, 0), (1, 1), (1, -1))


def find_holes(detail: Detail, pattern: FixedPattern) -> Bool:
    """Lone pixels that are too dark.

    No light and no particle makes them, but lossy compression and flipped bits do. A scene seen through the optics has
    no hole of one pixel.

    Parameters
    ----------
    detail : Detail
    pattern : FixedPattern
        Of the same band; where it knows a defect, no hole is looked for.

    Returns
    -------
    ndarray, (line, sample), bool
    """
    depth = -detail.residual
    holes = np.zeros(depth.shape, np.bool_)
    deep = (depth > THIN_SIGMA * detail.scale) & (depth > _NOISE_SIGMA * detail.noise)
    lines, samples = np.nonzero(deep & ~pattern.hot & ~pattern.cold)
    if len(lines):
        single = _ridges(depth - detail.level, lines, samples).min(axis=0) > _HOLE * depth[lines, samples]
        holes[lines[single], samples[single]] = True
    return holes


def find_hits(detail: Detail, pattern: FixedPattern) -> Bool:
    """Radiation hits and other lone outliers of a framelet.

    Parameters
    ----------
    detail : Detail
    pattern : FixedPattern
        Of the same band; what it explains is no hit.

    Returns
    -------
    ndarray, (line, sample), bool
        Cores, and the pixels that continue them.
    """
    residual = detail.residual - pattern.excess
    seeds = np.zeros(residual.shape, np.uint8)
    trail = residual > _TRAIL_SIGMA * detail.scale
    lines, samples = np.nonzero(
        trail & (residual > _NOISE_SIGMA * detail.noise) & (residual > THIN_SIGMA * detail.scale)
    )
    if not len(lines):
        return _faint_tracks(detail, residual)
    around = _Around(detail, residual, lines, samples)
    extended = around.extended()
    # The tips of a crescent, and what is left of its light between its neighbours, belong to it.
    value = detail.level[lines, samples] + around.height
    beside = _highest_beside(np.where(extended & ~around.thin, value, np.float32(0.0)), detail, lines, samples)
    thin = around.thin & (beside < value)
    broad = (around.score > HIT_SIGMA) & (beside <= 0.0)
    hit = around.point | (~extended & (thin | broad))
    seeds[lines[hit], samples[hit]] = 1
    return _continued(detail, residual, seeds, trail) | _faint_tracks(detail, residual)


class _Around:
    """Candidates and their neighbourhoods."""

    def __init__(self, detail: Detail, residual: Float, lines: Index, samples: Index) -> None:
        self._detail, self._residual = detail, residual
        self._lines, self._samples = lines, samples
        self.height: Float = residual[lines, samples]
        self.score: Float = self.height / detail.scale[lines, samples]
        ridges = _ridges(detail.level + residual, lines, samples)
        narrow = ridges.max(axis=0) > _THIN * self.height
        self.thin: Bool = narrow & ~_blurred(detail, residual, lines, samples)
        self.point: Bool = ridges.min(axis=0) > _POINT * self.height

    def _value(self, source: npt.NDArray[np.float32 | np.uint16], i: int, j: int) -> Float:
        return _shifted(source, self._lines + i, self._samples + j)

    def extended(self) -> Bool:
        """Which belong to a source wider than a hit: a moon, a cloud, the limb."""
        level, residual = self._detail.level, self._residual
        # Means of opposite points follow a slope (terminator); the least of four looks past one side of a source.
        pairs = ((0, _RING), (_RING, 0), (_RING, _RING), (_RING, -_RING))
        far = np.min([0.5 * (self._value(level, i, j) + self._value(level, -i, -j)) for i, j in pairs], axis=0)
        height = self.height + self._value(level, 0, 0) - far
        count = np.zeros(len(self._lines), np.intp)
        highest, lowest = far.copy(), np.full(len(self._lines), np.inf, np.float32)
        for i, j in _WINDOW:
            beside = self._value(level, i, j)
            count += self._value(residual, i, j) + beside - far > _EXTENDED_PART * height
            highest, lowest = np.maximum(highest, beside), np.minimum(lowest, beside)
        # A hit leaves the local medians alone; beside a moon, even at its tips, they rise. A slope cancels out.
        swell = 0.5 * (highest + lowest) - far
        part = np.where(self.thin, np.float32(_TRACK_SWELL), np.float32(_EXTENDED_SWELL))
        needed = np.maximum(part * height, _SWELL_SIGMA * self._value(self._detail.scale, 0, 0))
        most = np.where(self.thin, _TRACK_COUNT, _EXTENDED_COUNT)
        extended: Bool = (count >= most) | (swell > needed)
        return extended


def _blurred(detail: Detail, residual: Float, lines: Index, samples: Index) -> Bool:
    """Which pixels have flanks of intermediate light, as the optics give to all that they draw; a hit has none."""
    corners = [_shifted(detail.level, lines + i, samples + j) for i in (-2, 2) for j in (-2, 2)]
    ground = np.minimum.reduce([*corners, detail.level[lines, samples].astype(np.float32)])
    height = residual[lines, samples] + detail.level[lines, samples] - ground
    least = np.maximum(_FLANK[0] * height, _FLANK_SIGMA * detail.scale[lines, samples])
    flanks = np.zeros(len(lines), np.intp)
    for i, j in _ACROSS:
        for sign in (1, -1):
            at = lines + sign * i, samples + sign * j
            beside = _shifted(detail.level, *at) + _shifted(residual, *at) - ground
            flanks += (beside > least) & (beside < _FLANK[1] * height)
    blurred: Bool = flanks > _FLANKS
    return blurred


def _highest_beside(values: Float, detail: Detail, lines: Index, samples: Index) -> Float:
    """Greatest of the values of candidates within two pixels of each."""
    import cv2

    marked = np.zeros(detail.level.shape, np.float32)
    marked[lines, samples] = values
    return np.asarray(cv2.dilate(marked, np.ones((5, 5), np.uint8))[lines, samples], np.float32)


def _shifted(source: npt.NDArray[np.float32 | np.uint16], lines: Index, samples: Index) -> Float:
    """Values at pixels, or at the nearest ones of the framelet."""
    at = np.clip(lines, 0, source.shape[0] - 1), np.clip(samples, 0, source.shape[1] - 1)
    return source[at].astype(np.float32)


def _ridges(values: Float, lines: Index, samples: Index) -> npt.NDArray[np.float32]:
    """By how much pixels exceed the higher of the two neighbours across them, in four directions, (direction, n)."""
    height = values[lines, samples]
    out = [
        height - np.maximum(_shifted(values, lines + i, samples + j), _shifted(values, lines - i, samples - j))
        for i, j in _ACROSS
    ]
    return np.stack(out)


def _continued(detail: Detail, residual: Float, seeds: npt.NDArray[np.uint8], trail: Bool) -> Bool:
    """Seeds, what touches them, and the thin trails that they are part of."""
    import cv2

    beside = cv2.dilate(seeds, np.ones((3, 3), np.uint8)).view(np.bool_) & trail
    lines, samples = np.nonzero(trail & (residual > _TRAIL_SIGMA * detail.noise))
    ridges = _ridges(detail.level + residual, lines, samples).max(axis=0)
    thin = (ridges > _TRAIL_THIN * residual[lines, samples]) & ~_blurred(detail, residual, lines, samples)
    paths = seeds.copy()
    paths[lines[thin], samples[thin]] = 1
    _, names = cv2.connectedComponents(paths, connectivity=8, ltype=cv2.CV_16U)
    kept = np.zeros(int(names.max()) + 1, np.bool_)
    kept[names[seeds.view(np.bool_)]] = True
    kept[0] = False
    whole: Bool = kept[names] | beside | seeds.view(np.bool_)
    return whole


def _faint_tracks(detail: Detail, residual: Float) -> Bool:
    """Chains of thin pixels none of which tells much, but all together do."""
    import cv2

    chains = np.zeros(residual.shape, np.uint8)
    candidates = (residual > _LINK_SIGMA * detail.scale) & (residual > _LINK_NOISE_SIGMA * detail.noise)
    lines, samples = np.nonzero(candidates)
    thin = _ridges(detail.level + residual, lines, samples).max(axis=0) > _THIN * residual[lines, samples]
    lines, samples = lines[thin], samples[thin]
    sharp = ~_blurred(detail, residual, lines, samples)
    lines, samples = lines[sharp], samples[sharp]
    chains[lines, samples] = 1
    _, names = cv2.connectedComponents(chains, connectivity=8, ltype=cv2.CV_16U)
    mine = names[lines, samples]
    length = np.bincount(mine, minlength=1)
    total = np.bincount(mine, residual[lines, samples] / detail.scale[lines, samples], minlength=1)
    told = (length >= _LINKS) & (total > _CHAIN_SIGMA * np.sqrt(np.maximum(length, 1)))
    told[0] = False
    if not told.any():
        return np.zeros(residual.shape, np.bool_)
    # A limb, or the brink of a cloud, is a chain of its own; there the medians swing more than the chain stands out.
    box = np.ones((5, 5), np.uint8)
    swing = (cv2.dilate(detail.level, box) - cv2.erode(detail.level, box))[lines, samples].astype(np.float32)
    brink = np.bincount(mine, swing, minlength=1) > _BRINK * np.bincount(mine, residual[lines, samples], minlength=1)
    tracks: Bool = (told & ~brink)[names]
    return tracks
