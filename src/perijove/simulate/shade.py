"""The rendering kernel: from pixels through rays to reflected sunlight."""

import functools
import math
from typing import Final

import numba
import numpy as np

from perijove.constants import JUPITER_RADII_KM, LIGHT_SPEED_KM_S
from perijove.geometry.orientation import SPIN_RATE_RAD_S
from perijove.simulate.atlas import CELL_COLUMNS, CELL_DEG, CELL_ROWS

jit = functools.partial(numba.njit, cache=True, error_model="numpy", fastmath={"contract", "reassoc", "arcp", "nsz"})

_A, _B = JUPITER_RADII_KM[0], JUPITER_RADII_KM[2]
_IA2, _IB2 = 1.0 / _A**2, 1.0 / _B**2
_DEG: Final = 180.0 / math.pi
#: Cosine of emission below which pixels are drawn with many rays: the limb is sharper than a pixel.
_EDGE_MU: Final = 0.2
_EDGE_RAYS: Final = 4
#: Minnaert's law means nothing beyond this cosine of emission.
_LEAST_MU: Final = 0.04


@jit()
def _albedo(lat, lon_w, band, index, places, sizes, pixels):  # type: ignore[no-untyped-def]
    """Bilinear sample of the atlas; degrees, longitude west in [0, 360)."""
    row = min(max(int((90.0 - lat) / CELL_DEG), 0), CELL_ROWS - 1)
    column = min(max(int((360.0 - lon_w) / CELL_DEG), 0), CELL_COLUMNS - 1)
    tile = index[row, column]
    rows, columns = sizes[tile, 0], sizes[tile, 1]
    y = min(max((places[tile, 0] - lat) * places[tile, 2] - 0.5, 0.0), rows - 1.001)
    x = min(max((places[tile, 1] - lon_w) * places[tile, 2] - 0.5, 0.0), columns - 1.001)
    i, j = int(y), int(x)
    fy, fx = y - i, x - j
    at = sizes[tile, 2] + (band * rows + i) * columns + j
    top = pixels[at] + fx * (pixels[at + 1] - pixels[at])
    below = pixels[at + columns] + fx * (pixels[at + columns + 1] - pixels[at + columns])
    return top + fy * (below - top)


@jit()
def _soft(mu0, width):  # type: ignore[no-untyped-def]
    """Cosine of incidence that fades over a width beyond the terminator instead of ending at it."""
    if mu0 > 6.0 * width:
        return mu0
    if mu0 < -12.0 * width:
        return 0.0
    return width * math.log1p(math.exp(mu0 / width))


@jit()
def _opacity(height, look):  # type: ignore[no-untyped-def]
    """Part of the limb's light that a ray catches which passes at a height above 1 bar, km."""
    scale, top = look[1], look[2]
    return 1.0 - math.exp(-math.exp(min((top - height) / scale, 30.0)))


@jit()
def _light(dx, dy, dz, observer, sun, look, band, index, places, sizes, pixels):  # type: ignore[no-untyped-def]
    """I/F along a ray, and the cosine of emission where it meets the planet (negative where it misses)."""
    ox, oy, oz = observer
    a = (dx * dx + dy * dy) * _IA2 + dz * dz * _IB2
    b = (ox * dx + oy * dy) * _IA2 + oz * dz * _IB2
    c = (ox * ox + oy * oy) * _IA2 + oz * oz * _IB2 - 1.0
    disc = b * b - a * c
    way = (-b - math.sqrt(max(disc, 0.0))) / a
    if way <= 0.0:
        return 0.0, -1.0
    px, py, pz = ox + way * dx, oy + way * dy, oz + way * dz
    nx, ny, nz = px * _IA2, py * _IA2, pz * _IB2
    length = math.sqrt(nx * nx + ny * ny + nz * nz)
    nx, ny, nz = nx / length, ny / length, nz / length
    mu0 = nx * sun[0] + ny * sun[1] + nz * sun[2]
    # Beside the planet the ray sees the air over the nearest ground, edge on.
    mu = -(nx * dx + ny * dy + nz * dz) if disc > 0.0 else 0.0
    opacity = 1.0
    if disc <= 0.0:
        scaled = math.sqrt((px * px + py * py) * _IA2 + pz * pz * _IB2)
        # The gradient of the scaled radius along the normal turns it into a height.
        opacity = _opacity((scaled - 1.0) * scaled / length, look)
    k = look[0]
    sunlight = _soft(mu0, look[3])
    if sunlight <= 0.0 or opacity < 1e-6:
        return 0.0, mu if disc > 0.0 else -1.0
    lag = SPIN_RATE_RAD_S / LIGHT_SPEED_KM_S * way
    # Single precision is good for 2e-5 degrees, a hundredth of the finest sample, and twice as fast.
    lon_w = -(math.atan2(np.float32(py), np.float32(px)) + lag) * _DEG
    if lon_w < 0.0:
        lon_w += 360.0
    lat = math.atan2(np.float32(nz), np.float32(math.sqrt(nx * nx + ny * ny))) * _DEG
    albedo = _albedo(lat, lon_w, band, index, places, sizes, pixels)
    power = k * math.log(np.float32(sunlight)) + (k - 1.0) * math.log(np.float32(max(mu, _LEAST_MU)))
    return opacity * albedo * math.exp(np.float32(power)), mu if disc > 0.0 else -1.0


@jit()
def _direction(corners, at, below, fx, fy, turn, beta):  # type: ignore[no-untyped-def]
    """True direction, body-fixed, through a point of a pixel (fractions from its upper left corner).

    ``at`` is the place of that corner in the flat ``corners``, ``below`` that of the one below it.
    """
    w00, w01, w10, w11 = (1.0 - fy) * (1.0 - fx), (1.0 - fy) * fx, fy * (1.0 - fx), fy * fx
    x = w00 * corners[at] + w01 * corners[at + 3] + w10 * corners[below] + w11 * corners[below + 3]
    y = w00 * corners[at + 1] + w01 * corners[at + 4] + w10 * corners[below + 1] + w11 * corners[below + 4]
    z = w00 * corners[at + 2] + w01 * corners[at + 5] + w10 * corners[below + 2] + w11 * corners[below + 5]
    xx, xy, xz, yx, yy, yz, zx, zy, zz = turn
    dx = xx * x + xy * y + xz * z - beta[0]
    dy = yx * x + yy * y + yz * z - beta[1]
    dz = zx * x + zy * y + zz * z - beta[2]
    s = 1.0 / math.sqrt(dx * dx + dy * dy + dz * dz)
    return dx * s, dy * s, dz * s


@jit()
def _three(vectors, frame):  # type: ignore[no-untyped-def]
    return vectors[frame, 0], vectors[frame, 1], vectors[frame, 2]


@jit()
def _nine(matrices, frame):  # type: ignore[no-untyped-def]
    m, f = matrices, frame
    return m[f, 0, 0], m[f, 0, 1], m[f, 0, 2], m[f, 1, 0], m[f, 1, 1], m[f, 1, 2], m[f, 2, 0], m[f, 2, 1], m[f, 2, 2]


@jit(parallel=True)
def shade_kernel(  # type: ignore[no-untyped-def]
    corners, turns, betas, observers, suns, nadirs, reaches, looks, subsamples, index, places, sizes, pixels, out
):
    """Fill ``out`` (frame, band, line, sample) with I/F.

    ``corners``, flat (band, line + 1, sample + 1, 3), are directions of pixel corners in the camera; ``turns``
    (frame, 3, 3) take them to the body-fixed frame, in which ``betas``, ``observers``, ``suns`` and ``nadirs``
    (frame, 3) are; ``reaches`` (frame,) are cosines of the angle from the nadir beyond which all is sky; ``looks``
    (band, 5) hold
    Minnaert's k, haze brightness, scale, top and the width of the terminator; the rest is the atlas.
    """
    frames, bands, lines, samples = out.shape
    for job in numba.prange(frames * bands * lines):
        frame = job // (bands * lines)
        band = job // lines % bands
        j = job % lines
        turn, observer = _nine(turns, frame), _three(observers, frame)
        beta, sun = _three(betas, frame), _three(suns, frame)
        nadir, reach = _three(nadirs, frame), reaches[frame]
        look = (looks[band, 0], looks[band, 1], looks[band, 2], looks[band, 3], looks[band, 4])
        for i in range(samples):
            at = 3 * ((band * (lines + 1) + j) * (samples + 1) + i)
            below = at + 3 * (samples + 1)
            dx, dy, dz = _direction(corners, at, below, 0.5, 0.5, turn, beta)
            if dx * nadir[0] + dy * nadir[1] + dz * nadir[2] < reach:
                out[frame, band, j, i] = 0.0
                continue
            total, least = 0.0, 1.0
            # Along a diagonal, the other one in every second pixel.
            for k in range(subsamples):
                fx = (k + 0.5) / subsamples
                fy = fx if (i + j) % 2 == 0 else 1.0 - fx
                dx, dy, dz = _direction(corners, at, below, fx, fy, turn, beta)
                light, mu = _light(dx, dy, dz, observer, sun, look, band, index, places, sizes, pixels)
                total += light
                least = min(least, mu)
            if least >= _EDGE_MU:
                out[frame, band, j, i] = total / subsamples
                continue
            total = 0.0
            for k in range(_EDGE_RAYS * _EDGE_RAYS):
                fx, fy = (k % _EDGE_RAYS + 0.5) / _EDGE_RAYS, (k // _EDGE_RAYS + 0.5) / _EDGE_RAYS
                dx, dy, dz = _direction(corners, at, below, fx, fy, turn, beta)
                light, _ = _light(dx, dy, dz, observer, sun, look, band, index, places, sizes, pixels)
                total += light
            out[frame, band, j, i] = total / (_EDGE_RAYS * _EDGE_RAYS)
