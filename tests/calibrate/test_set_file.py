"""The description of a calibration set: what it says is what is read, and what it cannot say is refused."""

import hashlib
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from perijove.archive.label import ImageLabel
from perijove.calibrate.calibration_set import SetPlane, load_calibration
from perijove.calibrate.set_file import SET_FILE, PlaneEntry, SetDescription, write_planes
from perijove.errors import CalibrationError

SHAPE = (128, 1648)


def _plane(kind: str, band: str, value: float, orbits: tuple[int, int] = (43, 44), tdi_stages: int = 1) -> SetPlane:
    plane = np.full(SHAPE, value, np.bool_ if kind == "bad_pixel" else np.float32)
    return SetPlane(kind, band, orbits, tdi_stages, plane)  # type: ignore[arg-type]


def _write(folder: Path, planes: list[SetPlane]) -> SetDescription:
    folder.mkdir(exist_ok=True)
    described = SetDescription("a set", "a test", ("JNCE_1",), "whom to credit", "CC0", write_planes(folder, planes))
    (folder / SET_FILE).write_text(described.to_toml(), encoding="utf-8")
    return described


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    _write(tmp_path, [_plane("flat", "RED", 1.02), _plane("dark", "RED", 7.5), _plane("bad_pixel", "RED", True)])
    return tmp_path


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
orbits = st.tuples(st.integers(0, 99), st.integers(0, 99)).map(lambda pair: (min(pair), max(pair)))
units = {"flat": "relative response", "dark": "DN", "bad_pixel": "mask"}
entries = st.builds(
    lambda kind, **given: PlaneEntry(kind=kind, unit=units[kind], **given),
    kind=st.sampled_from(sorted(units)),
    band=st.sampled_from(["METHANE", "BLUE", "GREEN", "RED"]),
    file=st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,9}\.tif\Z"),
    sha256=st.from_regex(r"\A[0-9a-f]{64}\Z"),
    orbits=orbits,
    tdi_stages=st.integers(1, 128),
)


@given(
    st.builds(
        SetDescription,
        title=texts,
        made_by=texts,
        made_from=st.lists(texts, max_size=3).map(tuple),
        credit=texts,
        licence=texts,
        plane=st.lists(entries, min_size=1, max_size=3).map(tuple),
    )
)
def test_what_is_written_is_what_is_read(described: SetDescription) -> None:
    assert SetDescription.of(tomllib.loads(described.to_toml())) == described


def test_planes_come_back_as_they_were(folder: Path, make_label: Callable[..., ImageLabel]) -> None:
    calibration = load_calibration(folder).applying_to(make_label(orbit=44))
    np.testing.assert_array_equal(calibration.flat["RED"], np.full(SHAPE, 1.02, np.float32))
    np.testing.assert_array_equal(calibration.dark["RED"], np.full(SHAPE, 7.5, np.float32))
    assert calibration.bad_pixel["RED"].all()
    assert set(calibration.flat) == {"RED"}
    assert not calibration.flat["RED"].flags.writeable
    assert "whom to credit" in calibration.description


@pytest.mark.parametrize(("orbit", "holds"), [(42, False), (43, True), (44, True), (45, False)])
def test_planes_hold_for_their_orbits(
    folder: Path, make_label: Callable[..., ImageLabel], orbit: int, holds: bool
) -> None:
    assert bool(load_calibration(folder).applying_to(make_label(orbit=orbit)).flat) is holds


@pytest.mark.parametrize(("tdi_stages", "expected"), [(1, 1.01), (2, 1.03), (3, 1.03), (40, 1.05), (20, 1.03)])
def test_the_plane_of_the_nearest_stages_is_taken(
    tmp_path: Path, make_label: Callable[..., ImageLabel], tdi_stages: int, expected: float
) -> None:
    # Rather fewer stages than more: what is summed already cannot be undone.
    _write(tmp_path, [_plane("flat", "RED", value, tdi_stages=n) for n, value in ((1, 1.01), (2, 1.03), (32, 1.05))])
    calibration = load_calibration(tmp_path).applying_to(make_label(tdi_stages=tdi_stages))
    assert calibration.flat["RED"][0, 0] == pytest.approx(expected)


def _changed(folder: Path, old: str, new: str) -> None:
    path = folder / SET_FILE
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("format = 1", "format = 2", "'format' is 2"),
        ('title = "a set"', 'title = "a set"\ncolour = "red"', "unknown key 'colour'"),
        ('credit = "whom to credit"\n', "", "'credit' is missing"),
        ('licence = "CC0"', "licence = 0", "'licence' cannot be 0"),
        ('made_from = ["JNCE_1"]', 'made_from = "JNCE_1"', "'made_from'"),
        ('band = "RED"', 'band = "PINK"', "plane 1: 'band' cannot be 'PINK'"),
        ('kind = "dark"', 'kind = "light"', "'kind' cannot be 'light'"),
        ('unit = "DN"', 'unit = "electrons"', "'unit' cannot be 'electrons'"),
        ("orbits = [43, 44]", "orbits = [44, 43]", "'orbits' cannot be [44, 43]"),
        ("orbits = [43, 44]", "orbits = [43.0, 44]", "'orbits'"),
        ("orbits = [43, 44]", "orbits = [true, 44]", "'orbits'"),
        ("tdi_stages = 1\n", "tdi_stages = 0\n", "'tdi_stages' cannot be 0"),
        ("tdi_stages = 1\n", "tdi_stages = 1\nscale = 2\n", "unknown key 'scale'"),
        ('file = "flat', 'file = "../flat', "'file'"),
        ('sha256 = "', 'sha256 = "X', "'sha256'"),
        ("format = 1", "format = ", "not TOML"),
    ],
)
def test_what_a_set_cannot_say_is_refused(folder: Path, old: str, new: str, told: str) -> None:
    _changed(folder, old, new)
    with pytest.raises(CalibrationError) as error:
        load_calibration(folder)
    assert told in str(error.value)
    assert SET_FILE in str(error.value)


def test_a_description_without_planes_is_refused(folder: Path) -> None:
    text = (folder / SET_FILE).read_text(encoding="utf-8")
    (folder / SET_FILE).write_text(text[: text.index("[[plane]]")], encoding="utf-8")
    with pytest.raises(CalibrationError, match="'plane' is missing"):
        load_calibration(folder)


def _flat_file(folder: Path) -> Path:
    return next(folder.glob("flat*.tif"))


def test_a_changed_file_is_refused(folder: Path) -> None:
    path = _flat_file(folder)
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(CalibrationError, match="is not the file that"):
        load_calibration(folder)


def test_a_missing_file_is_refused(folder: Path) -> None:
    _flat_file(folder).unlink()
    with pytest.raises(CalibrationError, match="cannot be read"):
        load_calibration(folder)


def _with_flat(folder: Path, content: Any) -> None:
    """Put another file in the place of the flat, with its hash."""
    path = _flat_file(folder)
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        tifffile.imwrite(path, content)
    _changed(folder, before, hashlib.sha256(path.read_bytes()).hexdigest())


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"no picture", "not a TIFF"),
        (np.ones((64, 816), np.float32), "has shape"),
        (np.ones(SHAPE, np.int16), "type int16"),
        (np.zeros(SHAPE, np.float32), "values that no flat has"),
        (np.full(SHAPE, np.nan, np.float32), "values that no flat has"),
    ],
)
def test_a_file_that_is_no_flat_is_refused(folder: Path, content: Any, told: str) -> None:
    _with_flat(folder, content)
    with pytest.raises(CalibrationError, match=told):
        load_calibration(folder)


def test_files_of_one_set_have_names_of_their_own(tmp_path: Path) -> None:
    planes = [
        replace(_plane("flat", band, 1.0), tdi_stages=stages, orbits=span)
        for band in ("BLUE", "RED")
        for stages in (1, 2)
        for span in ((1, 20), (21, 40))
    ]
    assert len({entry.file for entry in _write(tmp_path, planes).plane}) == len(planes)
