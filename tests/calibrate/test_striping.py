"""Columns that stand off the dark level, under a scene that moves."""

import numpy as np
import pytest

from perijove.calibrate.striping import column_offsets, destriped, wander

SHAPE = (12, 128, 640)


def _frames(offsets: np.ndarray, rng: np.random.Generator, always_lit: slice | None = None) -> np.ndarray:
    """A planet with a terminator in front of the sky, at dark level 45 with noise of 2.5 counts."""
    frame, line, sample = np.mgrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    lit = np.hypot(115.0 * frame + line - 700.0, 1.5 * (sample - 320.0)) < 480.0
    scene = 400.0 * lit * (1.0 + 0.2 * np.sin(sample / 9.0 + frame) * np.sin(line / 7.0))
    if always_lit is not None:
        middle = 0.5 * (always_lit.start + always_lit.stop)
        cloud = 1.0 + 0.1 * np.sin(line / 5.0 + frame)
        scene = np.maximum(scene, 300.0 * cloud * np.exp(-(((sample - middle) / 60.0) ** 2)))
    return np.clip(np.rint(scene + 45.0 + offsets + rng.normal(0.0, 2.5, SHAPE)), 0, 2879).astype(np.uint16)


def test_offsets_are_found_under_a_planet() -> None:
    rng = np.random.default_rng(51)
    true = rng.normal(0.0, 10.0, SHAPE[2])
    found = column_offsets(_frames(true, rng), np.full(SHAPE[0], 45.0))
    # 2.5 counts over a dozen tiles of sixteen lines.
    assert np.sqrt(np.mean((found - true) ** 2)) < 0.5


def test_columns_that_never_see_the_sky_follow_their_neighbours() -> None:
    rng = np.random.default_rng(52)
    true = rng.normal(0.0, 10.0, SHAPE[2])
    part = slice(256, 352)
    found = column_offsets(_frames(true, rng, part), np.full(SHAPE[0], 45.0))
    # What neighbours have in common cannot be told from the slope of the scene: half of the striping stays at most.
    assert np.sqrt(np.mean((found[part] - true[part]) ** 2)) < 6.0
    assert np.corrcoef(found[part], true[part])[0, 1] > 0.95


def test_lost_blocks_are_no_sky() -> None:
    rng = np.random.default_rng(53)
    true = rng.normal(0.0, 10.0, SHAPE[2])
    dn = _frames(true, rng)
    dn[3, 32:48, 96:128] = dn[5, 16:32, 512:544] = 0
    found = column_offsets(dn, np.full(SHAPE[0], 45.0))
    assert np.abs(found - true).max() < 4.0


def test_an_even_camera_is_left_alone() -> None:
    rng = np.random.default_rng(54)
    assert not column_offsets(_frames(np.zeros(SHAPE[2]), rng), np.full(SHAPE[0], 45.0)).any()
    assert not column_offsets(np.zeros((0, 128, 640), np.uint16), np.zeros(0)).any()


def test_columns_that_respond_unlike_are_not_striped() -> None:
    rng = np.random.default_rng(55)
    light = np.where(np.arange(SHAPE[0]) < 8, 400.0, 0.0)[:, None, None]
    # One per cent of the 400 counts of most frames is more than the least striping; the sky of the others has none.
    gain = 1.0 + rng.normal(0.0, 0.01, SHAPE[2])
    dn = np.rint(45.0 + gain * light + rng.normal(0.0, 2.5, SHAPE)).astype(np.uint16)
    assert not column_offsets(dn, np.full(SHAPE[0], 45.0)).any()


def test_counts_do_not_fall_below_zero() -> None:
    assert destriped(np.array([[3, 3]], np.uint16), np.array([5.0, -1.6], np.float32)).tolist() == [[0, 5]]


@pytest.mark.parametrize(("spread", "part"), [(1.0, 0.5), (0.0, None)])
def test_what_is_left_in_one_frame(spread: float, part: float | None) -> None:
    rng = np.random.default_rng(55)
    left = spread * rng.normal(size=300)
    noise = np.full((128, 300), 2.5, np.float32)
    residual = (left + rng.normal(0.0, 2.5, noise.shape)).astype(np.float32)
    found = wander(residual, noise)
    if part is None:
        # The mean of 128 pixels scatters by 0.22 counts; hardly any of it may be taken for an offset.
        assert np.abs(found).max() < 0.2
    else:
        assert np.std(found - left) < part * spread
