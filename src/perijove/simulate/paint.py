"""The kernel that paints clouds: bands, texture, festoons and vortices at every point of a map, in parallel.

A point is first taken back along the wind to where its air was at the epoch; there it meets two charts, one that
unrolls the planet about the equator and one flat about each pole, both in degrees, which cross-fade. In the chart,
eddies of ever larger size move it to where its colour comes from (see :mod:`perijove.simulate.noise`), and noise is
looked up there. Octaves finer than the map resolves are left out.
"""

import math
from typing import Final

import numba
import numpy as np

from perijove.simulate.noise import gradient_noise, jit, mixed, share, swirled

#: Size of the largest cells, degrees; each octave halves it.
_LARGEST: Final = 8.0
#: Zonal stretch of eddies and texture in the chart about the equator.
_STRETCH: Final = 2.0
#: Latitudes between which the charts cross-fade.
_FADE_FROM: Final = 40.0
_FADE_OVER: Final = 5.0
_DEGREE: Final = math.pi / 180.0
# Columns of the band table.
_STIR, _TEXTURE, _STREAKS, _FILAMENTS, _TINT = 4, 5, 6, 7, 8
# Columns of the vortex table.
(
    LAT, LON, HALF_W, HALF_H, TINT, TURNS, CONTRAST, SPUN, RING, POLAR, CX, CY, PER_LAT, PER_LON, SEED, HOLLOW, SOFT,
    UNEVEN,
) = (
    0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 21, 22,
)  # fmt: skip
VORTEX_COLUMNS: Final = 23
# Columns of the row table.
ROW_LAT, ROW_SHIFT, ROW_AGE, ROW_PER_LON, ROW_POLE_KM, ROW_COLUMNS = 0, 1, 2, 3, 4, 5


@jit(inline="always")
def _smooth(x):  # type: ignore[no-untyped-def]
    x = min(max(x, 0.0), 1.0)
    return x * x * (3.0 - 2.0 * x)


@jit()
def _stirred(x, y, wide, stir, octaves, seed):  # type: ignore[no-untyped-def]
    """A point of a chart moved back to where its air came from, through eddies from the smallest to the largest.

    Large eddies turn far and wind what smaller ones left into filaments; small ones barely fray them, and come in
    as the scale resolves them, so that the same clouds lie in the same place at every scale.
    """
    last = max(min(math.ceil(octaves) - 3, 6), 4)
    cell = _LARGEST * 0.5**last
    for k in range(last, 0, -1):
        wrap = int(360.0 / (cell * _STRETCH) + 0.5) if wide else 0
        per_x = wrap / 360.0 if wide else 1.0 / cell
        u, v = x * per_x, y / cell
        strength = stir * (0.34 if k == 1 else (0.58 if k == 2 else (0.38 if k == 3 else (0.10 if k == 4 else 0.05))))
        if k > 4:
            strength *= min(octaves - 2.0 - k, 1.0)
        u, v = swirled(u, v, wrap, seed + 40 + k, strength, 0.0)
        u, v = swirled(u + 0.5, v + 0.5, wrap, seed + 60 + k, strength, 0.0)
        x, y = (u - 0.5) / per_x, (v - 0.5) * cell
        if k == 2:
            # Once more at the size of the filamentary regions: eddies that overlap fold what they share.
            u, v = swirled(x * per_x + 0.25, y / cell + 0.75, wrap, seed + 80, strength, 0.0)
            u, v = swirled(u + 0.5, v + 0.5, wrap, seed + 81, strength, 0.0)
            x, y = (u - 0.75) / per_x, (v - 1.25) * cell
        cell *= 2.0
    return x, y


@jit()
def _streaky(x, y, stretch, octaves, seed):  # type: ignore[no-untyped-def]
    """Noise along parallels, where air came from: brightness, hue and thin filaments.

    Stretched along x (a longitude, closed), so that eddies find streaks to fold.
    """
    bright, hue, thin = 0.0, 0.0, 0.0
    cell, gain, fine = _LARGEST, 0.30, 0.0
    for k in range(math.ceil(octaves)):
        wrap = int(360.0 / (cell * stretch) + 0.5)
        fine = min(octaves - k, 1.0)
        value = gradient_noise(x * (wrap / 360.0), y / cell, wrap, seed + k)
        bright += fine * gain * value
        if k == 1 or k == 3:
            hue += 0.6 * value
        elif k == 2 or k == 4:
            thin += fine * max(0.0, 1.0 - abs(value) * 5.0)
        cell *= 0.5
        gain = 0.60 if k == 0 else (0.80 if k == 1 else gain * 0.60)
    return bright, hue, thin


@jit()
def _texture(x, y, stir, octaves, fine, seed):  # type: ignore[no-untyped-def]
    """Texture about the equator: brightness, hue, thin filaments, and how far eddies moved the point in x and y."""
    u, v = _stirred(x, y, True, stir, octaves, seed)
    bright, hue, thin = _streaky(u, v, 5.0, fine, seed)
    return bright, hue, thin, u - x, v - y


@jit()
def _texture_flat(x, y, stir, octaves, seed):  # type: ignore[no-untyped-def]
    """Texture about a pole, by degrees from it: brightness, hue, thin filaments, how far eddies moved it poleward."""
    u, v = _stirred(x, y, False, stir, octaves, seed)
    far = math.sqrt(u * u + v * v)
    bright, hue, thin = _streaky(math.atan2(v, u) / _DEGREE, far, 9.0, octaves, seed)
    return bright, hue, thin, math.sqrt(x * x + y * y) - far


@jit()
def _ovals(x, y, wide, seed):  # type: ignore[no-untyped-def]
    """Small ovals without a name, one to a cell at most: the oval's edge (1 at its centre, 0 at its rim) and its sign.

    Their half-width is 0.25 to 0.6 degrees: what JunoCam sees by the dozen at middle and high latitudes.
    """
    cell = 3.0
    wrap = 80 if wide else 0
    per_x = wrap / 360.0 if wide else 1.0 / cell
    u, v = x * per_x, y / cell
    fi, fj = math.floor(u), math.floor(v)
    i, j = int(fi), int(fj)
    if wrap > 0:
        i %= wrap
    bits = mixed(i, j, seed + 90)
    kind = share(bits, 2)
    if abs(kind) < 0.55:
        return -1.0, 0.0
    reach = 0.09 + 0.22 * (abs(kind) - 0.55)
    du, dv = u - fi - 0.5 - 0.3 * share(bits, 0), v - fj - 0.5 - 0.3 * share(bits, 1)
    return 1.0 - math.sqrt(du * du + dv * dv) / reach, (1.0 if kind > 0 else -0.9) * (0.3 + 0.7 * abs(share(bits, 0)))


@jit()
def _festoons(x, lat, seed):  # type: ignore[no-untyped-def]
    """Blue-grey hot spots at 7 N and the plumes that trail from them into the equatorial zone, 0 to 1."""
    best = 0.0
    # Spots stand every 15 degrees, or not; their plumes reach two places west.
    first = math.floor(x / 15.0)
    for place in range(first, first + 4):
        bits = mixed(place % 24, 0, seed + 99)
        if place % 2 == 1 and share(bits, 0) > -0.2:
            continue
        dx = x - 15.0 * (place + 0.5 + 0.5 * share(bits, 1))
        if dx > 15.0 or dx < -34.0:
            continue
        strength = 0.65 + 0.35 * share(bits, 2)
        spot = math.exp(-((dx / 4.2) ** 2) - ((lat - 7.2) / 1.1) ** 2)
        # The plume leaves the spot's western end southward and bends west with the slower wind.
        along = -dx - 1.0
        plume = 0.0
        if along > 0.0:
            path = 6.9 - 5.2 * (1.0 - math.exp(-along / 5.5))
            width = 0.6 + 0.09 * along
            plume = 0.8 * math.exp(-(((lat - path) / width) ** 2) - (along / 13.0) ** 2) * _smooth(along)
            plume *= _smooth((33.0 - along) / 10.0)
        best = max(best, strength * max(spot, plume))
    return best


@jit()
def _nearest_vortex(lat, lon, per_lon, polar, first, last, near, vortices):  # type: ignore[no-untyped-def]
    """The vortex that holds a point: its row, or -1, and the point in half-widths and half-heights from its centre."""
    best, found, bu, bv = 2.4, -1, 0.0, 0.0
    for n in range(first, last):
        i = near[n]
        if vortices[i, POLAR] != 0.0:
            dx, dy = polar[0] - vortices[i, CX], polar[1] - vortices[i, CY]
        else:
            east = lon - vortices[i, LON]
            east -= 360.0 * math.floor(east / 360.0 + 0.5)
            dx, dy = east * per_lon, (lat - vortices[i, LAT]) * vortices[i, PER_LAT]
        u, v = dx / vortices[i, HALF_W], dy / vortices[i, HALF_H]
        r = math.sqrt(u * u + v * v)
        if r < best:
            best, found, bu, bv = r, i, u, v
    return found, bu, bv, best


@jit()
def _inside_vortex(u, v, r, vortex, octaves, stir):  # type: ignore[no-untyped-def]
    """Texture inside a vortex: noise wound into a spiral, and turned by the wind since the epoch."""
    # The wind of a polar cyclone (Grassi et al. 2018, b = 1.5) over its radius: angular speed against the rim's.
    spin = math.exp((1.0 - r**1.5) / 1.5) * vortex[SPUN]
    turn = -(vortex[TURNS] * (1.35 - r) * math.exp(-0.25 * r * r) + spin)
    cosine, sine = math.cos(turn), math.sin(turn)
    size_x, size_y = vortex[HALF_W] / 1200.0, vortex[HALF_H] / 1200.0
    # Ellipses wind as circles, between the two axes' scales.
    size = 3.0 * math.sqrt(size_x * size_y)
    x, y = size * (cosine * u - sine * v), size * (sine * u + cosine * v)
    seed = int(vortex[SEED])
    # A unit of this chart is a third of a degree.
    octaves -= 1.5
    x, y = _stirred(x + 300.0, y, False, stir, octaves, seed)
    bright, _, _ = _streaky(x, y, 1.0, octaves, seed)
    return bright


@jit()
def _uneven(u, v, r, vortex):  # type: ignore[no-untyped-def]
    """Distance from a vortex's centre that its uneven outline makes of one, turned by the wind of its rim."""
    cosine, sine = math.cos(vortex[SPUN]), math.sin(vortex[SPUN])
    x, y = cosine * u + sine * v, cosine * v - sine * u
    seed = int(vortex[SEED])
    coarse, fine = gradient_noise(1.1 * x, 1.1 * y, 0, seed + 5), gradient_noise(3.7 * x, 3.7 * y, 0, seed + 6)
    return r * (1.0 + vortex[UNEVEN] * (coarse + 0.45 * fine))


@jit()
def _along_belt(value, band, brown, rift, sector):  # type: ignore[no-untyped-def]
    """Albedo of a belt with what varies along it: pale rifts, dark streaks, sectors more and less brown."""
    much = 1.0 if band == 0 else (0.6 if band == 1 else (0.4 if band == 2 else 0.5))
    pale, dark = _smooth((rift - 0.10) / 0.45), _smooth((-0.16 - rift) / 0.35)
    return value * (1.0 + brown * much * (0.55 * pale - 0.24 * dark + 0.22 * sector))


@jit()
def _from_table(bands, lat, values):  # type: ignore[no-untyped-def]
    place = min(max((lat + 90.0) * ((bands.shape[0] - 1) / 180.0), 0.0), bands.shape[0] - 1.001)
    at = int(place)
    share_ = place - at
    for column in range(values.shape[0]):
        values[column] = bands[at, column] + share_ * (bands[at + 1, column] - bands[at, column])


@numba.njit(parallel=True, cache=True, error_model="numpy", fastmath={"contract", "reassoc", "arcp", "nsz"})
def paint(rows, west, step, bands, vortices, starts, near, picks, setting, out):  # type: ignore[no-untyped-def]
    """Albedo at every point of a map.

    Parameters
    ----------
    rows : ndarray, (rows, ROW_COLUMNS)
        Latitude; eastward shift of the air since the epoch, degrees; the shear it had before, degrees; km to a degree
        of longitude; distance from the nearer pole, km.
    west, step : float
        East longitude of the first column's centre, and degrees to a column.
    bands : ndarray, (latitudes, COLUMNS)
    vortices : ndarray, (n, VORTEX_COLUMNS)
    starts, near : ndarray, (rows + 1,), (...)
        Which vortices a row may meet: ``near[starts[r]:starts[r + 1]]``.
    picks : ndarray, (band,)
        Which of BLUE, GREEN, RED, METHANE to write.
    setting : tuple
        Octaves, seed, east longitude of the Great Red Spot at the epoch.
    out : ndarray, (band, rows, columns), float32
    """
    for row in numba.prange(out.shape[1]):
        # The loop counts in unsigned numbers, typed as signed ones at first: one kind is compiled, not two.
        _paint_row(np.int64(row), rows, west, step, bands, vortices, starts, near, picks, setting, out)


@jit()
def _wake(lat, still, spot_lon):  # type: ignore[no-untyped-def]
    """Turbulence of the south equatorial belt west of the Great Red Spot, 0 to 1."""
    if lat >= -9.0 or lat <= -20.5:
        return 0.0
    behind = spot_lon - still
    behind -= 360.0 * math.floor(behind / 360.0)
    along = _smooth(behind / 6.0) * math.exp(-((behind / 45.0) ** 2))
    return along * _smooth((lat + 20.5) / 3.0) * _smooth((-9.0 - lat) / 3.0)


@jit()
def _around(vortex, u, v, r, lat, per_lon):  # type: ignore[no-untyped-def]
    """How far a vortex displaces the clouds about it, degrees of longitude and latitude."""
    if vortex[POLAR] != 0.0:
        return 0.0, 0.0
    reach = max(r, 1.0)
    # The bands part, as a flow around an ellipse does.
    deflected = (vortex[LAT] - lat) * _smooth((2.4 - r) / 1.4) / (reach * reach)
    if r <= 0.5:
        return 0.0, deflected
    # Its collar drags the clouds around.
    turn = -0.4 * vortex[TURNS] * _smooth((2.4 - r) / 1.5) ** 3
    cosine, sine = math.cos(turn), math.sin(turn)
    east = (cosine * u - sine * v - u) * vortex[HALF_W] / per_lon
    north = 0.5 * (sine * u + cosine * v - v) * vortex[HALF_H] / vortex[PER_LAT]
    return east, deflected + north


@jit()
def _clouds(at, polar, flat, side, stir, octaves, fine, chart):  # type: ignore[no-untyped-def]
    """Texture, displacement and small ovals at a point, from the chart about the equator, that about the pole, or both.

    ``at`` is the longitude where the air stood, that before the shear, and the latitude; ``polar`` the point in
    the polar chart; ``flat`` the polar chart's share. ``fine`` is the octaves of the texture, ``octaves`` of eddies.
    """
    still, x, y = at
    bright, hue, thin, moved, along = 0.0, 0.0, 0.0, 0.0, 0.0
    edge, sign = -1.0, 0.0
    if flat < 1.0:
        bright, hue, thin, along, moved = _texture(x, y, stir, octaves, fine, chart)
        if abs(y) > 24.0:
            edge, sign = _ovals(still, y, True, chart)
    if flat > 0.0:
        px, py = polar
        b2, h2, t2, m2 = _texture_flat(px, py, stir, octaves, chart + 100)
        # Independent textures cross-fade with constant variance.
        w1, w2 = math.sqrt(1.0 - flat), math.sqrt(flat)
        bright, hue, thin = w1 * bright + w2 * b2, w1 * hue + w2 * h2, (1.0 - flat) * thin + flat * t2
        moved = (1.0 - flat) * moved + flat * side * m2
        if flat > 0.5:
            edge, sign = _ovals(px, py, False, chart + 100)
    return bright, hue, thin, along, moved, edge, sign


@jit()
def _with_oval(light, edge, sign, filaments):  # type: ignore[no-untyped-def]
    """Texture with a small oval in it: plain inside, with a dark collar."""
    if edge <= -0.5:
        return light
    body = _smooth((edge + 0.05) / 0.35)
    light += body * (sign * 0.10 * (0.3 + 1.5 * filaments) - 0.6 * light)
    return light - 0.035 * _smooth(1.0 - abs(edge + 0.15) / 0.35) * (1.0 - body)


@jit()
def _paint_row(row, rows, west, step, bands, vortices, starts, near, picks, setting, out):  # type: ignore[no-untyped-def]
    octaves, seed, spot_lon = setting
    lat, shift, age = rows[row, ROW_LAT], rows[row, ROW_SHIFT], rows[row, ROW_AGE]
    per_lon, pole_km = rows[row, ROW_PER_LON], rows[row, ROW_POLE_KM]
    here, there = np.empty(bands.shape[1]), np.empty(4)
    _from_table(bands, lat, here)
    side = 1.0 if lat >= 0.0 else -1.0
    flat = _smooth((abs(lat) - _FADE_FROM) / _FADE_OVER)
    back = (shift + 0.4 * age) * _DEGREE
    cos_back, sin_back = math.cos(back) * (90.0 - abs(lat)), side * math.sin(back) * (90.0 - abs(lat))
    chart = seed * 1000 + (500 if lat >= 0.0 else 250)
    for column in range(out.shape[2]):
        lon = west + column * step
        still = lon - shift
        x, y = still - age, lat
        cos_lon, sin_lon = 1.0, 0.0
        if flat > 0.0:
            cos_lon, sin_lon = math.cos(lon * _DEGREE), side * math.sin(lon * _DEGREE)
        polar = (cos_lon * cos_back + sin_lon * sin_back, sin_lon * cos_back - cos_lon * sin_back)
        which, u, v, r = _nearest_vortex(
            lat, lon, per_lon, (pole_km * cos_lon, pole_km * sin_lon), starts[row], starts[row + 1], near, vortices
        )
        inside, fine, calm = 0.0, octaves, 0.0
        if which >= 0:
            soft = vortices[which, SOFT]
            dx, dy = _around(vortices[which], u, v, r, lat, per_lon)
            if vortices[which, POLAR] == 0.0:
                # Collars are smooth, and stretch clouds so far that their finest octaves would fall between pixels.
                calm = _smooth((2.1 - r) / 0.8)
                fine -= 1.6 * calm
            r = _uneven(u, v, r, vortices[which])
            inside = 1.0 - _smooth((r - soft) / (2.0 - 2.0 * soft))
            x, y = x + dx, y + dy
        # Where eddies stir: in patches, and more in the wake.
        patch = gradient_noise(still / 9.0, y / 4.0, 40, chart + 77)
        wake = _wake(lat, still, spot_lon)
        stir = (here[_STIR] * (1.0 + 0.5 * patch) + 0.7 * wake) * (1.0 - 0.75 * calm)
        bright, hue, thin, along, moved, edge, sign = _clouds(
            (still, x, y), polar, flat, side, stir, octaves, fine, chart
        )
        sector = gradient_noise(x / 45.0, y / 3.0, 8, chart + 85)
        streak = gradient_noise(x / 18.0, (y + 0.3 * moved) / 0.45, 20, chart + 81)
        wave = gradient_noise(x / 7.2, y / 3.0, 50, chart + 83)
        _from_table(bands, y + 0.7 * moved + (0.9 * wave + 1.3 * sector) * (0.22 + here[_STIR]), there)
        filament = here[_FILAMENTS] * _smooth((patch + 0.05) / 0.35)
        light = 2.0 * here[_TEXTURE] * (1.0 + 0.8 * wake) * (bright + 0.5 * sector) * (1.0 + 1.5 * filament)
        light += 0.8 * here[_STREAKS] * streak + 0.20 * thin * filament + 0.24 * wake * max(bright, 0.0)
        light = _with_oval(light, edge, sign, here[_FILAMENTS])
        plume = 0.0
        if lat > -1.0 and lat < 11.0:
            plume = _festoons(still + 0.5 * along, y + 0.5 * moved, chart + 7) * (1.0 + 0.5 * bright)
        if which >= 0:
            if inside > 0.0:
                f = _inside_vortex(u, v, r, vortices[which], octaves, 0.7)
                light += inside * (vortices[which, CONTRAST] * f - light)
            light += vortices[which, RING] * math.exp(-(((r - 1.14) / 0.16) ** 2))
        brown = _smooth((0.76 - there[0] / there[2]) / 0.16) * _smooth(here[_STIR] / 0.55) * (1.0 - inside)
        rift = 0.0
        if brown > 0.0:
            rift = gradient_noise((x + along) / 12.0, (y + moved) / 2.2, 30, chart + 87) + 0.35 * bright
        for n in range(out.shape[0]):
            band = picks[n]
            value = _along_belt(there[band], band, brown, rift, sector)
            if which >= 0:
                value = _tinted(value, vortices[which], band, r, inside)
            value *= 1.0 - plume * (0.14 if band == 0 else (0.26 if band == 1 else 0.38))
            contrast = light * here[_TINT + band] * (1.0 + (0.35 * hue if band == 0 else 0.0))
            out[n, row, column] = min(max(value * (1.0 + contrast), 0.0), 1.0)


@jit()
def _tinted(value, vortex, band, r, inside):  # type: ignore[no-untyped-def]
    """Albedo with a vortex's colour inside, and the pale hollow that the Great Red Spot carves."""
    if vortex[HOLLOW] > 0.0:
        hollow = _smooth((1.5 - r) / 0.3)
        if band < 3:
            value += 0.35 * hollow * (vortex[HOLLOW + band] - value)
    own = vortex[TINT + band]
    if own > 0.0:
        # The core is deeper coloured than the outer spiral.
        deep = own * (1.0 - (0.12 if band == 0 else 0.05) * _smooth(1.0 - 1.6 * r) + 0.06 * _smooth(2.0 * r - 0.9))
        # A darker lane inside the rim, as of ovals seen from near.
        deep *= 1.0 - 0.06 * math.exp(-(((r - 0.66) / 0.14) ** 2))
        value += inside * (deep - value)
    return value
