"""From raw files to a calibration set on disk, and back into an image."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

from perijove.archive.framelets import read_framelets
from perijove.archive.label import ImageLabel
from perijove.calibrate.calibration_set import load_calibration
from perijove.calibrate.decompand import companding_table
from perijove.calibrate.quality import Quality
from perijove.calibrate.stack import calibrate
from perijove.cli import app

FRAMES = 16
MOTE = (60, 700)
HOT = (30, 400)
Write = Callable[..., Path]


def _codes(bands: int) -> np.ndarray:
    """Even light of 400 DN on half of the frames, with a mote and a hot pixel, and noise."""
    rng = np.random.default_rng(3)
    counts = np.zeros((FRAMES, bands, 128, 1648))
    counts[FRAMES // 2 :, :, :, 23:1631] = 400.0
    line, sample = MOTE
    counts[:, :, line - 4 : line + 5, sample - 4 : sample + 5] *= 0.8
    counts[(slice(None), slice(None), *HOT)] += 60.0
    counts += np.sqrt(counts / 16.0 + 1.08) * rng.standard_normal(counts.shape)
    levels = companding_table("SQROOT")
    codes: np.ndarray = np.searchsorted(levels, np.clip(np.rint(counts), 0, 2879), side="right") - 1
    return codes.astype(np.uint8)


@pytest.fixture(scope="module")
def write(synthetic: Any, tmp_path_factory: pytest.TempPathFactory) -> Write:
    def of(product: str = "JNCE_2022229_44C00001_V01", **changes: Any) -> Path:
        given = {"frames": FRAMES, "sampling_factor": 1, "product_id": synthetic.ProductId.parse(product)} | changes
        label: ImageLabel = synthetic.make_label(**given)
        folder = tmp_path_factory.mktemp("raw")
        codes = _codes(len(label.bands))[:, :, :: label.sampling_factor, :: label.sampling_factor]
        path = folder / f"{product}-raw.png"
        path.write_bytes(synthetic.png8(codes.reshape(-1, codes.shape[-1])))
        (folder / "10001-Metadata.json").write_text(json.dumps(synthetic.json_label(label, codes.shape[-1])))
        return path

    return of


@pytest.fixture(scope="module")
def raw(write: Write) -> Path:
    return write()


def _run(*arguments: Any) -> Any:
    return CliRunner().invoke(app, ["calibrate", *map(str, arguments)], catch_exceptions=False)


@pytest.fixture(scope="module")
def made(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], str]:
    """Folder of a set, the report that was printed, and the warnings."""
    folder = tmp_path_factory.mktemp("out") / "set"
    result = _run(raw, "-o", folder, "--orbits", "40,48", "--json")
    assert result.exit_code == 0, result.stderr
    return folder, json.loads(result.stdout), result.stderr


def test_the_set_is_whole(made: tuple[Path, dict[str, Any], str]) -> None:
    folder, report, _ = made
    assert sorted(report["files"]) == sorted(str(path) for path in folder.iterdir())
    kinds = {path.name.split("_orbits")[0] for path in folder.glob("*.tif")}
    assert kinds == {f"{kind}_{band}" for kind in ("flat", "dark", "bad_pixel") for band in ("blue", "green", "red")}
    assert {path.stem for path in folder.glob("*.png")} == {path.stem for path in folder.glob("*.tif")}
    assert not list(folder.parent.glob(".*"))


def test_what_the_detector_has_is_found(made: tuple[Path, dict[str, Any], str]) -> None:
    folder, report, _ = made
    for band in report["bands"]:
        assert band["hot_pixels"] == 1
    flat = tifffile.imread(next(folder.glob("flat_green*.tif")))
    # Noise of 1.3 % in 8 lit frames, and smoothed.
    assert flat[MOTE] == pytest.approx(0.8, abs=0.03)
    assert tifffile.imread(next(folder.glob("dark_red*.tif")))[HOT] == pytest.approx(60.0, abs=3.0)


def test_another_target_teaches_all_but_the_gradient(write: Write, tmp_path: Path) -> None:
    result = _run(write(target="GANYMEDE"), "-o", tmp_path / "set", "--json")
    assert result.exit_code == 0
    assert "it shows GANYMEDE" in " ".join(result.stderr.split())
    for band in json.loads(result.stdout)["bands"]:
        assert band["hot_pixels"] == 1
        assert band["pieces_of_shared_ground"] == 0
        assert band["change_along_lines_error_percent"] is None


def test_the_set_is_used_for_its_orbits(made: tuple[Path, dict[str, Any], str], raw: Path, write: Write) -> None:
    folder, _, _ = made
    calibration = load_calibration(folder)
    line, sample = MOTE
    for path, holds in ((raw, True), (write("JNCE_2022229_49C00001_V01", orbit=49), False)):
        applying = calibration.applying_to(read_framelets(path).label)
        assert bool(applying.flat) is holds
    lit = calibrate(read_framelets(raw), calibration).i_over_f[FRAMES // 2 :, 1]
    within = lit[:, line - 2 : line + 3, sample - 2 : sample + 3].mean()
    around = lit[:, line - 20 : line + 20, sample + 20 : sample + 60].mean()
    assert within / around == pytest.approx(1.0, abs=0.02)


def test_a_set_is_replaced_but_nothing_else(raw: Path, made: tuple[Path, dict[str, Any], str], tmp_path: Path) -> None:
    mine = tmp_path / "holiday.txt"
    mine.write_text("mine")
    result = _run(raw, "-o", tmp_path)
    assert result.exit_code == 2
    assert "other things than a calibration set" in " ".join(result.stderr.split())
    assert list(tmp_path.iterdir()) == [mine]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--orbits", "48"], "--orbits"),
        (["--orbits", "48,40"], "--orbits"),
    ],
)
def test_orbits_that_are_none_are_refused(raw: Path, tmp_path: Path, arguments: list[str], told: str) -> None:
    result = _run(raw, "-o", tmp_path / "set", *arguments)
    assert result.exit_code == 2
    assert told in result.stderr
    assert not (tmp_path / "set").exists()


def test_images_that_cannot_tell_are_refused(write: Write, tmp_path: Path) -> None:
    result = _run(write(sampling_factor=2), "-o", tmp_path / "set")
    assert result.exit_code == 2
    assert "summed on board" in " ".join(result.stderr.split())
    assert not (tmp_path / "set").exists()


def test_flags_tell_of_hot_pixels(made: tuple[Path, dict[str, Any], str], raw: Path) -> None:
    quality = calibrate(read_framelets(raw), load_calibration(made[0])).quality
    assert (quality[(slice(None), slice(None), *HOT)] & Quality.HOT).all()
