"""Lines of latitude and longitude: where PROJ has them, and what their numbers say."""

import numpy as np
import pytest

from perijove.errors import OptionError
from perijove.geometry.ellipsoid import RADII_KM, from_lat_lon, lat_graphic_deg
from perijove.project.grid import GLOBE, MapGrid, Region, map_grid, scale_of
from perijove.project.view import View
from perijove.story.graticule import Graticule
from perijove.story.labels import Label, gradient_of, placed_labels

GREY = 20_000


def lines(grid: MapGrid, step: float, latitudes: str = "centric") -> np.ndarray:
    """How much of the white of a line a grey picture has got, -1 to 1."""
    pixels = np.full((grid.height, grid.width), GREY, np.uint16)
    return (Graticule(step, latitudes).drawn_on(pixels, grid).astype(float) - GREY) / (65535 - GREY)


def test_lines_are_where_the_map_has_them_below_a_pixel() -> None:
    grid = map_grid("equirectangular", Region(-45.0, 45.0, 20.0, 110.0), scale_of(9.7))
    drawn = lines(grid, 30.0)
    # A profile across the line of 30 degrees north, halfway between meridians and away from labels.
    x, y = grid.pixel(from_lat_lon(lat_graphic_deg(30.0), 75.0))
    profile = drawn[int(y) - 2 : int(y) + 3, int(x)]
    line = np.clip(profile, 0.0, None)
    assert line.max() > 0.2
    # A line as wide as a pixel or little more, cut by its casing: its middle to a fifth of a pixel.
    middle = (np.arange(int(y) - 2, int(y) + 3) + 0.5) @ line / line.sum()
    assert middle == pytest.approx(y, abs=0.2)


@pytest.mark.parametrize("projection", ["north-stereographic", "orthographic", "equal-area", "mercator"])
@pytest.mark.parametrize("step", [10.0, 15.0])
def test_lines_run_along_parallels_and_meridians(projection: str, step: float) -> None:
    grid = map_grid(projection, Region(22.0, 78.0, 33.0, 117.0), 60e3)
    drawn = lines(grid, step)
    turn = np.random.default_rng(0)
    lat, lon = turn.uniform(30.0, 70.0, 400), turn.uniform(40.0, 110.0, 400)
    for on in ((np.round(lat / step) * step, lon), (lat, np.round(lon / step) * step)):
        x, y = grid.pixel(from_lat_lon(lat_graphic_deg(on[0]), on[1])).T
        inside = (x > 1) & (x < grid.width - 1) & (y > 1) & (y < grid.height - 1)
        found = drawn[y[inside].astype(int), x[inside].astype(int)]
        # But for labels, which interrupt them.
        assert (found > 0.1).mean() > 0.9
    off = (np.abs(lat % step - step / 2) < step / 4) & (np.abs(lon % step - step / 2) < step / 4)
    x, y = grid.pixel(from_lat_lon(lat_graphic_deg(lat[off]), lon[off])).T
    inside = (x > 1) & (x < grid.width - 1) & (y > 1) & (y < grid.height - 1)
    assert (np.abs(drawn[y[inside].astype(int), x[inside].astype(int)]) < 0.01).mean() > 0.9


def test_planetographic_latitudes_are_drawn_where_asked() -> None:
    grid = map_grid("equirectangular", Region(-60.0, 60.0, 0.0, 90.0), scale_of(10.0), latitudes="graphic")
    drawn = lines(grid, 30.0, "graphic")
    y = grid.pixel(from_lat_lon(30.0, 45.0))[1]
    assert drawn[int(y - 1) : int(y + 2), 440].max() > 0.3
    assert np.abs(drawn[int(y + 15) : int(y + 50), 440]).max() < 0.01


def test_a_view_has_no_lines_in_the_sky() -> None:
    axes = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]])
    view = View("orthographic", np.array([1e6, 0.0, 0.0]), axes, 400.0, 400, 400, (200.0, 200.0))
    pixels = np.full((400, 400, 3), GREY, np.uint16)
    drawn = Graticule(30.0).drawn_on(pixels, view)
    points = view.ground()
    sky = (points / RADII_KM**2 * points).sum(axis=-1) > 1.0 + 1e-6
    changed = (drawn != pixels).any(axis=-1)
    # The legend stands in the corner.
    assert not changed[:370][sky[:370]].any()
    assert changed[~sky].mean() > 0.02


def test_what_is_not_drawn_on_stays() -> None:
    grid = map_grid("equirectangular", GLOBE, scale_of(4.0))
    pixels = np.random.default_rng(0).integers(0, 255, (grid.height, grid.width, 3)).astype(np.uint8)
    before = pixels.copy()
    drawn = Graticule(30.0).drawn_on(pixels, grid)
    np.testing.assert_array_equal(pixels, before)
    assert drawn.dtype == np.uint8
    assert (drawn == before).all(axis=-1).mean() > 0.8


@pytest.mark.parametrize("step", [0.0, 7.0, 180.0, float("nan"), -10.0])
def test_steps_that_do_not_meet_the_poles_are_refused(step: float) -> None:
    with pytest.raises(OptionError, match="part of 90 degrees"):
        Graticule(step)


@pytest.mark.parametrize(
    ("projection", "region", "step"),
    [
        ("equirectangular", GLOBE, 15.0),
        ("equirectangular", GLOBE, 30.0),
        ("north-stereographic", Region(40.0, 90.0, 0.0, 360.0), 10.0),
        ("south-equidistant", Region(-90.0, -40.0, 0.0, 360.0), 10.0),
        ("orthographic", GLOBE, 15.0),
    ],
)
def test_labels_stand_on_their_lines_and_apart(projection: str, region: Region, step: float) -> None:
    grid = map_grid(projection, region, 150e3, centre=(35.0, 100.0) if projection == "orthographic" else None)
    shape = (grid.height, grid.width)
    legend = Label.in_corner("legend", shape, 10.0)
    every = Graticule(step)._coarse(grid)
    labels = placed_labels(*every, step, legend, 14.0)
    assert len(labels) > 8
    texts = [label.text for label in labels]
    assert len(set(texts)) == len(texts)
    assert any("W" in text for text in texts)
    assert any("W" not in text for text in texts)
    for index, label in enumerate(labels):
        left, top, right, bottom = label.box
        assert left >= 0
        assert top >= 0
        assert right <= grid.width
        assert bottom <= grid.height
        assert not any(label.meets(other) for other in (legend, *labels[:index]))
        lon, lat = grid.lon_lat(grid.left_m + label.x * grid.scale_m, grid.top_m - label.y * grid.scale_m)
        number = float(label.text.rstrip("°NSW"))
        if "W" in label.text:
            # Half a pixel of 150 km, in degrees of a circle of latitude.
            off = abs((float(-lon) - number + 180.0) % 360.0 - 180.0) * np.cos(np.radians(lat))
        else:
            off = abs(float(lat) - number * (-1 if "S" in label.text else 1))
        assert off < 0.12


def test_gradients_ignore_cuts() -> None:
    values = np.array([[0.0, 1.0, 2.0, 180.0, 181.0]]).repeat(3, axis=0)
    np.testing.assert_array_equal(gradient_of(values), [np.ones((3, 5)), np.zeros((3, 5))])
    values = np.array([[np.nan, 1.0, np.nan]])
    assert np.isnan(gradient_of(values)[0]).all()
