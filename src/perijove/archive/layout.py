"""How the pixels of one image lie in its file."""

import re
from dataclasses import dataclass
from typing import Final

from perijove.archive.keywords import Keywords, count
from perijove.archive.label import ImageLabel
from perijove.constants import FRAMELET_LINES, FRAMELET_SAMPLES

#: Samples per line for each sampling factor; summed images come as 816, padded ones as 824 (SIS; IK).
_SAMPLES: Final = {1: (FRAMELET_SAMPLES,), 2: (816, FRAMELET_SAMPLES // 2)}
#: First letter of a numpy type for each unsigned SAMPLE_TYPE (PDS3 Standards Reference, appendix C).
_BYTE_ORDER: Final = {
    "UNSIGNED_INTEGER": ">",
    "MSB_UNSIGNED_INTEGER": ">",
    "LSB_UNSIGNED_INTEGER": "<",
    "PC_UNSIGNED_INTEGER": "<",
}
_MD5: Final = re.compile(r"[0-9a-f]{32}")
_PADDING: Final = count(0, 65536)


@dataclass(frozen=True)
class RasterLayout:
    """Lines and samples of an image file.

    Attributes
    ----------
    shape : tuple of int
        (frame, band, line, sample).
    dtype : str
        Type of one sample in the file, as numpy names it: "|u1", ">u2" or "<u2".
    prefix_bytes, suffix_bytes : int
        Bytes before and behind the samples of each line (PDS3 only).
    md5 : str or None
        MD5_CHECKSUM of the image file.
    """

    shape: tuple[int, int, int, int]
    dtype: str
    prefix_bytes: int = 0
    suffix_bytes: int = 0
    md5: str | None = None

    @property
    def lines(self) -> int:
        """Lines of the whole file."""
        frames, bands, lines, _ = self.shape
        return frames * bands * lines

    @property
    def samples(self) -> int:
        """Samples per line."""
        return self.shape[3]

    @property
    def sample_bytes(self) -> int:
        """Bytes of one sample."""
        return int(self.dtype[-1])

    @property
    def row_bytes(self) -> int:
        """Bytes of one line of the file, prefix and suffix included."""
        return self.prefix_bytes + self.samples * self.sample_bytes + self.suffix_bytes

    def describe(self) -> str:
        """Lines spelled out, for messages."""
        frames, bands, lines, _ = self.shape
        return f"{self.lines} lines ({frames} frames x {bands} bands x {lines})"


def layout_from_keywords(keywords: Keywords, label: ImageLabel) -> RasterLayout:
    """Layout from the same keywords that ``label`` was made from.

    Raises
    ------
    LabelError
        If LINE_SAMPLES, SAMPLE_TYPE or MD5_CHECKSUM is missing or absurd.
    """
    samples = keywords.integer("LINE_SAMPLES", count(1, FRAMELET_SAMPLES))
    if samples not in _SAMPLES[label.sampling_factor]:
        known = " or ".join(str(width) for width in _SAMPLES[label.sampling_factor])
        raise keywords.error(
            "LINE_SAMPLES", f"is {samples}; with SAMPLING_FACTOR {label.sampling_factor} it must be {known}"
        )
    kind = keywords.text("SAMPLE_TYPE").upper()
    if kind not in _BYTE_ORDER:
        raise keywords.error("SAMPLE_TYPE", f"is {kind!r}, not one of {', '.join(_BYTE_ORDER)}")
    md5 = keywords.text("MD5_CHECKSUM", "").lower() or None
    if md5 is not None and _MD5.fullmatch(md5) is None:
        raise keywords.error("MD5_CHECKSUM", f"is {md5!r}, not 32 hexadecimal digits")
    return RasterLayout(
        shape=(label.frames, len(label.bands), FRAMELET_LINES // label.sampling_factor, samples),
        dtype=f"{_BYTE_ORDER[kind]}u2" if label.pixel_scale == "reflectance" else "|u1",
        prefix_bytes=_padding(keywords, "LINE_PREFIX_BYTES"),
        suffix_bytes=_padding(keywords, "LINE_SUFFIX_BYTES"),
        md5=md5,
    )


def _padding(keywords: Keywords, key: str) -> int:
    return keywords.integer(key, _PADDING) if keywords.has(key) else 0
