"""The command and the functions for photometry, where nothing can be fitted."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from perijove.cli import app
from perijove.errors import OptionError
from perijove.fitting import fit_files, fit_photometry, photometry_of
from perijove.photometry.photometry import Photometry


def test_a_name_that_is_neither_model_nor_file() -> None:
    with pytest.raises(OptionError, match=r"'phong' is no photometric model and no file; choose lambert, .*polynomial"):
        photometry_of("phong", [])


def test_a_file_is_read_without_images(tmp_path: Path) -> None:
    made = Photometry("minnaert", {"RED": (0.9,)})
    assert photometry_of(str(made.save(tmp_path / "law.json")), []) == made


def test_no_images_and_no_model() -> None:
    with pytest.raises(OptionError, match="no image"):
        fit_photometry([])
    with pytest.raises(OptionError, match="no photometric model"):
        fit_photometry([], "phong")


def test_what_is_wrong_is_told_before_anything_is_read(tmp_path: Path) -> None:
    nothing = tmp_path / "nothing-raw.png"
    with pytest.raises(OptionError, match=r"ends in \.json"):
        fit_files([nothing], tmp_path / "law.yaml")
    with pytest.raises(OptionError, match="no photometric model"):
        fit_files([nothing], tmp_path / "law.json", "phong")


def test_the_command_tells_it_in_a_line(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["photometry", "fit", "x-raw.png", "-o", str(tmp_path / "a.json"), "--model", "p"])
    assert told.exit_code == 2
    assert "there is no photometric model 'p'" in told.output
    assert not (tmp_path / "a.json").exists()


def test_the_help_names_the_command() -> None:
    assert "photometry" in CliRunner().invoke(app, ["--help"]).output
    assert "--model" in CliRunner().invoke(app, ["photometry", "fit", "--help"], env={"COLUMNS": "120"}).output
