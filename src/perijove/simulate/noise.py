"""Noise for the procedural planet: gradient noise on a lattice, and swirls that fold it into filaments.

Every function takes a point and answers from a hash of the lattice cells about it, so that a point has one value,
whichever region it is asked in, in whatever order, on however many threads. Lattices may close after ``wrap`` cells
along x (longitude); 0 leaves them open.
"""

import functools
import math
from typing import Final

import numba

# Multiplications of the hash wrap around 64 bits on purpose.
jit = functools.partial(numba.njit, cache=True, error_model="numpy", fastmath={"contract", "reassoc", "arcp", "nsz"})

# Odd multipliers; any with well-mixed bits do.
_MIX_X: Final = 0x1B873593CC9E2D51
_MIX_Y: Final = 0x2545F4914F6CDD1D
_MIX_SEED: Final = 0x3C6EF372FE94F82B
_MIX_END: Final = 0x369DEA0F31A53F85
_MASK: Final = 0xFFFF
_HALF_RANGE: Final = 1.0 / 32768.0
#: Brings gradient noise to a standard deviation near 0.3 and a range of about -1 to 1.
_GAIN: Final = 1.6


@jit(inline="always")
def mixed(i, j, seed):  # type: ignore[no-untyped-def]
    """64 mixed bits of a lattice cell."""
    h = i * _MIX_X + j * _MIX_Y + seed * _MIX_SEED
    h ^= h >> 32
    h *= _MIX_END
    return h ^ (h >> 29)


@jit(inline="always")
def share(bits, which):  # type: ignore[no-untyped-def]
    """One of three independent numbers, -1 to 1, in the bits of a cell."""
    return ((bits >> (16 * which)) & _MASK) * _HALF_RANGE - 1.0


@jit(inline="always")
def _within(i, wrap):  # type: ignore[no-untyped-def]
    """Remainder of a cell's number that is a turn or two out: quicker than a division."""
    while i < 0:
        i += wrap
    while i >= wrap:
        i -= wrap
    return i


@jit(inline="always")
def _corner(i, j, seed, dx, dy):  # type: ignore[no-untyped-def]
    bits = mixed(i, j, seed)
    return share(bits, 0) * dx + share(bits, 1) * dy


# With its types said: else it is compiled again for every constant that it is called with.
@jit("float64(float64, float64, int64, int64)")
def gradient_noise(x, y, wrap, seed):  # type: ignore[no-untyped-def]
    """Gradient noise with one cell to the unit (Perlin 1985; fade of Perlin 2002), about -1 to 1, mean 0."""
    fi, fj = math.floor(x), math.floor(y)
    i, j = int(fi), int(fj)
    dx, dy = x - fi, y - fj
    u = dx * dx * dx * (dx * (dx * 6.0 - 15.0) + 10.0)
    v = dy * dy * dy * (dy * (dy * 6.0 - 15.0) + 10.0)
    i1 = i + 1
    if wrap > 0:
        i, i1 = _within(i, wrap), _within(i1, wrap)
    a = _corner(i, j, seed, dx, dy)
    b = _corner(i1, j, seed, dx - 1.0, dy)
    c = _corner(i, j + 1, seed, dx, dy - 1.0)
    d = _corner(i1, j + 1, seed, dx - 1.0, dy - 1.0)
    top = a + u * (b - a)
    return _GAIN * (top + v * (c + u * (d - c) - top))


@jit("UniTuple(float64, 2)(float64, float64, int64, int64, float64, float64)")
def swirled(x, y, wrap, seed, strength, bias):  # type: ignore[no-untyped-def]
    """A point moved back along the eddies of a lattice, one eddy to a cell, one cell to the unit.

    Each eddy turns a disc that stays inside its cell, most at the centre and not at the rim; so the map is smooth and
    preserves areas. ``strength`` is the tangent of an eighth of the largest angle; ``bias``, -1 to 1, says how
    many more of the eddies turn one way.
    """
    fi, fj = math.floor(x), math.floor(y)
    i, j = int(fi), int(fj)
    if wrap > 0:
        i = _within(i, wrap)
    bits = mixed(i, j, seed)
    jx, jy = 0.16 * share(bits, 0), 0.16 * share(bits, 1)
    dx, dy = x - fi - 0.5 - jx, y - fj - 0.5 - jy
    reach = 0.5 - max(abs(jx), abs(jy))
    q = 1.0 - (dx * dx + dy * dy) / (reach * reach)
    if q <= 0.0:
        return x, y
    turn = share(bits, 2)
    t = strength * q * q * (0.45 + 0.55 * abs(turn))
    if turn < bias:
        t = -t
    # Twice doubled from the rotation whose half-angle has tangent t: no call of sine and cosine.
    s = 1.0 / (1.0 + t * t)
    cosine, sine = (1.0 - t * t) * s, 2.0 * t * s
    cosine, sine = cosine * cosine - sine * sine, 2.0 * sine * cosine
    cosine, sine = cosine * cosine - sine * sine, 2.0 * sine * cosine
    return x + (cosine - 1.0) * dx - sine * dy, y + sine * dx + (cosine - 1.0) * dy
