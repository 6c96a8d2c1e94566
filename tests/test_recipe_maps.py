"""Recipes whose view is a map, on a planet whose truth is known."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from perijove.cli import app
from perijove.compose.options import PictureOptions
from perijove.constants import JUPITER_RADII_KM
from perijove.darkroom.curve import to_linear
from perijove.darkroom.layers import MAIN, PictureSource
from perijove.darkroom.operators import OPERATORS
from perijove.darkroom.recipe import recipe_of, write_yaml
from perijove.darkroom.views import MapView
from perijove.developing import Table, develop, drawn, map_plan
from perijove.errors import OptionError
from perijove.finishing import develop_to, recipe_in, rerun
from perijove.geometry.ellipsoid import lat_centric_deg
from perijove.mapping import Drawing, MapPlan
from perijove.opening import Opening
from perijove.project.grid import MapGrid, Region

POLE = {"map": {"projection": "polar-stereographic", "to_latitude": 50}, "size": 240}


def recipe(*layers: dict[str, Any], view: dict[str, Any] = POLE, name: str = "trial") -> Any:
    return recipe_of({"perijove_recipe": 2, "name": name, "view": view, "layers": list(layers)})


@pytest.fixture(scope="module")
def image(opening: Opening) -> Any:
    return opening.open()


@pytest.fixture(scope="module")
def table(image: Any) -> Table:
    return develop({MAIN: image}, recipe({"picture": {}})).table


def test_the_natural_map_is_what_perijove_map_draws(image: Any) -> None:
    made = develop({MAIN: image}, recipe({"picture": {}}))
    plan = MapPlan("north-stereographic", Region(50, 90, 0, 360), size=240)
    expected = Drawing(image, plan.grid(image), plan).picture(PictureOptions()).pixels
    assert np.abs(made.pixels.astype(int) - expected).max() <= 1
    assert made.fidelity.badge == "natural"
    assert made.fidelity.line.endswith("drawn as a map")
    assert made.fidelity.report()["drawn_as"] == "a map"


def test_masks_of_latitude_are_circles_about_the_pole(image: Any) -> None:
    layers = [{"picture": {}}, {"colour": [1, 0, 0], "mask": {"latitude": {"above": 70}}}]
    made = develop({MAIN: image}, recipe(*layers))
    y, x = np.mgrid[:240, :240] + 0.5 - 120
    # Stereographic on a sphere of the equator's radius: 2 R tan of half the polar distance, planetocentric.
    polar = np.radians(90.0 - float(lat_centric_deg(70.0)))
    radius = 2 * JUPITER_RADII_KM[0] * 1e3 * np.tan(polar / 2) / made.raster.view.scale_m
    known = made.raster.weight.min(axis=-1) > 0
    red = (made.pixels == (65535, 0, 0)).all(axis=-1)
    away = np.hypot(x, y)
    assert red[known & (away < radius - 1)].all()
    assert not red[away > radius + 1].any()
    assert np.count_nonzero(red) > 1000


@pytest.mark.parametrize(
    "mask",
    [
        {"longitude": {"centre": 30, "width": 90, "feather": 10}},
        {"emission": {"below": 60, "feather": 10}},
        {"incidence": {"below": 60, "feather": 10}},
        {"phase": {"above": 10}},
        {"confidence": {"above": 0.9}},
        {"luminance": {"above": 0.5}},
    ],
)
def test_all_masks_of_physics_hold_on_maps(image: Any, mask: dict[str, Any]) -> None:
    whole = develop({MAIN: image}, recipe({"picture": {}})).pixels
    parted = develop({MAIN: image}, recipe({"picture": {}, "mask": mask})).pixels
    kept = np.count_nonzero(parted.any(axis=-1)) / np.count_nonzero(whole.any(axis=-1))
    assert 0.01 < kept <= 1.0
    assert (parted <= whole).all()


@pytest.mark.parametrize("name", OPERATORS)
def test_every_operator_works_on_maps(table: Table, name: str) -> None:
    canvas = table.canvas(PictureSource())
    step = OPERATORS[name]()
    colour = to_linear(canvas.colour) if step.domain == "linear" else canvas.colour
    made = step.apply(colour, canvas)
    assert made.shape == colour.shape
    assert np.isfinite(made).all()
    # Clouds are still there.
    assert np.ptp(made[canvas.cover > 0]) > (0.002 if name == "high-pass" else 0.05)


def test_lengths_are_parts_of_the_map(image: Any) -> None:
    """What a glow of some percents adds looks alike in a map of twice the size."""
    added = []
    for size in (240, 480):
        view = {**POLE, "size": size}
        steps = [{"glow": {"radius": 4.0, "strength": 0.6, "threshold": 0}}]
        pair = [
            develop({MAIN: image}, recipe({"picture": {}, "operators": given}, view=view)).pixels.astype(np.float32)
            for given in (steps, [])
        ]
        added.append(cv2.resize(pair[0] - pair[1], (240, 240), interpolation=cv2.INTER_AREA))
    known = (added[0] > 0).all(axis=-1) & (added[1] > 0).all(axis=-1)
    assert np.count_nonzero(known) > 5000
    assert np.corrcoef(added[0][known].ravel(), added[1][known].ravel())[0, 1] > 0.99


def test_a_pixel_of_the_camera_has_its_size_on_maps(image: Any) -> None:
    raster = drawn(image, recipe({"picture": {}}, view={"map": {"scale_km": 200}}).view)
    from perijove.developing import _planes

    size = _planes(raster)["camera_pixel"]()
    light = raster.light
    pointing = image.located.solution.pointing
    away = np.linalg.norm(raster.view.ground() - pointing.position_fixed_km[pointing.mid_frame], axis=-1)
    # Of equirectangular maps with planetocentric latitudes rows are true on a sphere, columns by the cosine. On the
    # ellipsoid, whose pole is 7 % nearer, areas differ by as much.
    columns = np.cos(np.radians(lat_centric_deg(light.latitude_deg)))
    camera = away * image.label.sampling_factor / pointing.cameras["RED"].focal_length_px
    expected = camera / np.sqrt(light.mu) / (200 * np.sqrt(columns))
    good = np.isfinite(size) & (light.mu > 0.2)
    assert np.count_nonzero(good) > 1000
    np.testing.assert_allclose(size[good], expected[good], rtol=0.1)


def test_maps_are_made_again_byte_for_byte(opening: Opening, tmp_path: Path) -> None:
    layers = [
        {"picture": {"style": "enhanced"}, "operators": ["deconvolve", "wavelet", "black-sky"]},
        {"picture": {}, "opacity": 0.5, "mask": {"emission": {"below": 50, "feather": 5}}},
    ]
    report = develop_to({MAIN: opening}, recipe(*layers, name="pole"), tmp_path)
    picture = Path(report["files"][0])
    assert rerun(picture, tmp_path / "again.png", [opening.raw.parent])["identical"]
    assert recipe_in(picture).view.map == MapView(projection="polar-stereographic", to_latitude=50)
    assert report["view"]["projection"] == "north-stereographic"
    assert report["caption"]["short"].startswith("Map of Jupiter")
    assert "polar stereographic map, with Jupiter's north pole in the middle" in report["caption"]["long"]
    assert report["fidelity"]["drawn_as"] == "a map"
    world = picture.with_suffix(".pgw")
    assert str(world) in report["files"]
    lines = [float(line) for line in world.read_text().split()]
    # Pixels' size and the middle of the upper left one, about the pole in the middle of 240 pixels.
    assert lines == pytest.approx([lines[0], 0, 0, -lines[0], -119.5 * lines[0], 119.5 * lines[0]])


def test_maps_are_cropped_and_zoomed_in_one_step(image: Any) -> None:
    whole = develop({MAIN: image}, recipe({"picture": {}})).raster
    part = develop(
        {MAIN: image}, recipe({"picture": {}}, view={**POLE, "crop": [0.25, 0.5, 0.75, 1], "zoom": 2})
    ).raster
    assert part.values.shape == (240, 240, 3)
    shrunk = cv2.resize(part.values, (120, 120), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(
        part.view.ground()[::239, ::239],
        replace(whole.view.cropped(0.25, 0.5, 0.75, 1)).zoomed(2).ground()[::239, ::239],
    )
    both = np.isfinite(shrunk) & np.isfinite(whole.values[120:, 60:180])
    # Means of four against one sample of clouds that change little from pixel to pixel.
    assert np.median(np.abs(shrunk - whole.values[120:, 60:180])[both]) < 0.005
    assert both.mean() > 0.2


def test_the_command_takes_a_size_for_maps(opening: Opening, tmp_path: Path) -> None:
    path = tmp_path / "pole.yaml"
    path.write_text(write_yaml(recipe({"picture": {}}, name="pole")))
    asked = ["process", opening.raw, "--recipe", path, "--size", 120, "--pointing", opening.pointing, "-o", tmp_path]
    result = CliRunner().invoke(app, [*map(str, asked), "--annotate", "all", "--graticule", "10"])
    assert result.exit_code == 0, result.stderr
    assert cv2.imread(str(tmp_path / "JNCE_2022229_44C00001_V01-pole.png")).shape == (120, 120, 3)
    assert (tmp_path / "JNCE_2022229_44C00001_V01-pole-annotated.png").is_file()


@pytest.mark.parametrize(
    ("asked", "projection", "shown"),
    [
        ({"projection": "polar-equidistant"}, "north-equidistant", None),
        ({"projection": "polar-stereographic", "pole": "south", "to_latitude": -60}, "south-stereographic", (-90, -60)),
        ({"projection": "south-equidistant", "to_latitude": 45}, "south-equidistant", (-90, -45)),
        ({"region": [10, 40, 350, 380]}, "equirectangular", (10, 40)),
        ({"region": "globe"}, "equirectangular", (-90, 90)),
    ],
)
def test_what_is_asked_of_a_map(image: Any, asked: dict[str, Any], projection: str, shown: Any) -> None:
    plan = map_plan(MapView.model_validate(asked), None, image)
    assert plan.projection == projection
    assert (None if plan.region is None else (plan.region.south_deg, plan.region.north_deg)) == shown  # type: ignore[union-attr]


def test_a_square_about_a_place_has_it_in_its_middle(image: Any) -> None:
    view = {"map": {"projection": "stereographic", "centre": [50, 20], "radius_km": 9000}, "size": 90}
    grid = drawn(image, recipe({"picture": {}}, view=view).view).view
    assert isinstance(grid, MapGrid)
    assert (grid.width, grid.height) == (90, 90)
    east, latitude = grid.lon_lat(0.0, 0.0)
    assert (float(latitude), float(-east)) == pytest.approx((50, 20))
    assert grid.scale_m == pytest.approx(200e3)


def test_a_map_that_does_not_fit_is_refused(image: Any) -> None:
    with pytest.raises(OptionError, match="does not fit into memory"):
        develop({MAIN: image}, recipe({"picture": {}}, view={"map": {"region": "globe", "scale_km": 5}}))


def test_another_image_is_not_seen_through_the_planet(image: Any) -> None:
    """Ground beyond the horizon of an image is unknown to it, wherever it is drawn."""
    view = image.view(120, "orthographic", centre=(-70, 200)).view
    far = replace(view, seen_from_km=None)
    raster = image.drawn_on(far)
    pointing = image.located.solution.pointing
    observer = pointing.position_fixed_km[pointing.mid_frame]
    ground = far.ground()
    away = ground - observer
    hidden = np.einsum("...i,...i->...", ground / np.array(JUPITER_RADII_KM) ** 2, away) > 1e-6
    on_planet = np.abs(np.linalg.norm(ground / JUPITER_RADII_KM, axis=-1) - 1) < 1e-9
    assert (hidden & on_planet).mean() > 0.2
    assert np.isnan(raster.values[hidden & on_planet]).all()
