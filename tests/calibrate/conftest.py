"""Framelets whose truth is known."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from perijove.archive.framelets import FrameletStack
from perijove.archive.label import ImageLabel
from perijove.archive.product_id import ProductId

# Lower ends of the intervals, written out segment by segment from the interface specification.
LEVELS = np.concatenate(
    [
        np.arange(0, 23),
        np.arange(23, 63, 2),
        np.arange(63, 247, 4),
        np.arange(247, 1007, 8),
        np.arange(1007, 1407, 16),
        np.arange(1407, 2880, 32),
    ]
)


def encode(dn: np.ndarray) -> np.ndarray:
    """Codes of counts: the highest level that is not above them."""
    return (np.searchsorted(LEVELS, np.clip(dn, 0, 2879), side="right") - 1).astype(np.uint8)


def expose(scene_dn: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Counts with shot noise (16 electrons per count) and read noise (16.6 electrons)."""
    electrons = rng.poisson(np.maximum(scene_dn, 0.0) * 16.0) + rng.normal(0.0, 16.6, scene_dn.shape)
    return np.rint(electrons / 16.0)


@pytest.fixture
def make_label() -> Callable[..., ImageLabel]:
    def make(**changes: Any) -> ImageLabel:
        values: dict[str, Any] = {
            "product_id": ProductId.parse("JNCE_2022229_44C00032_V01"),
            "start_time": "2022-08-17T14:00:00.000",
            "bands": ("GREEN",),
            "frames": 6,
            "interframe_delay_s": 0.373,
            "exposure_s": 0.0032,
            "tdi_stages": 1,
            "sampling_factor": 1,
            "bit_mode": "SQROOT",
            "compression": "HUFFMAN",
            "pixel_scale": "codes",
            "target": "JUPITER",
            "orbit": 44,
            "solar_distance_km": 7.4172e8,
            "altitude_km": 86000.0,
            "sub_spacecraft_lat_graphic_deg": 70.0,
            "sub_spacecraft_lon_w_sys3_deg": 10.0,
            "methane_distortion_y_px": None,
            "title": "truth",
            "rationale": "",
            "source_product_id": "",
        }
        return ImageLabel(**(values | changes))

    return make


@pytest.fixture
def make_stack(make_label: Callable[..., ImageLabel]) -> Callable[..., FrameletStack]:
    def make(pixels: np.ndarray, **changes: Any) -> FrameletStack:
        pixels.flags.writeable = False
        return FrameletStack(make_label(frames=len(pixels), **changes), pixels, ())

    return make


@pytest.fixture(name="encode")
def encode_fixture() -> Callable[[np.ndarray], np.ndarray]:
    return encode


@pytest.fixture(name="expose")
def expose_fixture() -> Callable[[np.ndarray, np.random.Generator], np.ndarray]:
    return expose
