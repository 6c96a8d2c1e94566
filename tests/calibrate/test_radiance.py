import math

import pytest

from perijove.calibrate.radiance import new_camera_white_dn, rdr_scale, throughput, white_dn, white_radiance
from perijove.constants import AU_KM
from perijove.errors import LabelError

FIVE_AU = 5.2 * AU_KM


def test_doubling_the_exposure_doubles_the_counts() -> None:
    one, two = (white_dn("RED", exposure, FIVE_AU, 10) for exposure in (0.0032, 0.0064))
    assert two == pytest.approx(2 * one)


def test_sunlight_falls_with_the_square_of_the_distance() -> None:
    near, far = (white_dn("BLUE", 0.0032, distance, 10) for distance in (FIVE_AU, 2 * FIVE_AU))
    assert near == pytest.approx(4 * far)


@pytest.mark.parametrize(("band", "loss"), [("RED", 0.23), ("GREEN", 0.47), ("BLUE", 0.64)])
def test_published_loss_over_sixty_orbits(band: str, loss: float) -> None:
    # 23, 47 and 64 points (EPSC-DPS2025-1226), rounded.
    assert throughput(band, 0) - throughput(band, 60) == pytest.approx(loss, abs=0.01)


def test_no_loss_is_known_for_methane() -> None:
    assert throughput("METHANE", 60) == 1.0


def test_throughput_stays_positive_far_beyond_the_fit() -> None:
    assert throughput("BLUE", 150) > 0.0


@pytest.mark.parametrize(("band", "weight"), [("RED", 0.763), ("BLUE", 2.22)])
def test_colour_weights_of_perijove_43(band: str, weight: float) -> None:
    # Weights from constants in wide use times the published loss. They and the calibration report differ by
    # 1 % in red and 7 % in blue for the new camera.
    ours = white_dn("GREEN", 0.0032, FIVE_AU, 43) / white_dn(band, 0.0032, FIVE_AU, 43)
    assert ours == pytest.approx(weight, rel=0.08)


def test_unknown_distance_means_five_point_two() -> None:
    assert new_camera_white_dn("GREEN", 0.0032, math.nan) == new_camera_white_dn("GREEN", 0.0032, FIVE_AU)


@pytest.mark.parametrize(
    ("band", "exposure", "distance", "fragment"),
    [
        ("VIOLET", 0.0032, FIVE_AU, "FILTER_NAME"),
        ("RED", 0.0, FIVE_AU, "EXPOSURE_DURATION"),
        ("RED", math.nan, FIVE_AU, "EXPOSURE_DURATION"),
        ("RED", 0.0032, 0.0, "SOLAR_DISTANCE"),
    ],
)
def test_absurd_labels(band: str, exposure: float, distance: float, fragment: str) -> None:
    with pytest.raises(LabelError, match=fragment):
        white_dn(band, exposure, distance, 43)


def test_radiance_of_white_in_sunlight() -> None:
    # E / pi with the solar irradiance of the band: 1.42 W m-2 nm-1 over 175.4 nm at 1 AU.
    assert white_radiance("RED", AU_KM) == pytest.approx(1.42 * 175.4 / math.pi)
    assert white_radiance("RED", 2 * AU_KM) == pytest.approx(1.42 * 175.4 / math.pi / 4)


def test_rdr_values_leave_out_the_loss_of_throughput() -> None:
    # An RDR's 3000 is what a surface of I/F 0.3 gave the new camera; an aged one has 1.07 - 0.0108 n of blue left.
    assert 3000 / rdr_scale("BLUE", 43) == pytest.approx(0.3 / (1.07 - 0.0108 * 43))
