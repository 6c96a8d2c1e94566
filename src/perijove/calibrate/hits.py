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
#: Rim around a framelet, pixels: further than anything is looked up.
_PAD: Final = 8
#: Distance at which the level around a source is looked up, pixels: outside a moon of a dozen pixels.
_RING: Final = 6

_WINDOW: Final = tuple((i, j) for i in range(-2, 3) for j in range(-2, 3))
#: Steps to one of the two neighbours across a pixel.
_ACROSS: Final = ((0, 1), (1, 0), (1, 1), (1, -1))


class _Padded:
    """Pixels of a framelet that can be asked for beside its edges, too, where they are those of the edge."""

    def __init__(self, source: npt.NDArray[np.float32 | np.uint16]) -> None:
        import cv2

        plane = np.ascontiguousarray(source, np.float32)
        padded = np.asarray(cv2.copyMakeBorder(plane, _PAD, _PAD, _PAD, _PAD, cv2.BORDER_REPLICATE), np.float32)
        self._flat = padded.reshape(-1)
        self._width = padded.shape[1]

    def places(self, mask: Bool) -> Index:
        """Where pixels are marked."""
        lines, samples = np.divmod(np.flatnonzero(mask), mask.shape[1])
        return np.asarray((lines + _PAD) * self._width + samples + _PAD)

    def at(self, places: Index, i: int = 0, j: int = 0) -> Float:
        """Values so many lines and samples from places."""
        return np.asarray(self._flat.take(places + (i * self._width + j)))

    def ridges(self, places: Index) -> npt.NDArray[np.float32]:
        """By how much pixels exceed the higher of two neighbours across them, in four directions, (direction, n)."""
        height = self.at(places)
        return np.stack([height - np.maximum(self.at(places, i, j), self.at(places, -i, -j)) for i, j in _ACROSS])


def _marked(shape: tuple[int, ...], places: Index) -> npt.NDArray[np.uint8]:
    """Plane with 1 at places of its padded one."""
    width = shape[1] + 2 * _PAD
    lines, samples = np.divmod(places, width)
    out = np.zeros(shape, np.uint8)
    out[lines - _PAD, samples - _PAD] = 1
    return out


class _Framelet:
    """A framelet as it is looked at: its local medians, what stands out of them, and the two together."""

    def __init__(self, detail: Detail, residual: Float) -> None:
        self.residual = residual
        self.detail = detail
        self.level, self.out, self.scale = _Padded(detail.level), _Padded(residual), _Padded(detail.scale)
        self.total = _Padded(detail.level + residual)


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
    seen = deep & ~pattern.hot & ~pattern.cold
    if seen.any():
        upside_down = _Padded(depth - detail.level)
        places = upside_down.places(seen)
        single = upside_down.ridges(places).min(axis=0) > _HOLE * depth[seen]
        holes = _marked(depth.shape, places[single]).view(np.bool_)
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
    framelet = _Framelet(detail, residual)
    trail = residual > _TRAIL_SIGMA * detail.scale
    seen = trail & (residual > _NOISE_SIGMA * detail.noise) & (residual > THIN_SIGMA * detail.scale)
    places = framelet.out.places(seen)
    if not len(places):
        return _faint_tracks(framelet)
    around = _Around(framelet, places)
    extended = around.extended()
    # The tips of a crescent, and what is left of its light between its neighbours, belong to it.
    value = framelet.total.at(places)
    beside = _highest_beside(residual.shape, places, np.where(extended & ~around.thin, value, np.float32(0.0)))
    thin = around.thin & (beside < value)
    broad = (around.score > HIT_SIGMA) & (beside <= 0.0)
    hit = around.point | (~extended & (thin | broad))
    return _continued(framelet, _marked(residual.shape, places[hit]), trail) | _faint_tracks(framelet)


class _Around:
    """Candidates and their neighbourhoods."""

    def __init__(self, framelet: _Framelet, places: Index) -> None:
        self._framelet, self._places = framelet, places
        self.height: Float = framelet.out.at(places)
        self.score: Float = self.height / framelet.scale.at(places)
        ridges = framelet.total.ridges(places)
        narrow = ridges.max(axis=0) > _THIN * self.height
        self.thin: Bool = narrow & ~_blurred(framelet, places)
        self.point: Bool = ridges.min(axis=0) > _POINT * self.height

    def extended(self) -> Bool:
        """Which belong to a source wider than a hit: a moon, a cloud, the limb."""
        level, total, places = self._framelet.level, self._framelet.total, self._places
        # Means of opposite points follow a slope (terminator); the least of four looks past one side of a source.
        pairs = ((0, _RING), (_RING, 0), (_RING, _RING), (_RING, -_RING))
        far = np.min([0.5 * (level.at(places, i, j) + level.at(places, -i, -j)) for i, j in pairs], axis=0)
        height = self.height + level.at(places) - far
        count = np.zeros(len(places), np.intp)
        highest, lowest = far.copy(), np.full(len(places), np.inf, np.float32)
        for i, j in _WINDOW:
            beside = level.at(places, i, j)
            count += total.at(places, i, j) - far > _EXTENDED_PART * height
            highest, lowest = np.maximum(highest, beside), np.minimum(lowest, beside)
        # A hit leaves the local medians alone; beside a moon, even at its tips, they rise. A slope cancels out.
        swell = 0.5 * (highest + lowest) - far
        part = np.where(self.thin, np.float32(_TRACK_SWELL), np.float32(_EXTENDED_SWELL))
        needed = np.maximum(part * height, _SWELL_SIGMA * self._framelet.scale.at(places))
        most = np.where(self.thin, _TRACK_COUNT, _EXTENDED_COUNT)
        extended: Bool = (count >= most) | (swell > needed)
        return extended


def _blurred(framelet: _Framelet, places: Index) -> Bool:
    """Which pixels have flanks of intermediate light, as the optics give to all that they draw; a hit has none."""
    corners = [framelet.level.at(places, i, j) for i in (-2, 2) for j in (-2, 2)]
    ground = np.minimum.reduce([*corners, framelet.level.at(places)])
    height = framelet.total.at(places) - ground
    least = np.maximum(_FLANK[0] * height, _FLANK_SIGMA * framelet.scale.at(places))
    flanks = np.zeros(len(places), np.intp)
    for i, j in _ACROSS:
        for sign in (1, -1):
            beside = framelet.total.at(places, sign * i, sign * j) - ground
            flanks += (beside > least) & (beside < _FLANK[1] * height)
    blurred: Bool = flanks > _FLANKS
    return blurred


def _highest_beside(shape: tuple[int, ...], places: Index, values: Float) -> Float:
    """Greatest of the values of candidates within two pixels of each."""
    import cv2

    marked = np.zeros((shape[0] + 2 * _PAD, shape[1] + 2 * _PAD), np.float32)
    marked.reshape(-1)[places] = values
    return np.asarray(cv2.dilate(marked, np.ones((5, 5), np.uint8)).reshape(-1).take(places), np.float32)


def _continued(framelet: _Framelet, seeds: npt.NDArray[np.uint8], trail: Bool) -> Bool:
    """Seeds, what touches them, and the thin trails that they are part of."""
    import cv2

    residual = framelet.residual
    beside = cv2.dilate(seeds, np.ones((3, 3), np.uint8)).view(np.bool_) & trail
    places = framelet.out.places(trail & (residual > _TRAIL_SIGMA * framelet.detail.noise))
    ridges = framelet.total.ridges(places).max(axis=0)
    thin = (ridges > _TRAIL_THIN * framelet.out.at(places)) & ~_blurred(framelet, places)
    paths = seeds | _marked(residual.shape, places[thin])
    _, names = cv2.connectedComponents(paths, connectivity=8, ltype=cv2.CV_16U)
    kept = np.zeros(int(names.max()) + 1, np.bool_)
    kept[names[seeds.view(np.bool_)]] = True
    kept[0] = False
    whole: Bool = kept[names] | beside | seeds.view(np.bool_)
    return whole


def _faint_tracks(framelet: _Framelet) -> Bool:
    """Chains of thin pixels none of which tells much, but all together do."""
    import cv2

    residual, detail = framelet.residual, framelet.detail
    candidates = (residual > _LINK_SIGMA * detail.scale) & (residual > _LINK_NOISE_SIGMA * detail.noise)
    places = framelet.out.places(candidates)
    places = places[framelet.total.ridges(places).max(axis=0) > _THIN * framelet.out.at(places)]
    places = places[~_blurred(framelet, places)]
    chains = _marked(residual.shape, places)
    _, names = cv2.connectedComponents(chains, connectivity=8, ltype=cv2.CV_16U)
    mine = names[chains.view(np.bool_)]
    length = np.bincount(mine, minlength=1)
    total = np.bincount(mine, framelet.out.at(places) / framelet.scale.at(places), minlength=1)
    told = (length >= _LINKS) & (total > _CHAIN_SIGMA * np.sqrt(np.maximum(length, 1)))
    told[0] = False
    if not told.any():
        return np.zeros(residual.shape, np.bool_)
    # A limb, or the brink of a cloud, is a chain of its own; there the medians swing more than the chain stands out.
    box = np.ones((5, 5), np.uint8)
    swing = (cv2.dilate(detail.level, box) - cv2.erode(detail.level, box))[chains.view(np.bool_)].astype(np.float32)
    brink = np.bincount(mine, swing, minlength=1) > _BRINK * np.bincount(mine, framelet.out.at(places), minlength=1)
    tracks: Bool = (told & ~brink)[names]
    return tracks
