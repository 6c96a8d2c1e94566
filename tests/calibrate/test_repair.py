"""Each repair alone, flagged, and switched off."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from perijove.archive.framelets import FrameletStack
from perijove.calibrate.quality import Quality
from perijove.calibrate.radiance import white_dn
from perijove.calibrate.repair import Repairs, saturated
from perijove.calibrate.stack import CalibratedStack, calibrate

Make = Callable[..., FrameletStack]
Expose = Callable[[np.ndarray, np.random.Generator], np.ndarray]
Encode = Callable[[np.ndarray], np.ndarray]
SHAPE = (8, 1, 128, 1648)
LEVEL = 300.0
WHITE = white_dn("GREEN", 0.0032, 7.4172e8, 44)
HOT, HIT, MOTE, BLOCK = (40, 300), (80, 900), (60, 1200), (slice(64, 80), slice(496, 512))


@pytest.fixture
def damaged(make_stack: Make, expose: Expose, encode: Encode) -> FrameletStack:
    """A cloud with a hot pixel, a hit in one frame, a mote, and a lost block."""
    dn = np.zeros(SHAPE)
    dn[..., 23:1631] = LEVEL
    lines, samples = np.mgrid[:128, :1648]
    dn *= 1.0 - 0.5 * np.exp(-((((lines - MOTE[0]) ** 2 + (samples - MOTE[1]) ** 2) / 9.0) ** 2))
    dn[(slice(None), 0, *HOT)] += 90.0
    dn[(3, 0, *HIT)] += 300.0
    codes = encode(expose(dn, np.random.default_rng(71)))
    codes[(5, 0, *BLOCK)] = 0
    return make_stack(codes)


def _at(result: CalibratedStack, frame: int, where: tuple[Any, Any]) -> tuple[np.ndarray, np.ndarray]:
    return result.i_over_f[(frame, 0, *where)] * WHITE, result.quality[(frame, 0, *where)]


def test_all_is_repaired_and_flagged(damaged: FrameletStack) -> None:
    result = calibrate(damaged)
    for where, flag in ((HOT, Quality.HOT), (HIT, Quality.COSMIC), (MOTE, Quality.HOT)):
        value, quality = _at(result, 3, where)
        assert quality & flag
        assert quality & Quality.REPAIRED
        # Five times the noise of 300 counts, twice that under the mote.
        assert value == pytest.approx(LEVEL, abs=50.0)
    value, quality = _at(result, 5, BLOCK)
    assert np.isnan(value).all()
    assert (quality & np.uint8(Quality.BLOCK)).all()


@pytest.mark.parametrize(
    ("name", "frame", "where", "left"), [("hits", 3, HIT, 600.0), ("dust", 3, MOTE, 150.0), ("blocks", 5, BLOCK, 0.0)]
)
def test_each_can_be_switched_off(damaged: FrameletStack, name: str, frame: int, where: Any, left: float) -> None:
    # Without dust a mote is a dull pixel, which is no business of this test.
    others = {"hot": False} if name == "dust" else {}
    value, quality = _at(calibrate(damaged, repairs=Repairs(**{name: False}, **others)), frame, where)
    np.testing.assert_allclose(value, left, atol=45.0)
    assert not (quality & np.uint8(Quality.COSMIC | Quality.BLOCK | Quality.HOT)).any()


def test_nothing_is_touched_if_nothing_is_wanted(damaged: FrameletStack) -> None:
    result = calibrate(damaged, repairs=Repairs.none())
    touched = Quality.HOT | Quality.COSMIC | Quality.BLOCK | Quality.REPAIRED
    assert not (result.quality & np.uint8(touched)).any()
    assert _at(result, 3, HOT)[0] == pytest.approx(LEVEL + 90.0, abs=45.0)


def test_a_hot_pixel_that_compression_took_away_leaves_no_hole(
    make_stack: Make, expose: Expose, encode: Encode
) -> None:
    dn = np.zeros((12, *SHAPE[1:]))
    dn[:10, 0, 40, 300] = 60.0
    dn[10:, 0, :, 23:1631] = LEVEL  # as lossy compression leaves it: no excess in bright blocks
    result = calibrate(make_stack(encode(expose(dn, np.random.default_rng(72)))))
    for frame in (10, 11):
        value, quality = _at(result, frame, HOT)
        assert quality & Quality.HOT
        assert value == pytest.approx(LEVEL, abs=22.0)


def test_charge_spills_along_the_columns() -> None:
    dn = np.full((7, 5), 100, np.uint16)
    dn[3, 2] = 2500
    assert saturated(dn, 2400).nonzero()[0].tolist() == [2, 3, 4]
    assert saturated(dn, 2400).nonzero()[1].tolist() == [2, 2, 2]
    assert not saturated(dn, 2600).any()


def test_noise_is_taken_out_and_confidence_told(make_stack: Make, encode: Encode) -> None:
    rng = np.random.default_rng(73)
    dn = np.full(SHAPE, 45.0)
    dn[..., 23:1631] += LEVEL
    codes = encode(np.rint(dn + rng.normal(0.0, 4.0, SHAPE)))
    on, off = (calibrate(make_stack(codes.copy()), repairs=Repairs(noise=mode)) for mode in ("auto", "off"))
    kept = off.quality == 0
    assert off.confidence is None
    assert on.confidence is not None
    assert np.std(on.i_over_f[kept]) < 0.5 * np.std(off.i_over_f[kept])
    assert on.confidence[kept].min() > 0.0
    assert any("taken out" in note for note in on.notes)
    assert any("left in" in note for note in off.notes)
