"""Hits planted in scenes of known truth, and scenes that look like hits."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from perijove.calibrate import defects
from perijove.calibrate.decompand import code_step, companding_table, decompand
from perijove.calibrate.hits import find_hits, find_holes

Expose = Callable[[np.ndarray, np.random.Generator], np.ndarray]
Encode = Callable[[np.ndarray], np.ndarray]

SIGMA = np.concatenate(
    [defects.sigma_table(companding_table("SQROOT"), code_step("SQROOT")), np.full(2000, 20.0, np.float32)]
)
SHAPE = (128, 600)
NOTHING = defects.FixedPattern(np.zeros(SHAPE, np.float32), np.zeros(SHAPE, bool))


def _terminator(peak: float = 900.0) -> np.ndarray:
    """From full light on the left to the dark on the right, as in a real framelet."""
    return np.broadcast_to(peak * np.clip(1.0 - np.arange(SHAPE[1]) / 400.0, 0.0, None) ** 1.5, SHAPE)


def _clouds(rng: np.random.Generator) -> np.ndarray:
    """Clouds with detail as fine as the optics let through: 10 % contrast, Gaussian blur of 0.8 px."""
    fine = gaussian_filter(rng.normal(size=SHAPE), 0.8)
    coarse = gaussian_filter(rng.normal(size=SHAPE), 4.0)
    return 600.0 * (1.0 + 0.1 * fine / fine.std() + 0.1 * coarse / coarse.std())


def _detail(dn: np.ndarray, encode: Encode) -> defects.Detail:
    return defects.detail_of(decompand(encode(dn), "SQROOT"), SIGMA)


def test_hits_are_found_from_light_to_dark(expose: Expose, encode: Encode) -> None:
    rng = np.random.default_rng(11)
    scene = _terminator()
    hit = np.zeros(SHAPE, bool)
    hit[rng.integers(2, 126, 300), rng.integers(3, 597, 300)] = True
    hit[40, 100:104] = True  # a short track
    hit[60:62, 300:302] = True  # a blob
    noise = np.sqrt(1.1 + scene / 16.0) + scene / 120.0
    found = find_hits(_detail(expose(scene + hit * 12.0 * noise, rng), encode), NOTHING)
    # A hit of twelve sigma falls below five only where noise and neighbours conspire.
    assert found[hit].mean() > 0.97
    # Flanks of hits at 2.5 sigma: 8 neighbours x 0.6 % of 300 hits; elsewhere five sigma, one in a million.
    assert (found & ~hit).sum() < 30


def test_nothing_is_found_in_noise(expose: Expose, encode: Encode) -> None:
    rng = np.random.default_rng(12)
    found = [find_hits(_detail(expose(_terminator(), rng), encode), NOTHING) for _ in range(4)]
    # Of 300,000 pixels; the noise near zero counts is cut off and coarse, hence more than a normal law has.
    assert np.sum(found) < 15


def test_fine_clouds_are_not_eaten(expose: Expose, encode: Encode) -> None:
    rng = np.random.default_rng(13)
    found = [find_hits(_detail(expose(_clouds(rng), rng), encode), NOTHING) for _ in range(4)]
    # One pixel in ten thousand of texture that is sharper than any real image of the planet.
    assert np.mean(found) < 1e-4


def test_a_bright_hit_is_found_in_fine_clouds(expose: Expose, encode: Encode) -> None:
    rng = np.random.default_rng(14)
    hit = np.zeros(SHAPE, bool)
    hit[5:125:12, 10:590:40] = True
    found = find_hits(_detail(expose(_clouds(rng) + 700.0 * hit, rng), encode), NOTHING)
    assert found[hit].mean() > 0.9


def test_limb_is_not_eaten(expose: Expose, encode: Encode) -> None:
    rng = np.random.default_rng(15)
    lines, samples = np.mgrid[: SHAPE[0], : SHAPE[1]]
    disc = np.hypot(lines - 64.0, samples - 300.0) < 250.0
    scene = gaussian_filter(disc * 1200.0, 0.5)
    found = find_hits(_detail(expose(scene, rng), encode), NOTHING)
    # Noise alone brings some pixels of 76,800 beyond four sigma; an eaten limb would be hundreds.
    assert found.sum() < 12


@pytest.mark.parametrize("radius", [2.5, 4.0, 7.0])
def test_a_moon_survives(radius: float, expose: Expose, encode: Encode) -> None:
    rng = np.random.default_rng(16)
    lines, samples = np.mgrid[: SHAPE[0], : SHAPE[1]]
    disc = np.hypot(lines - 60.3, samples - 200.6) < radius
    shadow = np.hypot(lines - 60.3, samples - 200.6 - 0.5 * radius) < radius
    full = gaussian_filter(disc * 400.0, 0.6)
    crescent = gaussian_filter((disc & ~shadow) * 400.0, 0.6) if radius > 3.0 else full
    for moon in (full, crescent):
        found = find_hits(_detail(expose(moon + 0.5, rng), encode), NOTHING)
        assert not found[moon > 20.0].any()


def _line(start: tuple[float, float], angle: float, length: float) -> np.ndarray:
    """Pixels that a straight track crosses."""
    steps = np.arange(0.0, length, 0.25)
    track = np.zeros(SHAPE, bool)
    track[(start[0] + steps * np.sin(angle)).astype(int), (start[1] + steps * np.cos(angle)).astype(int)] = True
    return track


@pytest.mark.parametrize("angle", [0.0, 0.4, np.pi / 4, 1.2, np.pi / 2])
def test_a_track_is_found_whole(angle: float, expose: Expose, encode: Encode) -> None:
    rng = np.random.default_rng(31)
    track = _line((50.3, 200.4), angle, 20.0)
    found = find_hits(_detail(expose(_terminator() + 300.0 * track, rng), encode), NOTHING)
    # 300 counts are twenty times the noise: nothing of it may stay, and of the 76,800 others next to nothing go.
    assert found[track].all()
    assert (found & ~track).sum() < 12


def test_a_faint_track_is_found_as_a_chain(expose: Expose, encode: Encode) -> None:
    scene = np.full(SHAPE, 600.0)
    noise = np.sqrt(1.1 + 600.0 / 16.0 + 8.0**2 / 12.0)
    share = []
    for seed in range(8):
        track = _line((40.0 + seed, 300.0), 0.5, 14.0)
        dn = expose(scene + 4.0 * noise * track, np.random.default_rng(seed))
        share.append(find_hits(_detail(dn, encode), NOTHING)[track].mean())
    # Of lone pixels of four sigma under a threshold of 4.2 four in ten are found, and flanks cannot help them.
    assert np.mean(share) > 0.55


def test_a_hit_beside_the_limb_is_found(expose: Expose, encode: Encode) -> None:
    rng = np.random.default_rng(32)
    lines, samples = np.mgrid[: SHAPE[0], : SHAPE[1]]
    disc = gaussian_filter((np.hypot(lines - 64.0, samples - 300.0) < 250.0) * 1200.0, 0.5)
    hit = np.zeros(SHAPE, bool)
    hit[64, [46, 553]] = True
    found = find_hits(_detail(expose(disc + 90.0 * hit, rng), encode), NOTHING)
    assert found[hit].all()


def test_a_crescent_of_a_pixel_and_a_half_survives(expose: Expose, encode: Encode) -> None:
    lines, samples = np.mgrid[: 4 * SHAPE[0], : 4 * SHAPE[1]] / 4.0
    disc = np.hypot(lines - 60.3, samples - 200.6) < 3.6
    shadow = np.hypot(lines - 60.3, samples - 201.9) < 3.3
    fine = gaussian_filter((disc & ~shadow) * 1400.0, 4 * 0.5)
    moon = fine.reshape(SHAPE[0], 4, SHAPE[1], 4).mean(axis=(1, 3))
    found = find_hits(_detail(expose(moon, np.random.default_rng(33)), encode), NOTHING)
    assert moon.max() > 400.0
    assert not found[moon > 60.0].any()


def test_a_hole_is_found_and_a_dark_spot_is_not(expose: Expose, encode: Encode) -> None:
    rng = np.random.default_rng(34)
    hole = np.zeros(SHAPE, bool)
    hole[5:125:12, 10:590:40] = True
    spot = gaussian_filter(hole.astype(float), 1.2)
    scene = np.full(SHAPE, 700.0)
    deep = find_holes(_detail(expose(scene - 120.0 * hole, rng), encode), NOTHING)
    broad = find_holes(_detail(expose(scene - 120.0 * spot / spot.max(), rng), encode), NOTHING)
    assert deep[hole].mean() > 0.97
    assert (deep & ~hole).sum() < 5
    assert broad.sum() < 0.2 * hole.sum()
