"""What codes of real images stand for, and what is left of columns."""

from pathlib import Path

import numpy as np
import pytest

from perijove.archive.framelets import FrameletStack, read_framelets
from perijove.calibrate.columns import even_columns
from perijove.calibrate.decompand import code_gain, code_range
from perijove.calibrate.faint import noise_of_lit, quieted_if_faint
from perijove.calibrate.radiance import white_dn
from perijove.calibrate.stack import calibrate

EXPOSED = "JNCE_2022186_43C00078_V01"
COLOUR = "JNCE_2022229_44C00032_V01"
METHANE = "JNCE_2022229_44M00040_V01"


def stack_of(folder: Path, product: str) -> FrameletStack:
    return read_framelets(folder / "raw" / f"{product}-raw.png")


def histogram(stack: FrameletStack) -> np.ndarray:
    return np.bincount(np.asarray(stack.dn[..., 23:1631]).ravel(), minlength=256).astype(float)


def test_the_lossless_image_has_table_values_at_the_upper_end(real_data: Path) -> None:
    stack = stack_of(real_data, METHANE)
    number = histogram(stack)
    assert code_gain(stack.label.compression) == 1.0
    # Counts per code by their frequencies: one at 22 and 23, two from 24 on; the density falls by 3 % a code.
    assert number[23] / number[22] == pytest.approx(1.0, abs=0.05)
    assert number[24] / number[23] == pytest.approx(2.0, abs=0.2)
    low, high = code_range("SQROOT")[[22, 23, 24]].T
    np.testing.assert_array_equal(high - low, [1, 1, 2])


@pytest.mark.parametrize("corner", [184, 209])
def test_corners_of_the_table_come_back_raised(real_data: Path, corner: int) -> None:
    stack = stack_of(real_data, EXPOSED)
    # Blue ends at the upper corner.
    bright = [stack.label.bands.index(band) for band in ("GREEN", "RED")]
    number = np.bincount(np.asarray(stack.dn[:, bright, :, 23:1631]).ravel(), minlength=256).astype(float)
    below, above = number[corner - 9 : corner - 1].mean(), number[corner + 5 : corner + 9].mean()
    assert above / below == pytest.approx(2.0, abs=0.35)
    # Where the histogram passes half-way, read along the codes around the corner.
    near = np.arange(corner - 1, corner + 5)
    passed = float(np.interp(0.5 * (below + above), np.maximum.accumulate(number[near]), near))
    # Codes up to the corner hold the narrower step: without a gain it would be half a code behind it, and is half a
    # code and more beyond that. The gain puts it where it is.
    assert passed > corner + 1.0
    assert passed == pytest.approx((corner + 0.5) * code_gain(stack.label.compression), abs=0.4)


def column_scatter(dn: np.ndarray) -> float:
    """Scatter of the columns' means over framelets of sky about the means of 33, DN."""
    means = dn[:, 4:124].mean(axis=1)
    around = np.stack([np.convolve(row, np.full(33, 1 / 33), mode="same") for row in means])
    sky = np.where(around < 3.0, means - around, np.nan)[:, 40:1580]
    told = np.isfinite(sky).sum(axis=0) > 10
    return float(np.std(np.nanmedian(sky[:, told], axis=0)))


def test_columns_are_even_in_the_sky(real_data: Path) -> None:
    before = calibrate(stack_of(real_data, COLOUR))
    after = even_columns(before)
    label = before.label
    index = label.bands.index("RED")
    white = white_dn("RED", label.exposure_s, label.solar_distance_km, label.orbit)
    scatter = [column_scatter(np.nan_to_num(c.i_over_f[:, index]) * white) for c in (before, after)]
    assert scatter[0] > 0.12
    # Medians tell a little else than the means that were evened.
    assert scatter[1] < 0.45 * scatter[0]


def test_methane_is_faint_and_colour_is_not(real_data: Path) -> None:
    colour, methane = (calibrate(stack_of(real_data, product)) for product in (COLOUR, METHANE))
    assert noise_of_lit(colour) < 0.03
    assert quieted_if_faint(colour) is colour
    assert noise_of_lit(methane) > 0.05
