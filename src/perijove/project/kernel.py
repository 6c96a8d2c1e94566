"""The gather kernel: finds, projects and blends, for each output pixel, the framelets that see its ground point.

For each point and band the frame that sees it is found directly: the point's azimuth about the camera's X axis, which
is nearly the spin axis, grows by the same angle every frame, and neighbouring points start from each other's frame.
Where pixel coordinates vary smoothly along a short run of output pixels, three of them are projected and the rest
follow from the parabola through these; elsewhere (the limb, coarse views) each is projected. The sample is taken
inside one framelet only, and overlapping framelets cross-fade about the middle of what they share.

The kernel passes whole arrays and indices: every slice of an array would count references atomically, which costs more
than the arithmetic.
"""

import math
from typing import Final

import numba
import numpy as np

from perijove.constants import LIGHT_SPEED_KM_S
from perijove.geometry.camera import MAX_IDEAL_RADIUS_PX
from perijove.geometry.orientation import SPIN_RATE_RAD_S
from perijove.project.sampling import bicubic, bilinear, careful, jit

#: Steps towards the frame that sees a point; parallax of a close pass needs a second one.
_MAX_STEPS: Final = 4
#: Output pixels in a run; how far its middle may stand off the mean of its ends, and what parallax its bend in
#: distance may cause, pixels. 99.9 % of the coordinates then lie within 0.006 px of those projected point by point, the
#: rest, where the sky meets the limb, within 0.2 px (44C00032 at native scale).
_RUN: Final = 32
_MAX_SAGITTA_PX: Final = 0.15
_MAX_PARALLAX_PX: Final = 0.03
#: How a run is drawn: with one framelet, with two, not at all, or point by point.
_INSIDE, _SHARED, _UNSEEN, _ONE_BY_ONE = 1, 2, 3, 4
#: Where an image ends the weight falls over this many times the fade: less than any overlap, which keeps it at 1.
_OUTER_TAPER: Final = 1.3
_MAX_IDEAL_R2: Final = MAX_IDEAL_RADIUS_PX**2

# What the kernel takes. With its types said it is compiled, or fetched from the disk, when the module is imported.
_TYPES: Final = (
    "void(Array(float64, 3, 'C', readonly=True), Array(float32, 1, 'C', readonly=True), UniTuple(int64, 4), "
    "float64[:, :, ::1], float64[::1], float64[:, ::1], "
    "Tuple((float64[::1], float64, float64, float64, float64, boolean)), float32[::1], float32[::1])"
)


@jit()
def _to_camera(point, frame, cameras):  # type: ignore[no-untyped-def]
    """Apparent direction of a point in a frame's camera, not normalised.

    ``point`` is x, y, z and distance; a row of ``cameras`` takes these, and one, to the camera's axes.
    """
    px, py, pz, distance = point
    m = cameras
    f = frame
    return (
        m[f, 0, 0] * px + m[f, 0, 1] * py + m[f, 0, 2] * pz + m[f, 0, 3] * distance + m[f, 0, 4],
        m[f, 1, 0] * px + m[f, 1, 1] * py + m[f, 1, 2] * pz + m[f, 1, 3] * distance + m[f, 1, 4],
        m[f, 2, 0] * px + m[f, 2, 1] * py + m[f, 2, 2] * pz + m[f, 2, 3] * distance + m[f, 2, 4],
    )


@jit()
def _to_pixel(point, frame, band, cameras, intrinsics):  # type: ignore[no-untyped-def]
    """Pixel coordinates at which a framelet sees a point; NaN behind the camera or far off the chip."""
    cx, cy, cz = _to_camera(point, frame, cameras)
    if cz <= 0.0:
        return math.nan, math.nan
    scale = intrinsics[band, 0] / cz
    x, y = cx * scale, cy * scale
    r2 = x * x + y * y
    if r2 > _MAX_IDEAL_R2:
        return math.nan, math.nan
    factor = 1.0 + r2 * (intrinsics[band, 3] + r2 * intrinsics[band, 4])
    per_pixel = intrinsics[band, 5]
    return (x * factor + intrinsics[band, 1]) * per_pixel, (y * factor + intrinsics[band, 2]) * per_pixel


@jit()
def _as_it_stood(ground, row, column, observer):  # type: ignore[no-untyped-def]
    """A ground point where it stood, inertially, when its light left, and its distance."""
    px, py, pz = ground[row, column, 0], ground[row, column, 1], ground[row, column, 2]
    dx, dy, dz = px - observer[0], py - observer[1], pz - observer[2]
    distance = math.sqrt(dx * dx + dy * dy + dz * dz)
    lag = SPIN_RATE_RAD_S / LIGHT_SPEED_KM_S * distance
    return px + lag * py, py - lag * px, pz, distance


@jit()
def _frame_of(point, frame, centre, turn, cameras):  # type: ignore[no-untyped-def]
    """The frame that sees a point nearest to the middle of its framelet, found from another one."""
    for _ in range(_MAX_STEPS):
        _, cy, cz = _to_camera(point, frame, cameras)
        if cz > 0.0 and abs(cy - centre * cz) < 0.5 * turn * cz:
            break
        move = round((math.atan2(cy, cz) - centre) / turn)
        target = min(max(frame + move, 0), cameras.shape[0] - 1)
        if target == frame:
            break
        frame = target
    return frame


@jit()
def _edge_distance(x, y, window):  # type: ignore[no-untyped-def]
    """Rows from the nearer edge of the usable part of a framelet; -1 outside of it and for NaN."""
    if not (x >= window[0] and x <= window[1] and y >= window[2] and y <= window[3]):
        return -1.0
    return min(y - window[2], window[3] - y)


@jit()
def _blended(  # type: ignore[no-untyped-def]
    pixels, samples, first, x1, y1, second, x2, y2, window, fade, cubic
):
    """Value and weight of a point that one or two framelets see.

    They cross-fade about the middle of what they share; away from it, the one whose edge is further off is taken
    alone, or the other where that one does not know.
    """
    d1, d2 = _edge_distance(x1, y1, window), _edge_distance(x2, y2, window)
    if d1 < 0.0 and d2 < 0.0:
        return math.nan, 0.0
    share = min(max(0.5 + 0.5 * (d1 - d2) / fade, 0.0), 1.0)
    if d2 < 0.0:
        share = 1.0
    elif d1 < 0.0:
        share = 0.0
    value = math.nan
    if share > 0.0:
        value = careful(pixels, first, samples, x1, y1, cubic)
    if d2 >= 0.0 and (share < 1.0 or value != value):
        other = careful(pixels, second, samples, x2, y2, cubic)
        if value != value:
            value = other
        elif other == other:
            value = share * value + (1.0 - share) * other
    if value != value and share == 0.0 and d1 >= 0.0:
        value = careful(pixels, first, samples, x1, y1, cubic)
    if value != value:
        return math.nan, 0.0
    return value, min(1.0, (max(d1, 0.0) + max(d2, 0.0) + 1.0) / (_OUTER_TAPER * fade))


@jit()
def _neighbour(low, high, frame, frames, window, shared):  # type: ignore[no-untyped-def]
    """The frame that may see points at rows ``low`` to ``high`` of ``frame``, too, or -1."""
    if low < window[2] + shared:
        return frame - 1
    if high > window[3] - shared and frame < frames - 1:
        return frame + 1
    return -1


@jit()
def _run_ends(  # type: ignore[no-untyped-def]
    first, centre, last, part, frame, band, cameras, intrinsics, window, shared
):
    """Pixel coordinates of a run's three points in a framelet, and how the run can be drawn."""
    x0, y0 = _to_pixel(first, frame, band, cameras, intrinsics)
    x1, y1 = _to_pixel(centre, frame, band, cameras, intrinsics)
    x2, y2 = _to_pixel(last, frame, band, cameras, intrinsics)
    ends = (x0, y0, x1, y1, x2, y2)
    if not (x0 == x0 or x1 == x1 or x2 == x2):
        return ends, _UNSEEN
    bend = max(abs(x0 + part * (x2 - x0) - x1), abs(y0 + part * (y2 - y0) - y1))
    if not bend < _MAX_SAGITTA_PX:
        return ends, _ONE_BY_ONE
    left, right = min(x0, x1, x2) - _MAX_SAGITTA_PX, max(x0, x1, x2) + _MAX_SAGITTA_PX
    top, bottom = min(y0, y1, y2) - _MAX_SAGITTA_PX, max(y0, y1, y2) + _MAX_SAGITTA_PX
    if right < window[0] or left > window[1]:
        return ends, _UNSEEN
    if left > window[0] and right < window[1] and top > window[2] + shared and bottom < window[3] - shared:
        return ends, _INSIDE
    return ends, _SHARED


@jit()
def _parabola(ends, middle, last):  # type: ignore[no-untyped-def]
    """Newton's form of the parabolas through positions 0, middle and last: slopes and curvatures."""
    x0, y0, x1, y1, x2, y2 = ends
    ax, ay = (x1 - x0) / middle, (y1 - y0) / middle
    return ax, ay, ((x2 - x1) / (last - middle) - ax) / last, ((y2 - y1) / (last - middle) - ay) / last


@jit()
def _draw_inside(  # type: ignore[no-untyped-def]
    ends, middle, count, pixels, framelet, samples, cubic, values, weights, first, bands
):
    """Draw a run from one framelet; ``first`` and ``bands`` are its start and step in the flat output.

    False where the framelet does not know all of it.
    """
    ax, ay, bx, by = _parabola(ends, middle, count - 1)
    # Unsigned, as in the samples: signed indices would be tested for counting from the end.
    at, step = np.uint64(first), np.uint64(bands)
    unknown = np.float32(0.0)
    for k in range(count):
        x = ends[0] + k * (ax + (k - middle) * bx)
        y = ends[1] + k * (ay + (k - middle) * by)
        value = bicubic(pixels, framelet, samples, x, y) if cubic else bilinear(pixels, framelet, samples, x, y)
        values[at] = value
        weights[at] = 1.0
        unknown += value
        at += step
    if unknown == unknown:
        return True
    whole = True
    for k in range(count):
        x = ends[0] + k * (ax + (k - middle) * bx)
        y = ends[1] + k * (ay + (k - middle) * by)
        value = careful(pixels, framelet, samples, x, y, cubic)
        values[first + k * bands] = value
        weights[first + k * bands] = 1.0 if value == value else 0.0
        whole = whole and value == value
    return whole


@jit()
def _lead(ends, others, window, fade):  # type: ignore[no-untyped-def]
    """Rows by which the first framelet leads the second, at its least along a run, or -1 if an edge is too near.

    From the rows of the fade on, the first one is drawn alone and with full weight.
    """
    least = np.inf
    for k in (0, 2, 4):
        d1 = _edge_distance(ends[k], ends[k + 1], window) - _MAX_SAGITTA_PX
        d2 = _edge_distance(others[k], others[k + 1], window) + _MAX_SAGITTA_PX
        if d1 < _OUTER_TAPER * fade - 1.0:
            return -1.0
        least = min(least, d1 - d2)
    return least


@jit()
def _draw_shared(  # type: ignore[no-untyped-def]
    ends, others, middle, count, pixels, framelet, other, samples, settings, values, weights, first, bands
):
    """Draw a run that lies where framelets overlap or end."""
    window, _, fade, _, _, cubic = settings
    # What one framelet has lost the other may know: then they are asked point by point.
    if _lead(ends, others, window, fade) >= fade:
        if _draw_inside(ends, middle, count, pixels, framelet, samples, cubic, values, weights, first, bands):
            return
    elif _lead(others, ends, window, fade) >= fade and _draw_inside(
        others, middle, count, pixels, other, samples, cubic, values, weights, first, bands
    ):
        return
    ax, ay, bx, by = _parabola(ends, middle, count - 1)
    cx, cy, dx, dy = _parabola(others, middle, count - 1)
    for k in range(count):
        bow = k * (k - middle)
        x1, y1 = ends[0] + k * ax + bow * bx, ends[1] + k * ay + bow * by
        x2, y2 = others[0] + k * cx + bow * dx, others[1] + k * cy + bow * dy
        value, weight = _blended(pixels, samples, framelet, x1, y1, other, x2, y2, window, fade, cubic)
        values[first + k * bands] = value
        weights[first + k * bands] = weight


@jit()
def _point_by_point(  # type: ignore[no-untyped-def]
    ground, row, column, count, band, frame, centre, pixels, shape, geometry, settings, values, weights, first
):
    """Project and draw each point of a run by itself; return the last one's frame."""
    frames, bands, lines, samples = shape
    cameras, observer, intrinsics = geometry
    window, shared, fade, turn, _, cubic = settings
    for k in range(count):
        value, weight = math.nan, 0.0
        point = _as_it_stood(ground, row, column + k, observer)
        if point[3] == point[3]:
            frame = _frame_of(point, frame, centre, turn, cameras)
            x1, y1 = _to_pixel(point, frame, band, cameras, intrinsics)
            near = _neighbour(y1, y1, frame, frames, window, shared)
            x2, y2 = math.nan, math.nan
            if near >= 0:
                x2, y2 = _to_pixel(point, near, band, cameras, intrinsics)
            framelet = (frame * bands + band) * lines * samples
            other = (near * bands + band) * lines * samples
            value, weight = _blended(pixels, samples, framelet, x1, y1, other, x2, y2, window, fade, cubic)
        values[first + k * bands] = value
        weights[first + k * bands] = weight
    return frame


@jit()
def _gather_run(  # type: ignore[no-untyped-def]
    ground, row, column, count, pixels, shape, geometry, centres, settings, start, values, weights
):
    """Draw one run of output pixels in all bands."""
    frames, bands, lines, samples = shape
    cameras, observer, intrinsics = geometry
    window, shared, _, turn, baseline, cubic = settings
    middle, last = count // 2, count - 1
    part = middle / max(last, 1)
    a = _as_it_stood(ground, row, column, observer)
    b = _as_it_stood(ground, row, column + middle, observer)
    c = _as_it_stood(ground, row, column + last, observer)
    # Parallax of the frames times the bend in distance: large where a run crosses the limb. NaN fails the test.
    level = count > 2 and abs(a[3] + part * (c[3] - a[3]) - b[3]) * baseline < _MAX_PARALLAX_PX * b[3] * b[3]
    for k in range(count):
        level = level and ground[row, column + k, 0] == ground[row, column + k, 0]
    for band in range(bands):
        first = (row * ground.shape[1] + column) * bands + band
        kind = _ONE_BY_ONE
        if level:
            frame = _frame_of(b, start[band], centres[band], turn, cameras)
            start[band] = frame
            ends, kind = _run_ends(a, b, c, part, frame, band, cameras, intrinsics, window, shared)
            framelet = (frame * bands + band) * lines * samples
        if kind == _INSIDE:
            _draw_inside(ends, middle, count, pixels, framelet, samples, cubic, values, weights, first, bands)
        elif kind == _SHARED:
            near = _neighbour(min(ends[1], ends[5]), max(ends[1], ends[5]), frame, frames, window, shared)
            others = (math.nan, math.nan, math.nan, math.nan, math.nan, math.nan)
            if near >= 0:
                others, _ = _run_ends(a, b, c, part, near, band, cameras, intrinsics, window, shared)
            other = (near * bands + band) * lines * samples
            _draw_shared(
                ends, others, middle, count, pixels, framelet, other, samples, settings, values, weights, first, bands
            )
        elif kind == _UNSEEN:
            for k in range(count):
                values[first + k * bands] = math.nan
                weights[first + k * bands] = 0.0
        else:
            frame = start[band]
            centre = centres[band]
            start[band] = _point_by_point(
                ground,
                row,
                column,
                count,
                band,
                frame,
                centre,
                pixels,
                shape,
                geometry,
                settings,
                values,
                weights,
                first,
            )


@jit(_TYPES, parallel=True)
def gather_kernel(  # type: ignore[no-untyped-def]
    ground, pixels, shape, cameras, observer, intrinsics, settings, values, weights
):
    """Fill the flat outputs of shape (height, width, band) from ground points, (height, width, 3).

    ``pixels`` is the flat stack of the given shape (frame, band, line, sample); ``cameras``, ``observer`` and
    ``intrinsics`` are those of ``Framelets``; ``settings`` holds the window, the rows that may be shared, the rows of
    the cross-fade, the turn per frame, the baseline, and whether to sample bicubically.
    """
    bands, width = shape[1], ground.shape[1]
    window = settings[0]
    centres = np.empty(bands)
    for band in range(bands):
        rows = 0.5 * (window[2] + window[3]) / intrinsics[band, 5] - intrinsics[band, 2]
        centres[band] = math.atan(rows / intrinsics[band, 0])
    for row in numba.prange(ground.shape[0]):
        start = np.full(bands, shape[0] // 2)
        # The loop counts in unsigned numbers, typed as signed ones at first: one kind is compiled, not two.
        line = np.int64(row)
        for column in range(0, width, _RUN):
            count = min(_RUN, width - column)
            geometry = (cameras, observer, intrinsics)
            _gather_run(ground, line, column, count, pixels, shape, geometry, centres, settings, start, values, weights)
