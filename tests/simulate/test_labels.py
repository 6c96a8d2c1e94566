"""Labels of simulated images, read by the archive room."""

import dataclasses
import json
from pathlib import Path

import pytest

from perijove.archive.label import read_json_label, read_pds3_label
from perijove.simulate.flyby import Flyby
from perijove.simulate.labels import mission_metadata, pds3_label, rdr_label

# Keys of the mission's Metadata.json (three sets of perijoves 43 and 44).
KEYS = [
    "COMPRESSION_TYPE",
    "DATA_SET_ID",
    "DESCRIPTION",
    "EXPOSURE_DURATION",
    "FILE_NAME",
    "FILE_RECORDS",
    "FILTER_NAME",
    "FOCAL_PLANE_TEMPERATURE",
    "IMAGE_TIME",
    "INSTRUMENT_HOST_NAME",
    "INSTRUMENT_ID",
    "INSTRUMENT_NAME",
    "INTERFRAME_DELAY",
    "JNO:TDI_STAGES_COUNT",
    "LINES",
    "LINE_PREFIX_BYTES",
    "LINE_SAMPLES",
    "LINE_SUFFIX_BYTES",
    "MISSION_PHASE_NAME",
    "ORBIT_NUMBER",
    "PJ",
    "PROCESSING_LEVEL_ID",
    "PRODUCER_ID",
    "PRODUCT_CREATION_TIME",
    "PRODUCT_ID",
    "PRODUCT_VERSION_ID",
    "RATIONALE_DESC",
    "RECORD_BYTES",
    "SAMPLE_BITS",
    "SAMPLE_BIT_MASK",
    "SAMPLE_BIT_MODE_ID",
    "SAMPLE_TYPE",
    "SAMPLING_FACTOR",
    "SEQUENCE_ID",
    "SOFTWARE_NAME",
    "SOLAR_DISTANCE",
    "SOURCE_PRODUCT_ID",
    "SPACECRAFT_ALTITUDE",
    "SPACECRAFT_CLOCK_START_COUNT",
    "SPACECRAFT_CLOCK_STOP_COUNT",
    "SPACECRAFT_NAME",
    "STANDARD_DATA_PRODUCT_ID",
    "START_TIME",
    "STOP_TIME",
    "SUB_SPACECRAFT_LATITUDE",
    "SUB_SPACECRAFT_LONGITUDE",
    "TARGET_NAME",
    "TITLE",
    "TOKEN_ID",
]


@pytest.mark.parametrize("index", [0, 3])
def test_mission_metadata(index: int, flyby: Flyby) -> None:
    label = flyby.images[index].label
    words = mission_metadata(label)
    assert sorted(words) == sorted(KEYS)
    assert len(words) == 49
    assert read_json_label(json.dumps(words).encode()) == label
    assert isinstance(words["LINES"], int)
    assert isinstance(words["SUB_SPACECRAFT_LATITUDE"], str)
    assert words["EXPOSURE_DURATION"].endswith(" <ms>")
    assert words["TOKEN_ID"] == []


@pytest.mark.parametrize("index", [0, 3])
def test_pds3(index: int, flyby: Flyby, tmp_path: Path) -> None:
    label = flyby.images[index].label
    for wanted in (label, rdr_label(label)):
        path = tmp_path / f"{wanted.product_id}.LBL"
        text = pds3_label(wanted, "0" * 32)
        assert all(len(line) <= 78 for line in text.split("\r\n"))
        path.write_bytes(text.encode())
        # PDS3 labels have no title.
        assert read_pds3_label(path) == dataclasses.replace(wanted, title="")


def test_nobody_takes_it_for_real(flyby: Flyby) -> None:
    label = flyby.images[0].label
    words = mission_metadata(label)
    assert "simulated" in words["TITLE"]
    assert "not taken by JunoCam" in words["DESCRIPTION"]
    assert words["SOFTWARE_NAME"] == "PERIJOVE SIMULATE"
    text = pds3_label(label, "0" * 32)
    assert '"PERIJOVE SIMULATE"' in text
    assert "Simulated by perijove" in text
