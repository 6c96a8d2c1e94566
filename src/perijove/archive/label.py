"""What is known of an image before its pixels are read."""

import datetime as dt
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from perijove.archive.inputs import read_file
from perijove.archive.keywords import (
    LABEL_LIMIT_BYTES,
    Keywords,
    Measure,
    count,
    parse_json,
    parse_pds3,
)
from perijove.archive.product_id import LETTER_BANDS, ProductId
from perijove.constants import BANDS, FRAMELET_LINES
from perijove.errors import LabelError, ProductIdError

PixelScale = Literal["codes", "reflectance"]


@dataclass(frozen=True)
class ImageLabel:
    """One label, whatever the file was (mission JSON or PDS3).

    Attributes
    ----------
    product_id : ProductId
        Identity of the image.
    start_time : str
        START_TIME, UTC, ISO 8601 with milliseconds and without a zone letter.
    bands : tuple of str
        FILTER_NAME in the order of the strips on the detector.
    frames : int
        Number of frames (each holds one framelet per band).
    interframe_delay_s, exposure_s : float
        INTERFRAME_DELAY and EXPOSURE_DURATION (the sum over the TDI stages), seconds. The delay of a single
        frame means nothing and is 0 where the label has none.
    tdi_stages : int
        JNO:TDI_STAGES_COUNT.
    sampling_factor : int
        1, or 2 for images summed 2 x 2 on board.
    bit_mode : str
        SAMPLE_BIT_MODE_ID: SQROOT, LIN1, LIN8 or LIN16.
    compression : str
        COMPRESSION_TYPE, empty where the label has none.
    pixel_scale : {"codes", "reflectance"}
        What the pixels are: on-board codes (mission PNG, EDR) or RDR reflectance times 10,000.
    target : str
        TARGET_NAME, in upper case; N/A where the label has none.
    orbit : int
        Orbit (perijove) number; that of the product id where the label has none (cruise).
    solar_distance_km : float
        SOLAR_DISTANCE; NaN where the label has none.
    altitude_km : float
        SPACECRAFT_ALTITUDE above the nearest point of the target's ellipsoid at image mid-time, or NaN.
    sub_spacecraft_lat_graphic_deg, sub_spacecraft_lon_w_sys3_deg : float
        Planetographic latitude, west longitude (System III on Jupiter), at image mid-time, or NaN.
    methane_distortion_y_px : float or None
        Row of the distortion centre that RATIONALE_DESC states for images whose methane window was moved.
    title, rationale, source_product_id : str
        TITLE, RATIONALE_DESC and SOURCE_PRODUCT_ID, empty where the label has none.

    Notes
    -----
    Altitude, latitude and longitude are a position only together: either all three are numbers or all three
    are NaN. They are NaN where one of them is absent or N/A, where all three are 0 (what cruise labels write
    for "none"), and where the target is N/A, the sky or a calibration source. They refer to ``target``: near
    a moon they are no position over Jupiter.
    """

    product_id: ProductId
    start_time: str
    bands: tuple[str, ...]
    frames: int
    interframe_delay_s: float
    exposure_s: float
    tdi_stages: int
    sampling_factor: int
    bit_mode: str
    compression: str
    pixel_scale: PixelScale
    target: str
    orbit: int
    solar_distance_km: float
    altitude_km: float
    sub_spacecraft_lat_graphic_deg: float
    sub_spacecraft_lon_w_sys3_deg: float
    methane_distortion_y_px: float | None
    title: str
    rationale: str
    source_product_id: str


_MODES: Final = ("SQROOT", "LIN1", "LIN8", "LIN16")
#: Targets without a surface below the spacecraft.
_NO_BODY: Final = frozenset(
    {"SPACE", "SKY", "DARK SKY", "BLACK SKY", "STAR", "STARS", "STAR FIELD", "CALIBRATION", "N/A", "UNK"}
)
_MAX_FRAMES: Final = 600
_LINES: Final = count(1, _MAX_FRAMES * len(BANDS) * FRAMELET_LINES)
_SECONDS: Final = {"": 1.0, "s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1000.0}
_MILLISECONDS: Final = {**_SECONDS, "": 1000.0}
_KILOMETRES: Final = {"": 1.0, "km": 1.0, "m": 1000.0}
_DEGREES: Final = {"": 1.0, "deg": 1.0, "degree": 1.0, "degrees": 1.0}
# Delays of 0.370 to 0.378 s are usual (one frame per 4.4 degrees of spin), 0.500 s was used in cruise.
_DELAY: Final = Measure("s", _SECONDS, 0.2, 1.0)
# Rows times the longest TDI give 0.4 s; the rest is room for staring exposures of the cruise.
_EXPOSURE: Final = Measure("s", _MILLISECONDS, 1e-6, 10.0)
_TDI: Final = count(1, 200)
_LATITUDE: Final = Measure("deg", _DEGREES, -90.0, 90.0)
_LONGITUDE: Final = Measure("deg", _DEGREES, -180.0, 360.0)
# 0 is what labels write for "none"; Juno was never 1e9 km from any target.
_ALTITUDE: Final = Measure("km", _KILOMETRES, 0.0, 1e9)
# Juno stayed between 0.88 and 5.46 AU.
_SOLAR_DISTANCE: Final = Measure("km", _KILOMETRES, 1.2e8, 8.5e8)
# The usual window lies at 315.48; the bounds keep the strip on the chip.
_METHANE_Y: Final = Measure("px", {"": 1.0}, 0.0, 1000.0)
# The hyphen is lost where a PDS3 label breaks the line behind it.
_METHANE_TEXT: Final = re.compile(r"INS-?\s*61504_DISTORTION_Y\s*=?\s*(\S*)")
_TIME: Final = re.compile(
    r"([0-9]{4})-(?:([0-9]{2})-([0-9]{2})|([0-9]{3}))T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,6}))?Z?"
)


def label_from_keywords(keywords: Mapping[str, object], source: str) -> ImageLabel:
    """Label from the keywords of a mission JSON or a PDS3 label.

    Parameters
    ----------
    keywords : mapping
        Values as text with a unit (``"3.200000 <ms>"``), plain numbers, numeric text, lists, or pairs with
        ``value`` and ``units``. Keywords that are not needed may be anything.
    source : str
        Name of the file, for messages.

    Raises
    ------
    LabelError
        If a keyword is missing, has an unknown unit, is not finite or absurd, or contradicts another.
    """
    words = Keywords(keywords, source)
    product = _product_id(words)
    bands = _bands(words, product)
    sampling_factor = words.integer("SAMPLING_FACTOR", count(1, 2))
    frames = _frames(words, len(bands), FRAMELET_LINES // sampling_factor)
    altitude, latitude, longitude = _position(words)
    has_distance = words.has("SOLAR_DISTANCE")
    rationale = words.text("RATIONALE_DESC", "")
    return ImageLabel(
        product_id=product,
        start_time=_start_time(words, product),
        bands=bands,
        frames=frames,
        interframe_delay_s=_interframe_delay(words, frames),
        exposure_s=words.number("EXPOSURE_DURATION", _EXPOSURE),
        tdi_stages=words.integer("JNO:TDI_STAGES_COUNT", _TDI),
        sampling_factor=sampling_factor,
        bit_mode=_bit_mode(words),
        compression=words.text("COMPRESSION_TYPE", ""),
        pixel_scale=_pixel_scale(words, product),
        target=words.text("TARGET_NAME", "N/A").upper(),
        orbit=_orbit(words, product),
        solar_distance_km=words.number("SOLAR_DISTANCE", _SOLAR_DISTANCE) if has_distance else math.nan,
        altitude_km=altitude,
        sub_spacecraft_lat_graphic_deg=latitude,
        sub_spacecraft_lon_w_sys3_deg=longitude,
        methane_distortion_y_px=_methane_distortion_y(rationale, source),
        title=words.text("TITLE", ""),
        rationale=rationale,
        source_product_id=words.text("SOURCE_PRODUCT_ID", ""),
    )


def read_json_label(path_or_bytes: str | Path | bytes, source: str = "metadata") -> ImageLabel:
    """Label from a mission ``Metadata.json``, given as a path or as its bytes.

    Parameters
    ----------
    path_or_bytes : path or bytes
    source : str
        Name for messages where bytes are given.

    Raises
    ------
    LabelError
        If the file cannot be read, is not a JSON object, or the label is not sound.
    """
    if not isinstance(path_or_bytes, bytes):
        path = Path(path_or_bytes)
        source = str(path)
        path_or_bytes, _ = read_file(path, LABEL_LIMIT_BYTES, LabelError)
    return label_from_keywords(parse_json(path_or_bytes, source).values, source)


def read_pds3_label(path: str | Path) -> ImageLabel:
    """Label from a detached PDS3 ``.LBL`` of an EDR or RDR.

    Raises
    ------
    LabelError
        If the file cannot be read, is not PDS3, or the label is not sound.
    """
    path = Path(path)
    data, _ = read_file(path, LABEL_LIMIT_BYTES, LabelError)
    return label_from_keywords(parse_pds3(data, str(path)).values, str(path))


def _product_id(words: Keywords) -> ProductId:
    text = words.text("PRODUCT_ID")
    try:
        product = ProductId.parse(text)
    except ProductIdError as problem:
        raise words.error("PRODUCT_ID", f"cannot be used: {problem}") from problem
    if product.kind == "M":
        raise words.error("PRODUCT_ID", f"{product} is a map, which holds no framelets; give an EDR or RDR")
    named = ProductId.find(words.text("FILE_NAME", ""))
    if named is not None and named != product:
        raise words.error("FILE_NAME", f"names {named}, but PRODUCT_ID is {product}; get the label again")
    return product


def _bands(words: Keywords, product: ProductId) -> tuple[str, ...]:
    listed = words.words("FILTER_NAME")
    unknown = [name for name in listed if name not in BANDS]
    if unknown or not listed:
        raise words.error("FILTER_NAME", f"holds unknown filters {unknown}; known are {', '.join(BANDS)}")
    # The strips are read by increasing row: the raw order is the chip's, however the label lists the bands.
    bands = tuple(band for band in BANDS if band in listed)
    if len(bands) < len(listed):
        raise words.error("FILTER_NAME", f"names a filter twice: {', '.join(listed)}")
    expected = LETTER_BANDS[product.filter_letter]
    if bands != expected:
        raise words.error(
            "FILTER_NAME",
            f"is {', '.join(bands)}, but the letter of {product} means {', '.join(expected)}",
        )
    return bands


def _frames(words: Keywords, bands: int, framelet_lines: int) -> int:
    lines = words.integer("LINES", _LINES)
    frames, rest = divmod(lines, bands * framelet_lines)
    if rest:
        raise words.error("LINES", f"is {lines}, not a whole number of frames of {bands} x {framelet_lines} lines")
    if frames > _MAX_FRAMES:
        raise words.error("LINES", f"is {lines}, {frames} frames; at most {_MAX_FRAMES} are plausible")
    return frames


def _interframe_delay(words: Keywords, frames: int) -> float:
    if frames == 1 and not words.has("INTERFRAME_DELAY"):
        return 0.0
    if frames == 1:
        return words.number("INTERFRAME_DELAY", Measure("s", _SECONDS, 0.0, math.inf))
    return words.number("INTERFRAME_DELAY", _DELAY)


def _bit_mode(words: Keywords) -> str:
    mode = words.text("SAMPLE_BIT_MODE_ID").upper()
    if mode not in _MODES:
        raise words.error("SAMPLE_BIT_MODE_ID", f"is {mode!r}, not one of {', '.join(_MODES)}")
    return mode


def _pixel_scale(words: Keywords, product: ProductId) -> PixelScale:
    bits = words.integer("SAMPLE_BITS", count(1, 64))
    expected = 16 if product.kind == "R" else 8
    if bits != expected:
        raise words.error("SAMPLE_BITS", f"is {bits}, but {product} should have {expected}")
    return "reflectance" if product.kind == "R" else "codes"


def _orbit(words: Keywords, product: ProductId) -> int:
    if not words.has("ORBIT_NUMBER"):
        return product.orbit
    orbit = words.integer("ORBIT_NUMBER", count(0, 99))
    # Ids of cruise and of the capture orbit carry 00 whatever the label counts.
    if product.orbit not in (0, orbit):
        raise words.error("ORBIT_NUMBER", f"is {orbit}, but {product} is of orbit {product.orbit}")
    return orbit


def _position(words: Keywords) -> tuple[float, float, float]:
    """Altitude (km), planetographic latitude and west longitude (deg); all three or none (NaN)."""
    hints = (
        ("SPACECRAFT_ALTITUDE", _ALTITUDE),
        ("SUB_SPACECRAFT_LATITUDE", _LATITUDE),
        ("SUB_SPACECRAFT_LONGITUDE", _LONGITUDE),
    )
    none = (math.nan, math.nan, math.nan)
    present = [words.number(key, measure) for key, measure in hints if words.has(key)]
    if len(present) < len(hints) or not any(present):
        return none
    if words.text("TARGET_NAME", "N/A").upper() in _NO_BODY:
        return none
    altitude, latitude, longitude = present
    if altitude == 0.0:
        raise words.error("SPACECRAFT_ALTITUDE", "is 0 km, on the surface; get the label again")
    return altitude, latitude, longitude


def _methane_distortion_y(rationale: str, source: str) -> float | None:
    match = _METHANE_TEXT.search(rationale)
    if match is None:
        return None
    key = "INS-61504_DISTORTION_Y"
    return Keywords({key: match[1].strip("(),;.'\"")}, source).number(key, _METHANE_Y)


def _start_time(words: Keywords, product: ProductId) -> str:
    """START_TIME as calendar date and time without a zone letter."""
    start = _parse_time(words)
    named = dt.date(product.year, 1, 1) + dt.timedelta(days=product.day_of_year - 1)
    # Corrections of the clock by a second may carry an image over midnight; its id stays.
    if abs((start.date() - named).days) > 1:
        raise words.error("START_TIME", f"is {start.isoformat()}, but {product} was taken on {named}")
    return start.isoformat(timespec="microseconds" if start.microsecond % 1000 else "milliseconds")


def _parse_time(words: Keywords) -> dt.datetime:
    value = words.values.get("START_TIME")
    if isinstance(value, dt.datetime):
        if value.utcoffset():
            raise words.error("START_TIME", f"is {value}, not in UTC")
        return value.replace(tzinfo=None)
    text = words.text("START_TIME")
    match = _TIME.fullmatch(text)
    if match is None:
        raise words.error("START_TIME", f"is {text!r}, not a UTC time like 2022-08-17T13:44:55.688")
    year, month, day, day_of_year, hour, minute, second, fraction = match.groups()
    microsecond = int((fraction or "0").ljust(6, "0"))
    try:
        clock = dt.time(int(hour), int(minute), int(second), microsecond)
        if day_of_year is None:
            date = dt.date(int(year), int(month), int(day))
        else:
            date = dt.date(int(year), 1, 1) + dt.timedelta(days=int(day_of_year) - 1)
            if date.year != int(year):
                raise ValueError(f"the year has no day {day_of_year}")
    except (ValueError, OverflowError) as problem:
        raise words.error("START_TIME", f"is {text!r}: {problem}") from problem
    return dt.datetime.combine(date, clock)
