"""Labels of simulated images: as the mission's JSON and as PDS3, recognisable as simulated."""

import datetime as dt
import textwrap
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perijove.archive.label import ImageLabel
from perijove.archive.product_id import LETTER_BANDS, ProductId
from perijove.constants import AU_KM, FRAMELET_LINES, FRAMELET_SAMPLES, TDI_STEP_S
from perijove.geometry.ellipsoid import above, from_lat_lon, normals
from perijove.geometry.ephemeris import Trajectory, direction_from_jupiter, mid_time
from perijove.geometry.orientation import j2000_to_jupiter
from perijove.geometry.timescale import et_to_utc, utc_to_et

Floats = npt.NDArray[np.float64]

#: What SOFTWARE_NAME, DESCRIPTION and SOURCE_PRODUCT_ID say, so that nobody takes the data for real.
SOFTWARE: Final = "PERIJOVE SIMULATE"
DESCRIPTION: Final = "Simulated by perijove from a known truth; not taken by JunoCam."
_SOURCE: Final = "SIMULATED"
#: Number of the first image: the mission's first of a pass are departure and approach movies.
_FIRST_NUMBER: Final = 20
_DAY_S: Final = 86400.0
#: Samples of a line of an image that was summed 2 x 2 on board: the last columns of the chip are left out (SIS).
_SUMMED_SAMPLES: Final = 816
#: TDI stages of colour images by the cosine of incidence below the spacecraft, and of methane ones: usual values.
_COLOUR_STAGES: Final = ((0.5, 1), (-1.0, 2))
_METHANE_STAGES: Final = 32
#: Clock counts are 256ths of a second (as in the labels of the mission).
_TICKS: Final = 256
_DATA_SETS: Final = {
    "E": ("JUNO-J-JUNOCAM-2-EDR-L0-V1.0", "JUNOCAM-EDR", 2),
    "R": ("JUNO-J-JUNOCAM-3-RDR-L1A-V1.0", "JUNOCAM-RDR", 3),
}


@dataclass(frozen=True)
class LabelPlan:
    """What the sequence commands: perijove, image of the pass from zero, bands, frames, start (TDB), delay, summing."""

    perijove: int
    index: int
    bands: tuple[str, ...]
    frames: int
    start_et: float
    delay_s: float
    sampling_factor: int = 1


def framelet_shape(sampling_factor: int) -> tuple[int, int]:
    """Lines and samples of a framelet as the mission sends it.

    Examples
    --------
    >>> framelet_shape(1), framelet_shape(2)
    ((128, 1648), (64, 816))
    """
    return FRAMELET_LINES // sampling_factor, {1: FRAMELET_SAMPLES, 2: _SUMMED_SAMPLES}[sampling_factor]


def make_label(trajectory: Trajectory, plan: LabelPlan) -> ImageLabel:
    """Label that the mission would write, numbers rounded as it rounds them.

    Parameters
    ----------
    trajectory : Trajectory
        The truth.
    plan : LabelPlan
    """
    start = et_to_utc(plan.start_et)
    letter = next(key for key, bands in LETTER_BANDS.items() if bands == plan.bands)
    day = dt.datetime.fromisoformat(start).timetuple()
    number = _FIRST_NUMBER + plan.index
    product = ProductId("E", day.tm_year, day.tm_yday, plan.perijove, letter, number, 1)
    middle = utc_to_et(start) + plan.frames * plan.delay_s / 2
    latitude, longitude, altitude = above(j2000_to_jupiter(middle) @ trajectory.state(middle)[0])
    stages = _stages(plan.bands, middle, (float(latitude), float(longitude)))
    return ImageLabel(
        product_id=product,
        start_time=start,
        bands=plan.bands,
        frames=plan.frames,
        interframe_delay_s=plan.delay_s,
        exposure_s=round(stages * TDI_STEP_S, 6),
        tdi_stages=stages,
        sampling_factor=plan.sampling_factor,
        bit_mode="SQROOT",
        compression="INTEGER COSINE TRANSFORM",
        pixel_scale="codes",
        target="JUPITER",
        orbit=plan.perijove,
        solar_distance_km=float(f"{solar_distance_km(middle):.4e}"),
        altitude_km=round(float(altitude), 1),
        sub_spacecraft_lat_graphic_deg=round(float(latitude), 4),
        sub_spacecraft_lon_w_sys3_deg=round(float(longitude), 4) % 360.0,
        methane_distortion_y_px=None,
        title=f"PJ{plan.perijove} simulated image {number}",
        rationale="Simulated Jupiter imaging",
        source_product_id=_SOURCE,
    )


def solar_distance_km(et: float) -> float:
    """Distance of Jupiter from the Sun, km (analytic ephemeris of astronomy-engine)."""
    import astronomy

    time = astronomy.Time.FromTerrestrialTime(et / _DAY_S)
    return float(astronomy.HelioVector(astronomy.Body.Jupiter, time).Length()) * AU_KM


def _stages(bands: tuple[str, ...], et: float, nadir: tuple[float, float]) -> int:
    if bands == ("METHANE",):
        return _METHANE_STAGES
    sun = j2000_to_jupiter(et) @ direction_from_jupiter("Sun", et)
    incidence = float(normals(from_lat_lon(*nadir)) @ sun)
    return next(stages for least, stages in _COLOUR_STAGES if incidence >= least)


def rdr_label(label: ImageLabel) -> ImageLabel:
    """Label of the RDR of an EDR."""
    return replace(label, product_id=replace(label.product_id, kind="R"), pixel_scale="reflectance")


def clock_count(et: float) -> str:
    """Spacecraft clock of a time, as the simulated clock kernel counts it: seconds of TDB past J2000, and ticks.

    Examples
    --------
    >>> clock_count(700000000.5)
    '700000000:128'
    """
    ticks = int(et * _TICKS)
    return f"{ticks // _TICKS}:{ticks % _TICKS}"


def mission_metadata(label: ImageLabel) -> dict[str, Any]:
    """Keywords of the mission's ``Metadata.json``, with its mixed types.

    Parameters
    ----------
    label : ImageLabel
        Of codes (EDR).

    Returns
    -------
    dict
    """
    words = _common(label)
    words |= {
        "DESCRIPTION": DESCRIPTION,
        "EXPOSURE_DURATION": f"{1000 * label.exposure_s:.6f} <ms>",
        "FILE_NAME": f"{label.product_id}-raw.png",
        "FILTER_NAME": list(label.bands),
        "FOCAL_PLANE_TEMPERATURE": "273.0 <K>",
        "INTERFRAME_DELAY": f"{label.interframe_delay_s:.3f} <s>",
        "MISSION_PHASE_NAME": f"PERIJOVE {label.orbit}",
        "PJ": str(label.orbit),
        "SEQUENCE_ID": f"jm{label.orbit:02d}",
        "SOLAR_DISTANCE": f"{label.solar_distance_km:.4e} <km>",
        "SPACECRAFT_ALTITUDE": f"{label.altitude_km:.1f} <km>",
        "SUB_SPACECRAFT_LATITUDE": f"{label.sub_spacecraft_lat_graphic_deg:.4f}",
        "SUB_SPACECRAFT_LONGITUDE": f"{label.sub_spacecraft_lon_w_sys3_deg:.4f}",
        "TITLE": label.title,
        "TOKEN_ID": [],
    }
    return dict(sorted(words.items()))


def _common(label: ImageLabel) -> dict[str, Any]:
    """Keywords that read alike in both kinds of label."""
    data_set, standard, level = _DATA_SETS[label.product_id.kind]
    lines, samples = framelet_shape(label.sampling_factor)
    lines *= label.frames * len(label.bands)
    bits = 16 if label.pixel_scale == "reflectance" else 8
    start = utc_to_et(label.start_time)
    # The mission's products follow two days after the image; a fixed lag keeps the files reproducible.
    created = dt.datetime.fromisoformat(label.start_time) + dt.timedelta(days=2)
    return {
        "COMPRESSION_TYPE": label.compression,
        "DATA_SET_ID": data_set,
        "FILE_RECORDS": lines,
        "IMAGE_TIME": label.start_time,
        "INSTRUMENT_HOST_NAME": "JUNO",
        "INSTRUMENT_ID": "JNC",
        "INSTRUMENT_NAME": "JUNO EPO CAMERA",
        "JNO:TDI_STAGES_COUNT": label.tdi_stages,
        "LINES": lines,
        "LINE_PREFIX_BYTES": 0,
        "LINE_SAMPLES": samples,
        "LINE_SUFFIX_BYTES": 0,
        "ORBIT_NUMBER": label.orbit,
        "PROCESSING_LEVEL_ID": level,
        "PRODUCER_ID": "PERIJOVE",
        "PRODUCT_CREATION_TIME": created.isoformat(timespec="seconds"),
        "PRODUCT_ID": str(label.product_id),
        "PRODUCT_VERSION_ID": label.product_id.version,
        "RATIONALE_DESC": label.rationale,
        "RECORD_BYTES": samples * bits // 8,
        "SAMPLE_BITS": bits,
        "SAMPLE_BIT_MASK": f"2#{'1' * bits}#",
        "SAMPLE_BIT_MODE_ID": label.bit_mode,
        "SAMPLE_TYPE": "UNSIGNED_INTEGER",
        "SAMPLING_FACTOR": label.sampling_factor,
        "SOFTWARE_NAME": SOFTWARE,
        "SOURCE_PRODUCT_ID": label.source_product_id,
        "SPACECRAFT_CLOCK_START_COUNT": clock_count(start),
        "SPACECRAFT_CLOCK_STOP_COUNT": "N/A",
        "SPACECRAFT_NAME": "JUNO",
        "STANDARD_DATA_PRODUCT_ID": standard,
        "START_TIME": label.start_time,
        "STOP_TIME": et_to_utc(2 * mid_time(label) - start),
        "TARGET_NAME": label.target,
    }


_OBJECT: Final = (
    "LINES",
    "LINE_SAMPLES",
    "SAMPLE_TYPE",
    "LINE_PREFIX_BYTES",
    "LINE_SUFFIX_BYTES",
    "SAMPLE_BITS",
    "SAMPLE_BIT_MASK",
)
_BARE: Final = frozenset(
    {"SPACECRAFT_NAME", "PRODUCER_ID", "PRODUCT_CREATION_TIME", "START_TIME", "IMAGE_TIME", "STOP_TIME"}
    | {"SAMPLE_TYPE", "SAMPLE_BIT_MASK"}
)


def pds3_label(label: ImageLabel, md5: str) -> str:
    """Text of the detached PDS3 label of an EDR or RDR, lines ended as PDS3 has them.

    Parameters
    ----------
    label : ImageLabel
    md5 : str
        MD5 of the IMG file.
    """
    words = _common(label)
    image = f"{label.product_id}.IMG"
    rest = {key: words[key] for key in words if key not in _OBJECT and key not in ("RECORD_BYTES", "FILE_RECORDS")}
    listed = ", ".join(f"'{band}'" for band in label.bands)
    plain = {
        "INTERFRAME_DELAY": f"{label.interframe_delay_s:.3f} <s>",
        "SUB_SPACECRAFT_LATITUDE": f"{label.sub_spacecraft_lat_graphic_deg:.4f}",
        "SUB_SPACECRAFT_LONGITUDE": f"{label.sub_spacecraft_lon_w_sys3_deg:.4f}",
        "SPACECRAFT_ALTITUDE": f"{label.altitude_km:.1f} <km>",
        "SOLAR_DISTANCE": f"{label.solar_distance_km:.4e} <km>",
        "EXPOSURE_DURATION": f"{1000 * label.exposure_s:.6f} <ms>",
        "FILTER_NAME": f"({listed})",
        "FOCAL_PLANE_TEMPERATURE": "273.0 <K>",
        "MISSION_PHASE_NAME": '"SCIENCE ORBITS"',
    }
    lines = ["PDS_VERSION_ID = PDS3", "RECORD_TYPE = FIXED_LENGTH"]
    lines += [f"{key} = {words[key]}" for key in ("RECORD_BYTES", "FILE_RECORDS")]
    lines += [f'^IMAGE = "{image}"', f'FILE_NAME = "{image}"']
    lines += [f"{key} = {_value(key, value)}" for key, value in rest.items()]
    lines += [f"{key} = {value}" for key, value in plain.items()]
    # PDS3 lines hold at most 78 characters.
    lines += textwrap.wrap(f'DESCRIPTION = "{DESCRIPTION}"', 76)
    lines += ["OBJECT = IMAGE", *(f"  {key} = {_value(key, words[key])}" for key in _OBJECT)]
    lines += [f'  MD5_CHECKSUM = "{md5}"', "END_OBJECT = IMAGE", "END", ""]
    return "\r\n".join(lines)


def _value(key: str, value: object) -> str:
    return str(value) if isinstance(value, int) or key in _BARE else f'"{value}"'
