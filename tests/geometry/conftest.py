"""Labels and kernels made here, for orbits and attitudes that are known."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perijove.archive.label import ImageLabel
from perijove.archive.product_id import ProductId

A_KM, C_KM = 71492.0, 66854.0
LSK = r"""KPL/LSK
\begindata
DELTET/DELTA_T_A = 32.184
DELTET/K         = 1.657D-3
DELTET/EB        = 1.671D-2
DELTET/M         = ( 6.239996D0 1.99096871D-7 )
DELTET/DELTA_AT  = ( 34, @2009-JAN-1, 35, @2012-JUL-1, 36, @2015-JUL-1, 37, @2017-JAN-1 )
\begintext
"""
# A clock that counts 256ths of seconds of TDB past J2000.
SCLK = r"""KPL/SCLK
\begindata
SCLK_KERNEL_ID           = ( @2020-01-01 )
SCLK_DATA_TYPE_61        = ( 1 )
SCLK01_TIME_SYSTEM_61    = ( 1 )
SCLK01_N_FIELDS_61       = ( 2 )
SCLK01_MODULI_61         = ( 4294967296 256 )
SCLK01_OFFSETS_61        = ( 0 0 )
SCLK01_OUTPUT_DELIM_61   = ( 2 )
SCLK_PARTITION_START_61  = ( 0.0 )
SCLK_PARTITION_END_61    = ( 1.0E+12 )
SCLK01_COEFFICIENTS_61   = ( 0.0 0.0 1.0 )
\begintext
"""


def geographic(point_km: np.ndarray) -> tuple[float, float, float]:
    """Planetographic latitude, west longitude (degrees) and altitude (km) of a point, by iteration."""
    e2 = 1 - (C_KM / A_KM) ** 2
    rho = np.hypot(point_km[0], point_km[1])
    lat = np.arctan2(point_km[2], rho)
    for _ in range(60):
        normal = A_KM / np.sqrt(1 - e2 * np.sin(lat) ** 2)
        lat = np.arctan2(point_km[2] + e2 * normal * np.sin(lat), rho)
    altitude = rho * np.cos(lat) + point_km[2] * np.sin(lat) - A_KM * np.sqrt(1 - e2 * np.sin(lat) ** 2)
    return np.degrees(lat), np.degrees(np.arctan2(-point_km[1], point_km[0])) % 360, altitude


def make_image_label(point_km: np.ndarray | None = None, **changes: Any) -> ImageLabel:
    """Label of an image whose middle was taken above a point of the body-fixed frame."""
    latitude, longitude, altitude = (np.nan,) * 3 if point_km is None else geographic(point_km)
    label = ImageLabel(
        product_id=ProductId.parse("JNCE_2022229_44C00032_V01"),
        start_time="2022-08-17T13:44:55.688",
        bands=("BLUE", "GREEN", "RED"),
        frames=22,
        interframe_delay_s=0.373,
        exposure_s=0.0192,
        tdi_stages=6,
        sampling_factor=1,
        bit_mode="SQROOT",
        compression="",
        pixel_scale="codes",
        target="JUPITER",
        orbit=44,
        solar_distance_km=7.4e8,
        altitude_km=altitude,
        sub_spacecraft_lat_graphic_deg=latitude,
        sub_spacecraft_lon_w_sys3_deg=longitude,
        methane_distortion_y_px=None,
        title="",
        rationale="",
        source_product_id="",
    )
    return dataclasses.replace(label, **changes)


@pytest.fixture(scope="session")
def make_label() -> Callable[..., ImageLabel]:
    return make_image_label


@pytest.fixture
def spice() -> Iterator[Any]:
    import spiceypy

    spiceypy.kclear()
    yield spiceypy
    spiceypy.kclear()


def write_spk(spice: Any, path: Path, et: np.ndarray, juno: np.ndarray, jupiter: np.ndarray | None) -> None:
    """SPK of Juno and Jupiter relative to the barycentre of the system, from states (n, 6)."""
    handle = spice.spkopn(str(path), path.stem, 0)
    for body, states in ((-61, juno), (599, jupiter)):
        if states is not None:
            n = len(et)
            spice.spkw13(handle, body, 5, "J2000", et[0], et[-1], "made", 3, n, states.tolist(), et.tolist())
    spice.spkcls(handle)


def write_ck(spice: Any, path: Path, et: np.ndarray, to_j2000: np.ndarray, rate: np.ndarray) -> None:
    """CK of the spacecraft, interpolated over the whole span, from matrices and angular velocities."""
    handle = spice.ckopn(str(path), path.stem, 0)
    ticks = (et * 256).tolist()
    quaternions = [spice.m2q(m.T.tolist()) for m in to_j2000]
    names = (-61000, "J2000", True, "made")
    records = (len(ticks), ticks, np.array(quaternions), rate, 1, ticks[:1])
    spice.ckw03(handle, ticks[0], ticks[-1], *names, *records)
    spice.ckcls(handle)


@pytest.fixture
def spk_writer(spice: Any) -> Callable[..., None]:
    return lambda *args: write_spk(spice, *args)


@pytest.fixture
def ck_writer(spice: Any) -> Callable[..., None]:
    return lambda *args: write_ck(spice, *args)


@pytest.fixture
def clock_writer() -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / "made.tls").write_text(LSK)
        (folder / "made.tsc").write_text(SCLK)

    return write
