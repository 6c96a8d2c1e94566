import datetime as dt
import json
import math
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perijove.archive.label import label_from_keywords, read_json_label, read_pds3_label
from perijove.errors import LabelError

Make = Callable[..., dict[str, Any]]
Quantity = namedtuple("Quantity", "value units")
COLOUR = "JNCE_2022229_44C00032_V01"


def test_every_field(keywords: Make) -> None:
    label = label_from_keywords(keywords(COLOUR, frames=22), "label")
    assert str(label.product_id) == COLOUR
    assert label.start_time == "2022-08-17T14:25:22.116"
    assert label.bands == ("BLUE", "GREEN", "RED")
    assert label.frames == 22
    assert label.interframe_delay_s == 0.373
    assert label.exposure_s == 0.1024
    assert label.tdi_stages == 32
    assert label.sampling_factor == 1
    assert label.bit_mode == "SQROOT"
    assert label.compression == "INTEGER COSINE TRANSFORM"
    assert label.pixel_scale == "codes"
    assert label.target == "JUPITER"
    assert label.orbit == 44
    assert label.solar_distance_km == 7.4172e8
    assert label.altitude_km == 22055.8
    assert label.sub_spacecraft_lat_graphic_deg == 85.1
    assert label.sub_spacecraft_lon_w_sys3_deg == 71.2
    assert label.methane_distortion_y_px is None
    assert label.title == "PJ44 North Polar Region"
    assert label.rationale == "Jupiter imaging"
    assert label.source_product_id == "3D-09002C0028-2022-230T11.10.05"


@pytest.mark.parametrize(
    "value",
    ["102.4 <ms>", "102.4<MS>", 102.4, "102.4", Quantity(102.4, "ms"), Quantity("102.4", "ms"), "0.1024 <s>"],
)
def test_spellings_of_an_exposure(keywords: Make, value: object) -> None:
    assert label_from_keywords(keywords(EXPOSURE_DURATION=value), "label").exposure_s == pytest.approx(0.1024)


@pytest.mark.parametrize("value", ["METHANE", ["METHANE"], ("METHANE",), "('METHANE')", {"METHANE"}])
def test_spellings_of_a_single_filter(keywords: Make, value: object) -> None:
    assert label_from_keywords(keywords(FILTER_NAME=value), "label").bands == ("METHANE",)


@pytest.mark.parametrize("value", [["RED", "GREEN", "BLUE"], "{RED, BLUE, GREEN}", frozenset({"RED", "BLUE", "GREEN"})])
def test_bands_stand_in_chip_order_however_listed(keywords: Make, value: object) -> None:
    label = label_from_keywords(keywords(COLOUR, FILTER_NAME=value), "label")
    assert label.bands == ("BLUE", "GREEN", "RED")


def test_reflectance_of_an_rdr(keywords: Make) -> None:
    product = "JNCR_2022229_44M00040_V01"
    label = label_from_keywords(keywords(product, SAMPLE_BITS=16, FILE_NAME=f"{product}.IMG"), "label")
    assert label.pixel_scale == "reflectance"


def test_summed_image_has_framelets_of_64_lines(keywords: Make) -> None:
    label = label_from_keywords(keywords(LINES=192, SAMPLING_FACTOR=2, LINE_SAMPLES=816), "label")
    assert (label.frames, label.sampling_factor) == (3, 2)


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("Methane with INS-61504_DISTORTION_Y = 405.48 to escape blooming", 405.48),
        ("INS-61504_DISTORTION_Y=405.48.", 405.48),
        ("(INS61504_DISTORTION_Y = 405.48)", 405.48),
        ("Methane polar image", None),
    ],
)
def test_moved_methane_window(keywords: Make, text: str, row: float | None) -> None:
    assert label_from_keywords(keywords(RATIONALE_DESC=text), "label").methane_distortion_y_px == row


@pytest.mark.parametrize(
    "text", ["INS-61504_DISTORTION_Y = ", "INS-61504_DISTORTION_Y = many", "INS-61504_DISTORTION_Y = 4e5"]
)
def test_moved_methane_window_without_a_sane_row(keywords: Make, text: str) -> None:
    with pytest.raises(LabelError, match="INS-61504_DISTORTION_Y"):
        label_from_keywords(keywords(RATIONALE_DESC=text), "label")


@pytest.mark.parametrize(
    ("spelt", "normal"),
    [
        ("2022-08-17T14:25:22.116", "2022-08-17T14:25:22.116"),
        ("2022-08-17T14:25:22.116Z", "2022-08-17T14:25:22.116"),
        ("2022-229T14:25:22.116", "2022-08-17T14:25:22.116"),
        ("2022-08-17T14:25:22", "2022-08-17T14:25:22.000"),
        ("2022-08-17T14:25:22.1", "2022-08-17T14:25:22.100"),
        ("2022-08-17T14:25:22.116203", "2022-08-17T14:25:22.116203"),
        ("2022-08-18T00:00:00.010", "2022-08-18T00:00:00.010"),
        (dt.datetime(2022, 8, 17, 14, 25, 22, 116000), "2022-08-17T14:25:22.116"),
        (dt.datetime(2022, 8, 17, 14, 25, 22, tzinfo=dt.UTC), "2022-08-17T14:25:22.000"),
    ],
)
def test_spellings_of_a_time(keywords: Make, spelt: object, normal: str) -> None:
    assert label_from_keywords(keywords(START_TIME=spelt), "label").start_time == normal


@given(st.datetimes(dt.datetime(2022, 8, 16), dt.datetime(2022, 8, 18, 23, 59, 59)))
def test_time_round_trip(keywords: Make, when: dt.datetime) -> None:
    for text in (when.isoformat(), when.strftime("%Y-%jT%H:%M:%S.%fZ")):
        found = label_from_keywords(keywords(START_TIME=text), "label").start_time
        assert dt.datetime.fromisoformat(found) == when


@pytest.mark.parametrize(
    "changes",
    [
        {"SPACECRAFT_ALTITUDE": None},
        {"SPACECRAFT_ALTITUDE": "N/A"},
        {"SUB_SPACECRAFT_LATITUDE": "UNK"},
        {"SUB_SPACECRAFT_LONGITUDE": ""},
        {"TARGET_NAME": "SPACE"},
        {
            "SPACECRAFT_ALTITUDE": "0.0 <km>",
            "SUB_SPACECRAFT_LATITUDE": 0.0,
            "SUB_SPACECRAFT_LONGITUDE": "0.0",
        },
    ],
)
def test_position_is_whole_or_nan(keywords: Make, changes: dict[str, Any]) -> None:
    label = label_from_keywords(keywords(**changes), "label")
    hints = (label.altitude_km, label.sub_spacecraft_lat_graphic_deg, label.sub_spacecraft_lon_w_sys3_deg)
    assert all(math.isnan(hint) for hint in hints)
    assert label.solar_distance_km == 7.4172e8


def test_what_a_cruise_label_lacks(keywords: Make) -> None:
    product = "JNCE_2022229_00M00040_V01"
    words = keywords(
        product,
        ORBIT_NUMBER="N/A",
        SOLAR_DISTANCE="UNK",
        TITLE=None,
        SOURCE_PRODUCT_ID=None,
        RATIONALE_DESC=None,
        COMPRESSION_TYPE=None,
        INTERFRAME_DELAY=None,
    )
    label = label_from_keywords(words, "label")
    assert (label.orbit, label.title, label.rationale, label.compression) == (0, "", "", "")
    assert label.interframe_delay_s == 0.0
    assert math.isnan(label.solar_distance_km)


REFUSED = [
    ({"PRODUCT_ID": None}, "keyword PRODUCT_ID is missing"),
    ({"PRODUCT_ID": "JUNO"}, "not a JunoCam product id"),
    ({"PRODUCT_ID": 7}, "not a JunoCam product id"),
    ({"PRODUCT_ID": ["a", 3]}, "PRODUCT_ID is not text"),
    ({"PRODUCT_ID": "JNCM_2022229_44M00040_V01", "FILE_NAME": None}, "is a map"),
    ({"FILE_NAME": "JNCE_2022229_44M00041_V01-raw.png"}, "FILE_NAME names JNCE_2022229_44M00041_V01"),
    ({"START_TIME": None}, "keyword START_TIME is missing"),
    ({"START_TIME": "N/A"}, "START_TIME has no value"),
    ({"START_TIME": "yesterday"}, "not a UTC time"),
    ({"START_TIME": "2022-08-17T14:25:22.116+02:00"}, "not a UTC time"),
    ({"START_TIME": dt.datetime(2022, 8, 17, tzinfo=dt.timezone(dt.timedelta(hours=2)))}, "not in UTC"),
    ({"START_TIME": "2022-13-17T14:25:22"}, "month must be in"),
    ({"START_TIME": "2022-08-17T14:25:60"}, "second must be in"),
    ({"START_TIME": "2022-366T14:25:22"}, "no day 366"),
    ({"START_TIME": "2022-000T14:25:22"}, "no day 000"),
    ({"START_TIME": "0000-001T14:25:22"}, "year 0"),
    ({"START_TIME": "2022-08-20T14:25:22"}, "was taken on 2022-08-17"),
    ({"FILTER_NAME": None}, "keyword FILTER_NAME is missing"),
    ({"FILTER_NAME": ["INFRARED"]}, r"unknown filters \['INFRARED'\]"),
    ({"FILTER_NAME": []}, "unknown filters"),
    ({"FILTER_NAME": [3]}, "something else than names"),
    ({"FILTER_NAME": 3}, "not a list of names"),
    ({"FILTER_NAME": ["METHANE", "METHANE"]}, "names a filter twice"),
    ({"FILTER_NAME": ["METHANE", "RED"], "LINES": 256}, "means METHANE"),
    ({"LINES": 100}, "LINES is 100, not a whole number of frames"),
    ({"LINES": 128.5}, "not a whole number"),
    ({"LINES": 0}, "LINES is 0, outside 1 to"),
    ({"LINES": 601 * 128}, "601 frames; at most 600"),
    ({"LINES": 10**400}, "too large"),
    ({"LINES": True}, "LINES is not a number"),
    ({"LINES": [128]}, "LINES is not a number"),
    ({"SAMPLING_FACTOR": 3}, "SAMPLING_FACTOR is 3, outside 1 to 2"),
    ({"SAMPLING_FACTOR": None}, "keyword SAMPLING_FACTOR is missing"),
    ({"EXPOSURE_DURATION": "3.2 <furlong>"}, "unit <furlong>; units known for it: <s>"),
    ({"EXPOSURE_DURATION": "3.2 <km>"}, "unit <km>"),
    ({"EXPOSURE_DURATION": Quantity(3.2, "min")}, "unit <min>"),
    ({"EXPOSURE_DURATION": "0 <ms>"}, "EXPOSURE_DURATION is 0, outside"),
    ({"EXPOSURE_DURATION": "-3.2 <ms>"}, "outside"),
    ({"EXPOSURE_DURATION": math.nan}, "EXPOSURE_DURATION is not finite"),
    ({"EXPOSURE_DURATION": "nan <ms>"}, "not a finite number"),
    ({"EXPOSURE_DURATION": "1e999 <ms>"}, "is not finite"),
    ({"EXPOSURE_DURATION": Quantity(math.inf, "ms")}, "is not finite"),
    ({"EXPOSURE_DURATION": "٣ <ms>"}, "not a finite number"),
    ({"JNO_TDI_STAGES_COUNT": 0}, "JNO:TDI_STAGES_COUNT is 0"),
    ({"JNO_TDI_STAGES_COUNT": 201}, "outside 1 to 200"),
    ({"JNO_TDI_STAGES_COUNT": "3 <km>"}, "units known for it: none"),
    ({"INTERFRAME_DELAY": "5 <s>", "LINES": 256}, "INTERFRAME_DELAY is 5, outside 0.2 to 1 s"),
    ({"INTERFRAME_DELAY": None, "LINES": 256}, "keyword INTERFRAME_DELAY is missing"),
    ({"SAMPLE_BIT_MODE_ID": "LOG"}, "SAMPLE_BIT_MODE_ID is 'LOG'"),
    ({"SAMPLE_BITS": 16}, "SAMPLE_BITS is 16, but JNCE_2022229_44M00040_V01 should have 8"),
    ({"ORBIT_NUMBER": 43}, "ORBIT_NUMBER is 43"),
    ({"SUB_SPACECRAFT_LATITUDE": 91}, "SUB_SPACECRAFT_LATITUDE is 91"),
    ({"SUB_SPACECRAFT_LONGITUDE": -181}, "SUB_SPACECRAFT_LONGITUDE is -181"),
    ({"SPACECRAFT_ALTITUDE": "-5 <km>"}, "SPACECRAFT_ALTITUDE is -5"),
    ({"SPACECRAFT_ALTITUDE": "0 <km>"}, "on the surface"),
    ({"SOLAR_DISTANCE": "1e12 <km>"}, "SOLAR_DISTANCE is 1e[+]12"),
]


@pytest.mark.parametrize(("changes", "fragment"), REFUSED, ids=[fragment for _, fragment in REFUSED])
def test_refused(keywords: Make, changes: dict[str, Any], fragment: str) -> None:
    with pytest.raises(LabelError, match=fragment) as caught:
        label_from_keywords(keywords(**changes), "somewhere.json")
    assert str(caught.value).startswith("somewhere.json: ")


@pytest.mark.parametrize(
    ("data", "fragment"),
    [
        (b"[1, 2]", "not an object of keywords"),
        (b"{", "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (b'{"LINES": 1, "LINES": 2}', "keyword 'LINES' stands there twice"),
        (b'{"LINES": ' + b"9" * 5000 + b"}", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"{}", "keyword PRODUCT_ID is missing"),
    ],
)
def test_json_refused(data: bytes, fragment: str) -> None:
    with pytest.raises(LabelError, match=fragment):
        read_json_label(data)


def test_json_from_a_path_and_from_bytes(keywords: Make, tmp_path: Path) -> None:
    path = tmp_path / "13552-Metadata.json"
    path.write_text(json.dumps(keywords()), encoding="utf-8-sig")
    assert read_json_label(path) == read_json_label(json.dumps(keywords()).encode())


@pytest.mark.parametrize("read", [read_json_label, read_pds3_label])
def test_files_that_cannot_be_read(read: Callable[[Path], object], tmp_path: Path) -> None:
    empty, large = tmp_path / "empty.json", tmp_path / "large.json"
    empty.touch()
    large.write_bytes(b" " * ((1 << 18) + 1))
    for path, fragment in (
        (tmp_path / "none.json", "does not exist"),
        (tmp_path, "is a folder"),
        (empty, "is empty"),
        (large, "more than the 262144"),
    ):
        with pytest.raises(LabelError, match=fragment):
            read(path)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(["3.2 <ms>", "N/A", "METHANE", "2022-229T01:01:01", "1e400 <km>", 10**4000]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_any_values_give_a_label_or_a_label_error(keywords: Make, data: st.DataObject) -> None:
    words = keywords(COLOUR)
    for key in data.draw(st.sets(st.sampled_from(sorted(words)), min_size=1, max_size=3)):
        words[key] = data.draw(VALUES)
    try:
        label = label_from_keywords(words, "label")
    except LabelError:
        return
    assert 1 <= label.frames <= 600
    assert 0 < label.exposure_s <= 10


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_any_flipped_bytes_give_a_label_or_a_label_error(keywords: Make, data: st.DataObject) -> None:
    text = bytearray(json.dumps(keywords()).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    try:
        label = read_json_label(bytes(text[: data.draw(st.integers(0, len(text)))]))
    except LabelError:
        return
    assert label.product_id.kind == "E"
