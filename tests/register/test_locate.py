"""The whole way from pixels to pointing, on images whose pointing is known."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from perijove.errors import GeometryError
from perijove.register.locate import Knowledge, Located, locate


@pytest.fixture(scope="session")
def earth(earth_scene: Any) -> Located:
    return locate(earth_scene.label, earth_scene.values, Knowledge())


@pytest.fixture(scope="session")
def tilted(tilted_scene: Any) -> Located:
    return locate(tilted_scene.label, tilted_scene.values, Knowledge())


def axis_error_deg(scene: Any, located: Located) -> float:
    return float(np.degrees(np.linalg.norm(np.cross(located.solution.spin_axis, scene.axis))))


def test_an_earth_pointed_image_is_located(compare: Any, earth_scene: Any, earth: Located) -> None:
    assert earth.warnings == ()
    assert earth.axis_source == "Earth"
    assert earth.limb_points > 1000
    error = compare.disc(earth_scene, earth.solution.pointing)
    # The limb is lit on one side: what is not known of its height (15 km are 0.06 px) and of where its steepest point
    # is found (0.2 px) moves the disc. 0.15 px are 35 km on the ground.
    assert np.abs(np.median(error, axis=0)).max() < 0.15
    assert np.median(np.hypot(*error.T)) < 0.15
    assert axis_error_deg(earth_scene, earth) < 0.1


def test_a_tilted_image_is_located_but_for_its_roll(compare: Any, tilted_scene: Any, tilted: Located) -> None:
    pointing = tilted.solution.pointing
    assert tilted.axis_source == "nearest to the Earth"
    assert len(tilted.warnings) == 1
    assert "off the Earth" in tilted.warnings[0]
    sigma = tilted.solution.parameters["roll_about_target"].sigma
    roll = compare.roll(tilted_scene, pointing)
    assert abs(roll) < 3 * sigma
    # Flattening alone: a limb found to 0.1 px everywhere turns an ellipse of 12 px by 1 % of a radian.
    assert abs(roll) < 0.02
    error = compare.disc(tilted_scene, compare.without_roll(tilted_scene, pointing))
    assert np.abs(np.median(error, axis=0)).max() < 0.15
    assert np.median(np.hypot(*error.T)) < 0.2


@pytest.mark.parametrize("tilt_deg", [1.5, 3.0])
def test_a_small_tilt_is_not_taken_for_earth_pointing(synthetic: Any, compare: Any, tilt_deg: float) -> None:
    # Tilted along the line to the planet: the angle between axis and planet, which the limb tells, changes.
    label = synthetic.make_label()
    least = min(
        range(0, 360, 10),
        key=lambda angle: compare.target(_Bare(label, synthetic)) @ synthetic.tilted_axis(label, 10.0, angle),
    )
    scene = synthetic.make_scene(tilt_deg, float(least), albedo=synthetic.even)
    located = locate(scene.label, scene.values, Knowledge())
    assert located.axis_source == "nearest to the Earth"
    assert axis_error_deg(scene, located) < 3 * np.degrees(located.solution.spin_axis_sigma_rad)


class _Bare:
    """Label and trajectory of a scene that is not drawn yet."""

    def __init__(self, label: Any, synthetic: Any) -> None:
        self.label = label
        self.trajectory = synthetic.trajectory_from_label(label)


@pytest.mark.parametrize("factor", [0.5, 0.7, 1.3, 2.0])
def test_the_label_of_another_image_is_refused(earth_scene: Any, factor: float) -> None:
    label = dataclasses.replace(earth_scene.label, altitude_km=factor * earth_scene.label.altitude_km)
    with pytest.raises(GeometryError, match="check that the label belongs to the image"):
        locate(label, earth_scene.values, Knowledge())


@pytest.mark.parametrize(("albedo", "limit_deg"), [("even", 4.0), ("clouds", 20.0)])
def test_without_a_limb_the_shading_serves(synthetic: Any, compare: Any, albedo: str, limit_deg: float) -> None:
    # From 12,000 km five frames see no limb; where the terminator lies tells the turn about the spin axis.
    scene = synthetic.make_scene(
        0.0,
        albedo=getattr(synthetic, albedo),
        altitude_km=12000.0,
        frames=5,
        sub_spacecraft_lon_w_sys3_deg=294.0,
    )
    located = locate(scene.label, scene.values, Knowledge())
    assert any("NO LIMB" in warning for warning in located.warnings)
    assert located.limb_points == 0
    assert located.solution.residual_px.size == 0
    turn = np.degrees(np.linalg.norm(compare.turn(scene, located.solution.pointing)))
    # Along the scan the shading varies slowly, so that noise moves its best fit by degrees and clouds by more.
    assert turn < limit_deg
    # It does not pretend to know.
    assert located.solution.parameters["turn_along_scan"].sigma > np.radians(10)


def test_only_jupiter_is_located(earth_scene: Any) -> None:
    label = dataclasses.replace(earth_scene.label, target="EUROPA")
    with pytest.raises(GeometryError, match="shows EUROPA"):
        locate(label, earth_scene.values, Knowledge())


def test_a_label_without_a_position_is_refused(earth_scene: Any) -> None:
    nan = float("nan")
    label = dataclasses.replace(
        earth_scene.label, altitude_km=nan, sub_spacecraft_lat_graphic_deg=nan, sub_spacecraft_lon_w_sys3_deg=nan
    )
    with pytest.raises(GeometryError, match="--kernels"):
        locate(label, earth_scene.values, Knowledge())


def test_one_frame_may_show_too_little_but_never_breaks(earth_scene: Any) -> None:
    label = dataclasses.replace(earth_scene.label, frames=1, interframe_delay_s=0.0)
    located = locate(label, earth_scene.values[6:7], Knowledge())
    assert located.solution.pointing.frames == 1
    assert any("NO LIMB" in warning for warning in located.warnings)


def test_a_far_planet_is_located(synthetic: Any, compare: Any) -> None:
    scene = synthetic.make_scene(0.02, altitude_km=800000.0, frames=5)
    located = locate(scene.label, scene.values, Knowledge())
    assert located.warnings == ()
    error = compare.disc(scene, located.solution.pointing)
    # A seventh as many limb points as from near, and some of the terminator.
    assert np.median(np.hypot(*error.T)) < 0.2


def test_full_resolution_is_located_alike(synthetic: Any, compare: Any) -> None:
    scene = synthetic.make_scene(
        0.03, albedo=synthetic.even, sampling_factor=1, bands=("GREEN",), altitude_km=270000.0, frames=8
    )
    located = locate(scene.label, scene.values, Knowledge())
    error = compare.disc(scene, located.solution.pointing)
    assert np.abs(np.median(error, axis=0)).max() < 0.2
