"""Hits on detail of real images, and specks: known ones are repaired, and few others."""

from pathlib import Path

import numpy as np
import pytest

from perijove.calibrate.quality import Quality
from perijove.pipeline import Image, open_image
from perijove.project.faint_hits import without_faint_hits


@pytest.fixture(scope="module")
def image(real_data: Path) -> Image:
    return open_image(real_data / "raw" / "JNCE_2022229_44C00032_V01-raw.png")


def test_a_hit_beside_the_limb_is_filled(image: Image) -> None:
    blue = image.label.bands.index("BLUE")
    # 303 and 359 counts where all around is 160 to 175, two pixels from the limb, in no other band.
    struck = image.calibrated.quality[15, blue, 32:34, 76] & np.uint8(Quality.COSMIC)
    assert (struck > 0).all()
    values = image.calibrated.i_over_f[15, blue, 31:35, 75:78]
    assert values.max() < 1.2 * float(np.median(values))


def test_a_speck_is_evened_out(real_data: Path) -> None:
    image = open_image(real_data / "raw" / "JNCE_2022229_44C00029_V01-raw.png")
    green = image.label.bands.index("GREEN")
    # It takes 7 % of the light in this image, and 14 % in 44C00032, in other frames.
    assert (image.unlevelled.quality[:, green, 33, 119] & np.uint8(Quality.HOT)).all()


def test_few_pixels_are_taken(image: Image) -> None:
    before = image.unlevelled
    after = without_faint_hits(before, image.located.solution.pointing)
    changed = after.quality != before.quality
    # More than one in 100,000, less than one in 20,000: of 5 sigma and more of noise alone there would be three.
    assert 1e-5 < changed[..., 30:1620].mean() < 5e-5
    assert (after.i_over_f[changed] < before.i_over_f[changed]).mean() > 0.95
