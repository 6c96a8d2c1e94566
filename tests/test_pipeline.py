"""From a raw PNG with its label to finished files, on a planet whose truth is known."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import perijove
from perijove.errors import OptionError, PointingFileError
from perijove.processing import process
from perijove.register.pointing_file import Solved, pointing_path, write_pointing


@pytest.fixture(scope="session")
def raw(tmp_path_factory: pytest.TempPathFactory, write_set: Callable[..., Path], earth_scene: Any) -> Path:
    return write_set(tmp_path_factory.mktemp("set"), earth_scene)


@pytest.fixture(scope="session")
def image(raw: Path) -> Any:
    return perijove.open(raw)


def test_three_lines_make_a_picture(raw: Path, tmp_path: Path) -> None:
    import cv2

    image = perijove.open(raw)
    view = image.view(size=300)
    view.save(tmp_path / "picture.png")

    picture = cv2.imread(str(tmp_path / "picture.png"), cv2.IMREAD_UNCHANGED)
    assert picture.shape == (300, 300, 3)
    assert picture.dtype == np.uint16
    # Half a lit disc in a black sky.
    assert 0.2 < np.mean(picture.max(axis=-1) > 10000) < 0.8
    assert np.mean(picture.max(axis=-1) < 3000) > 0.1


def truth_of(synthetic: Any, scene: Any, ground: np.ndarray) -> np.ndarray:
    """Clouds in sunlight at ground points, with the cosine of emission below 0.3 and the sky left out."""
    on_planet = np.abs(np.linalg.norm(ground / synthetic.RADII, axis=-1) - 1) < 1e-9
    normal = ground / synthetic.RADII**2
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    lat = np.degrees(np.arctan2(normal[..., 2], np.hypot(normal[..., 0], normal[..., 1])))
    lon_w = np.degrees(-np.arctan2(ground[..., 1], ground[..., 0]))
    light = synthetic.clouds(lat, lon_w) * np.clip(normal @ scene.pointing.sun_fixed, 0.0, None)
    to_juno = scene.pointing.position_fixed_km[scene.pointing.mid_frame] - ground
    emission = np.sum(normal * to_juno, axis=-1) / np.linalg.norm(to_juno, axis=-1)
    return np.where(on_planet & (light > 0.15) & (emission > 0.3), light, np.nan)


def test_the_picture_holds_the_planets_reflectance_in_its_place(synthetic: Any, earth_scene: Any, image: Any) -> None:
    raster = image.view()
    assert raster.bands == ("RED", "GREEN", "BLUE")
    assert raster.values.shape == raster.weight.shape == (raster.view.height, raster.view.width, 3)
    np.testing.assert_array_equal(np.isnan(raster.values), raster.weight == 0)
    truth = truth_of(synthetic, earth_scene, raster.view.ground())
    known = np.isfinite(truth)
    assert known.sum() > 50000
    for index, band in enumerate(raster.bands):
        error = raster.values[..., index][known] / (synthetic.ALBEDO[band] * truth[known]) - 1
        # Ground in the blur of a limb or a gap of clouds is a little off; the intervals of codes are known: no bias.
        assert abs(np.median(error)) < 0.01
        # A quarter of a pixel of misplacement on waves of 10 px and 20 % would be 3 %, as much as the shot noise.
        assert np.percentile(np.abs(error), 90) < 0.08


def test_bands_of_the_picture_lie_upon_one_another(synthetic: Any, earth_scene: Any, image: Any) -> None:
    raster = image.view(kernel="bilinear")
    known = np.isfinite(truth_of(synthetic, earth_scene, raster.view.ground()))
    green = np.where(known, raster.values[..., 1], np.nan)
    gy, gx = np.gradient(green)
    for other in (0, 2):
        plane = np.where(known, raster.values[..., other], np.nan)
        oy, ox = np.gradient(plane / np.nanmean(plane))
        x, y = (gx / np.nanmean(green) + ox) / 2, (gy / np.nanmean(green) + oy) / 2
        use = np.isfinite(x) & np.isfinite(y)
        difference = (plane / np.nanmean(plane) - green / np.nanmean(green))[use]
        columns = np.stack([-x[use], -y[use], (green / np.nanmean(green))[use], np.ones(use.sum())], axis=-1)
        shift = np.linalg.lstsq(columns, difference, rcond=None)[0][:2]
        # The goal is 0.1 px of full resolution on real clouds; noise of 1.5 % leaves 0.01 px here.
        assert np.abs(shift).max() < 0.1


def test_the_linear_file_tells_what_it_holds(image: Any, tmp_path: Path) -> None:
    import tifffile

    raster = image.view(size=64, projection="orthographic", centre=(40.0, 300.0))
    assert raster.save(tmp_path / "planes.tiff") == tmp_path / "planes.tiff"
    with tifffile.TiffFile(tmp_path / "planes.tiff") as file:
        told = json.loads(file.pages[0].description)
        np.testing.assert_array_equal(file.pages[0].asarray(), raster.values)
    assert told["product"] == "JNCE_2022229_44C00001_V01"
    assert told["unit"] == "I/F"
    assert told["bands"] == ["RED", "GREEN", "BLUE"]
    assert told["view"]["projection"] == "orthographic"
    assert [len(entry["sha256"]) for entry in told["inputs"]] == [64, 64]


@pytest.mark.parametrize("name", ["picture.jpg", "picture", "picture.fits"])
def test_other_suffixes_are_refused(image: Any, tmp_path: Path, name: str) -> None:
    raster = image.view(size=16)
    with pytest.raises(OptionError, match=rf"cannot write {name}: give a name that ends in \.png or \.tif"):
        raster.save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_unknown_views_are_refused(image: Any) -> None:
    with pytest.raises(OptionError, match="there is no view 'mercator'; choose spacecraft or orthographic"):
        image.view(projection="mercator")


def test_process_writes_products_and_report(image: Any, tmp_path: Path) -> None:
    report = process(image, tmp_path / "out", size=64)
    name = "JNCE_2022229_44C00001_V01"
    files = [tmp_path / "out" / f"{name}{end}" for end in ("-natural.png", "-linear.tif", ".report.json")]
    assert report["files"] == [str(path) for path in files]
    assert sorted((tmp_path / "out").iterdir()) == sorted(files)

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    told = json.loads(files[-1].read_text(encoding="utf-8"), parse_constant=refuse)
    assert told["product"] == name
    assert told["view"]["width"] == told["view"]["height"] == 64
    assert told["geometry"]["attitude"]["spin_axis_prior"] == "Earth"
    # Waves of 10 px in noise of 2 %, which few ties find.
    assert told["geometry"]["ties"]["residual_median_px"] < 0.5
    assert told["geometry"]["warnings"] == []
    assert any("no flat field" in note for note in told["calibration"])


def test_progress_names_the_stages(raw: Path, tmp_path: Path) -> None:
    stages: list[str] = []
    image = perijove.open(raw, progress=stages.append)
    process(image, tmp_path, size=16, products=("natural",))
    assert [stage.split()[0] for stage in stages] == ["reading", "calibrating", "locating", "drawing", "writing"]


# Other images of the perijove


def test_an_image_of_another_orbit_is_refused(synthetic: Any, earth_scene: Any, raw: Path, tmp_path: Path) -> None:
    product = synthetic.ProductId.parse("JNCE_2022186_43C00002_V01")
    label = synthetic.make_label(product_id=product, orbit=43, start_time="2022-07-05T12:00:00.000")
    other = tmp_path / "1-Metadata.json"
    other.write_text(json.dumps(synthetic.json_label(label, 816)))
    with pytest.raises(OptionError, match=r"is of orbit 43, the image of orbit 44; --with takes"):
        perijove.open(raw, with_others=[other])


def test_the_image_itself_among_the_others_does_no_harm(raw: Path) -> None:
    image = perijove.open(raw, with_others=[raw])
    assert image.labels == ()
    assert image.neighbours == ()


def test_a_label_of_the_perijove_refines_the_orbit(synthetic: Any, raw: Path, tmp_path: Path) -> None:
    product = synthetic.ProductId.parse("JNCE_2022229_44C00002_V01")
    label = synthetic.make_label(
        product_id=product,
        start_time="2022-08-17T13:26:10.000",
        altitude_km=118000.0,
        sub_spacecraft_lat_graphic_deg=42.0,
        sub_spacecraft_lon_w_sys3_deg=288.0,
    )
    other = tmp_path / "2-Metadata.json"
    other.write_text(json.dumps(synthetic.json_label(label, 816)))
    image = perijove.open(raw, with_others=[other, other])
    assert [str(one.product_id) for one in image.labels] == ["JNCE_2022229_44C00002_V01"]
    assert image.neighbours == ()
    assert image.located.trajectory.source.endswith("and 1 more of the perijove")


@pytest.fixture(scope="module")
def pair(synthetic: Any, tilted_scene: Any, write_set: Callable[..., Path], tmp_path_factory: Any) -> list[Path]:
    """Two raw images of a pass whose spin axis stands 10 degrees off the Earth, ten minutes apart."""
    second = synthetic.make_scene(
        10.0,
        product_id=synthetic.ProductId.parse("JNCE_2022229_44C00002_V01"),
        start_time="2022-08-17T13:26:10.000",
        altitude_km=118000.0,
        sub_spacecraft_lat_graphic_deg=42.0,
        sub_spacecraft_lon_w_sys3_deg=288.0,
    )
    return [write_set(tmp_path_factory.mktemp("pass"), scene) for scene in (tilted_scene, second)]


def test_a_raw_image_of_the_perijove_is_solved_together_with_it(tilted_scene: Any, pair: list[Path]) -> None:
    stages: list[str] = []
    image = perijove.open(pair[0], with_others=pair, progress=stages.append)
    assert len(image.neighbours) == len(image.labels) == 1
    assert image.located.axis_source == "2 images of the perijove"
    axis = image.located.solution.spin_axis
    # One image has it from the flattening, to a degree; two look at Jupiter from places 5 degrees apart.
    assert np.degrees(np.arccos(axis @ tilted_scene.axis)) < 0.2
    told = [stage for stage in stages if stage.startswith(("locating", "tying"))]
    assert told == [
        "locating JNCE_2022229_44C00001_V01 (1 of 2)",
        "locating JNCE_2022229_44C00002_V01 (2 of 2)",
        "tying JNCE_2022229_44C00001_V01 (1 of 2)",
        "tying JNCE_2022229_44C00002_V01 (2 of 2)",
    ]
    # Neighbours are on disk, but for the time in which their pixels are looked at.
    assert "calibrated" not in vars(image.neighbours[0])


# Pointing from a file


@pytest.fixture(scope="module")
def solved(image: Any, raw: Path, tmp_path_factory: Any) -> Path:
    """Folder with the pointing of the image."""
    folder = tmp_path_factory.mktemp("solved")
    entry = Solved(str(image.label.product_id), image.stack.inputs[0].sha256, "perijove X", image.located)
    write_pointing(pointing_path(folder, image.label), entry)
    return folder


def test_solved_pointing_draws_the_same_picture(image: Any, raw: Path, solved: Path) -> None:
    again = perijove.open(raw, pointing=solved)
    np.testing.assert_array_equal(again.view(size=300).values, image.view(size=300).values)
    inputs = again.report["inputs"]
    assert [entry["file"] for entry in inputs][2:] == ["JNCE_2022229_44C00001_V01.pointing.json"]
    assert len(inputs[2]["sha256"]) == 64


def test_solved_pointing_is_refused_before_any_work(raw: Path, solved: Path, tmp_path: Path) -> None:
    stages: list[str] = []
    with pytest.raises(PointingFileError, match=r"no JNCE_2022229_44C00001_V01\.pointing\.json in"):
        perijove.open(raw, pointing=tmp_path, progress=stages.append)
    for options in ({"kernels": tmp_path}, {"with_others": [raw]}):
        with pytest.raises(OptionError, match="leave out --kernels and --with"):
            perijove.open(raw, pointing=solved, progress=stages.append, **options)
    assert {stage.split()[0] for stage in stages} == {"reading"}


def test_backplanes_of_the_view(image: Any, tmp_path: Path) -> None:
    import tifffile

    report = process(image, tmp_path, size=300, products=("linear", "backplanes"))
    path = tmp_path / "JNCE_2022229_44C00001_V01-backplanes.tif"
    assert report["files"][1] == str(path)
    with tifffile.TiffFile(path) as file:
        planes = {page.tags["PageName"].value: page.asarray() for page in file.pages}
        told = json.loads(file.pages[0].description)
    assert told["view"] == json.loads(Path(report["files"][-1]).read_text())["view"]
    assert told["product"] == "JNCE_2022229_44C00001_V01"
    error, emission = planes["position_error_km"], np.radians(planes["emission_deg"])
    assert error.shape == (300, 300)
    np.testing.assert_array_equal(np.isfinite(error), np.isfinite(emission))
    # On a slant the same line of sight leads farther astray; the image as a whole has the error of the report.
    assert np.nanmedian(error[emission > 1.2]) > 1.5 * np.nanmedian(error[emission < 0.6])
    assert np.nanmedian(error) == pytest.approx(report["geometry"]["position_error"]["median_km"], rel=0.3)


@pytest.mark.parametrize("name", ["planes.png", "planes"])
def test_backplanes_have_one_suffix(image: Any, tmp_path: Path, name: str) -> None:
    with pytest.raises(OptionError, match=rf"cannot write {name}: give a name that ends in \.tif"):
        image.view(size=16).save_backplanes(tmp_path / name)
    assert list(tmp_path.iterdir()) == []
