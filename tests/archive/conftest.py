"""Labels, pictures and image sets made here, with an encoder of our own."""

import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

METHANE = "JNCE_2022229_44M00040_V01"


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(
    pixels: np.ndarray,
    *,
    size: tuple[int, int] | None = None,
    depth: int = 8,
    colour: int = 0,
    packed: bytes | None = None,
) -> bytes:
    """PNG of an array (line, byte) whose header may claim something else."""
    lines, samples = pixels.shape
    rows = np.zeros((lines, samples + 1), np.uint8)
    rows[:, 1:] = pixels
    height, width = size or (lines, samples)
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    data = zlib.compress(rows.tobytes(), 1) if packed is None else packed
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def mission(product: str = METHANE, frames: int = 1, **changes: Any) -> dict[str, Any]:
    """Keywords of a mission JSON; a change to None takes the keyword away."""
    bands = {"C": ["BLUE", "GREEN", "RED"], "M": ["METHANE"]}[product[15]]
    lines = frames * len(bands) * 128
    words = {
        "COMPRESSION_TYPE": "INTEGER COSINE TRANSFORM",
        "EXPOSURE_DURATION": "102.400000 <ms>",
        "FILE_NAME": f"{product}-raw.png",
        "FILTER_NAME": bands,
        "FOCAL_PLANE_TEMPERATURE": "273.0 <K>",
        "INTERFRAME_DELAY": "0.373 <s>",
        "JNO:TDI_STAGES_COUNT": 32,
        "LINES": lines,
        "LINE_PREFIX_BYTES": 0,
        "LINE_SAMPLES": 1648,
        "LINE_SUFFIX_BYTES": 0,
        "ORBIT_NUMBER": 44,
        "PRODUCT_ID": product,
        "RATIONALE_DESC": "Jupiter imaging",
        "SAMPLE_BITS": 8,
        "SAMPLE_BIT_MODE_ID": "SQROOT",
        "SAMPLE_TYPE": "UNSIGNED_INTEGER",
        "SAMPLING_FACTOR": 1,
        "SOLAR_DISTANCE": "7.4172e+08 <km>",
        "SOURCE_PRODUCT_ID": "3D-09002C0028-2022-230T11.10.05",
        "SPACECRAFT_ALTITUDE": "22055.8 <km>",
        "START_TIME": "2022-08-17T14:25:22.116",
        "SUB_SPACECRAFT_LATITUDE": "85.1",
        "SUB_SPACECRAFT_LONGITUDE": "71.2",
        "TARGET_NAME": "JUPITER",
        "TITLE": "PJ44 North Polar Region",
    }
    words |= {key.replace("JNO_TDI", "JNO:TDI"): value for key, value in changes.items()}
    return {key: value for key, value in words.items() if value is not None}


@pytest.fixture(scope="session")
def keywords() -> Callable[..., dict[str, Any]]:
    return mission


@pytest.fixture(scope="session")
def make_png() -> Callable[..., bytes]:
    return png


@pytest.fixture(scope="session")
def codes() -> np.ndarray:
    """One methane framelet of noise, (128, 1648)."""
    return np.random.default_rng(44).integers(0, 200, (128, 1648), dtype=np.uint8)


@pytest.fixture
def image_set(tmp_path: Path, codes: np.ndarray) -> tuple[Path, Path]:
    """A sound raw PNG with its JSON beside it."""
    picture = tmp_path / f"{METHANE}-raw.png"
    picture.write_bytes(png(codes))
    label = tmp_path / "13552-Metadata.json"
    label.write_text(json.dumps(mission()))
    return picture, label
