from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perijove.calibrate.decompand import (
    code_gain,
    code_range,
    code_step,
    companding_table,
    decompand,
    expand,
    expected_dn,
)
from perijove.errors import ImageFileError, LabelError

Rule = Callable[[np.ndarray, np.ndarray], np.ndarray]
# Corners of the on-board curve (SIS, appendix C).
CORNERS = {0: 0, 23: 23, 43: 63, 89: 247, 184: 1007, 209: 1407, 255: 2879}


def test_sqroot_is_straight_between_its_corners() -> None:
    expected = np.interp(np.arange(256), list(CORNERS), list(CORNERS.values()))
    np.testing.assert_array_equal(companding_table("SQROOT"), expected)


@pytest.mark.parametrize(("mode", "factor"), [("LIN1", 1), ("LIN8", 8), ("LIN16", 16)])
def test_linear_modes(mode: str, factor: int) -> None:
    np.testing.assert_array_equal(companding_table(mode), np.arange(256) * factor)
    assert set(code_step(mode).tolist()) == {factor}


@pytest.mark.parametrize("mode", ["SQROOT", "LIN1", "LIN8", "LIN16"])
def test_steps_are_the_gaps_of_the_table(mode: str) -> None:
    np.testing.assert_array_equal(np.diff(companding_table(mode).astype(int)), code_step(mode)[:-1])


@given(st.integers(0, 2879))
def test_a_count_lies_in_the_interval_of_its_code(dn: int) -> None:
    table, step = companding_table("SQROOT").astype(int), code_step("SQROOT").astype(int)
    inside = np.flatnonzero((table <= dn) & (dn < table + step))
    assert len(inside) == 1


def test_shape_is_kept() -> None:
    codes = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    dn = decompand(codes, "SQROOT")
    assert dn.shape == (2, 3, 4)
    assert dn[1, 2, 3] == 23


@pytest.mark.parametrize("mode", ["", "sqroot", "LIN2"])
def test_unknown_mode(mode: str) -> None:
    with pytest.raises(LabelError, match="SAMPLE_BIT_MODE_ID"):
        companding_table(mode)


def test_sixteen_bit_pixels_are_no_codes() -> None:
    with pytest.raises(ImageFileError, match="uint16"):
        decompand(np.zeros(3, np.uint16), "SQROOT")  # type: ignore[arg-type]


def test_shared_tables_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        companding_table("SQROOT")[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        code_step("SQROOT")[0] = 1


def first_not_below(levels: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return np.searchsorted(levels, counts)


def nearest(levels: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return np.searchsorted((levels[1:] + levels[:-1]) / 2, counts, side="right")


@pytest.mark.parametrize(
    ("bit_mode", "rule"), [("SQROOT", first_not_below), ("LIN1", nearest), ("LIN8", nearest), ("LIN16", nearest)]
)
def test_ranges_hold_the_counts_that_become_their_code(bit_mode: str, rule: Rule) -> None:
    levels = companding_table(bit_mode).astype(float)
    counts = np.arange(int(levels[-1]) + 1)
    codes = rule(levels, counts)
    ranges, expected = code_range(bit_mode), expected_dn(bit_mode)
    for code in range(255):
        held = counts[codes == code]
        assert ranges[code].tolist() == [held.min() - 0.5, held.max() + 0.5]
        assert expected[code] == held.mean()
    np.testing.assert_array_equal(ranges[1:, 0], ranges[:-1, 1])


def test_counts_come_back_through_lossy_compression() -> None:
    # Codes of counts, times the gain, in between whole codes: dithered rounding is right in the mean.
    counts = np.arange(100, 2000, 7)
    codes = first_not_below(companding_table("SQROOT").astype(float), counts)
    gain = code_gain("INTEGER COSINE TRANSFORM")
    raised = np.floor(codes[:, None] * gain + np.random.default_rng(5).random((len(codes), 4000))).astype(np.uint8)
    back = expand(raised, "SQROOT", gain=gain).mean(axis=1)
    # The width of a code hides where in it a count lay; corners are rounded off by a part of it.
    step = code_step("SQROOT")[codes]
    assert (np.abs(back - counts) <= 0.55 * step + 0.5).all()
    # That left out, 0.1 % is chance; taken for codes as they are, counts are 1 to 4 % too high.
    assert np.mean(back / counts) == pytest.approx(1.0, abs=0.001)
    assert np.mean(expand(raised, "SQROOT").mean(axis=1) / counts) > 1.015


def test_only_the_lossy_compression_has_a_gain() -> None:
    assert code_gain("HUFFMAN") == code_gain("NONE") == code_gain("") == 1.0
    np.testing.assert_array_equal(code_range("SQROOT", 1.0), code_range("SQROOT"))


def test_dithered_counts_stay_in_the_range_of_their_code() -> None:
    codes = np.repeat(np.arange(256, dtype=np.uint8), 50)
    counts = expand(codes, "SQROOT", dither_seed=3)
    low, high = code_range("SQROOT")[codes].T
    assert ((counts >= low) & (counts <= high)).all()
    np.testing.assert_array_equal(counts, expand(codes, "SQROOT", dither_seed=3))


def test_expanding_refuses_other_pixels() -> None:
    with pytest.raises(ImageFileError, match="8-bit"):
        expand(np.zeros(3, np.uint16), "SQROOT")  # type: ignore[arg-type]
