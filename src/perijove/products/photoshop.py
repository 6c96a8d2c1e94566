"""Layers as a document of Photoshop, which most editors open."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from perijove.darkroom.unstacked import Codes, Sheet
from perijove.errors import MissingExtraError, OptionError
from perijove.files import replacing
from perijove.products.about import About
from perijove.products.icc import icc_profile
from perijove.products.raster import Pixels
from perijove.products.xmp import packet

#: Names of blend modes in psd-tools.
MODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "normal": "NORMAL",
        "multiply": "MULTIPLY",
        "screen": "SCREEN",
        "overlay": "OVERLAY",
        "darken": "DARKEN",
        "lighten": "LIGHTEN",
        "color-dodge": "COLOR_DODGE",
        "color-burn": "COLOR_BURN",
        "hard-light": "HARD_LIGHT",
        "soft-light": "SOFT_LIGHT",
        "difference": "DIFFERENCE",
        "exclusion": "EXCLUSION",
        "hue": "HUE",
        "saturation": "SATURATION",
        "color": "COLOR",
        "luminosity": "LUMINOSITY",
        "linear-light": "LINEAR_LIGHT",
        "add": "LINEAR_DODGE",
        "subtract": "SUBTRACT",
    }
)
#: What the format can hold: pixels a side, and bytes of all layers together, whose length has 32 bits with a sign.
_LONGEST_PX, _MOST_BYTES = 30000, 2**31 - 2**20


def check_installed() -> None:
    """Refuse to begin without the library that writes the files.

    Raises
    ------
    MissingExtraError
    """
    try:
        import psd_tools.psd  # noqa: F401
    except ImportError as missing:
        raise MissingExtraError("layers for Photoshop need psd-tools: pip install 'perijove[layers]'") from missing


def write(path: Path, sheets: Sequence[Sheet], picture: Pixels, about: About, gamut: str = "srgb") -> None:
    """Write layers.

    Parameters
    ----------
    path : Path
    sheets : sequence of Sheet
        The lowest first, in modes of `MODES`.
    picture : ndarray, (height, width, 3), uint8 or uint16
        What they give over black; the file's merged image.
    about : About
        Goes into the file as XMP.
    gamut : {"srgb", "p3"}
        Whose ICC profile is embedded.

    Raises
    ------
    MissingExtraError
        psd-tools is not installed.
    OptionError
        The format cannot hold so much, or the place cannot be written to.
    """
    check_installed()
    from psd_tools.constants import Resource
    from psd_tools.psd import PSD
    from psd_tools.psd.header import FileHeader
    from psd_tools.psd.image_data import ImageData
    from psd_tools.psd.image_resources import ImageResource, ImageResources

    height, width = picture.shape[:2]
    if max(height, width) > _LONGEST_PX:
        raise OptionError(f"PSD holds at most {_LONGEST_PX} pixels a side, not {max(height, width)}; choose ora")
    depth = picture.dtype.itemsize * 8
    black = np.zeros((height, width, 4), picture.dtype)
    black[..., 3] = np.iinfo(picture.dtype).max
    # A group of their own lies over black: modes see what is in it, and nothing of the black.
    everything = (
        Sheet("sky", "normal", 1.0, black),
        Sheet(about.title, "normal", 1.0, black[:0, :0], tuple(sheets)),
    )
    header = FileHeader(version=1, channels=3, height=height, width=width, depth=depth, color_mode=3)
    carried = {Resource.ICC_PROFILE: icc_profile(gamut), Resource.XMP_METADATA: packet(about)}
    resources = ImageResources()
    for key, content in carried.items():
        resources[key] = ImageResource(key=int(key), data=content)
    image = ImageData()
    image.set_data(list(_planes(picture)), header)
    document = PSD(header, image_resources=resources, image_data=image)
    document.layer_and_mask_information = _layers(everything, depth)
    with replacing(path) as temporary, temporary.open("wb") as file:
        document.write(file)


def _layers(sheets: Sequence[Sheet], depth: int) -> Any:
    """The section of layers: in a block of their own where they have 16 bits, as Photoshop has it."""
    from psd_tools.constants import Tag
    from psd_tools.psd.layer_and_mask import (
        ChannelImageData,
        GlobalLayerMaskInfo,
        LayerAndMaskInformation,
        LayerInfo,
        LayerRecords,
    )
    from psd_tools.psd.tagged_blocks import TaggedBlocks

    with ThreadPoolExecutor() as workers:
        entries = [entry for sheet in sheets for entry in _entries(sheet, depth, workers)]
    size = sum(len(channel.data) for _, channels in entries for channel in channels)
    if size > _MOST_BYTES:
        raise OptionError(f"the layers take {size / 2**30:.1f} GiB and PSD holds 2; choose ora, or a smaller size")
    records = LayerRecords([record for record, _ in entries])
    pixels = ChannelImageData([channels for _, channels in entries])
    blocks, plain = TaggedBlocks(), LayerInfo()
    if depth == 16:
        blocks.set_data(Tag.LAYER_16, len(entries), records, pixels)
    else:
        plain = LayerInfo(len(entries), records, pixels)
    return LayerAndMaskInformation(plain, GlobalLayerMaskInfo(), blocks)


def _entries(sheet: Sheet, depth: int, workers: ThreadPoolExecutor) -> Iterator[tuple[Any, Any]]:
    """Records of a layer and their channels; of a group, from its lower end to its upper one."""
    from psd_tools.constants import SectionDivider, Tag
    from psd_tools.psd.layer_and_mask import ChannelData, ChannelDataList

    if not sheet.is_group:
        yield _record(sheet, list(workers.map(lambda plane: _channel(plane, depth), _channels(sheet.pixels))))
        return
    for kind in (SectionDivider.BOUNDING_SECTION_DIVIDER, SectionDivider.OPEN_FOLDER):
        if kind is SectionDivider.OPEN_FOLDER:
            yield from chain.from_iterable(_entries(inner, depth, workers) for inner in sheet.inside)
        named = sheet if kind is SectionDivider.OPEN_FOLDER else Sheet("</Layer group>", "normal", 1.0, sheet.pixels)
        record, _ = _record(named, [])
        record.tagged_blocks.set_data(Tag.SECTION_DIVIDER_SETTING, kind=kind, blend_mode=record.blend_mode)
        empty: Any = [ChannelData() for _ in record.channel_info]
        yield record, ChannelDataList(empty)


def _record(sheet: Sheet, channels: list[Any]) -> tuple[Any, Any]:
    from psd_tools.constants import BlendMode, Tag
    from psd_tools.psd.layer_and_mask import ChannelDataList, ChannelInfo, LayerRecord
    from psd_tools.psd.tagged_blocks import TaggedBlocks

    height, width = sheet.pixels.shape[:2]
    lengths = [len(channel.data) + 2 for channel in channels] or [2] * 4
    record = LayerRecord(
        bottom=height,
        right=width,
        # Cover comes before the colours, as channel -1.
        channel_info=[ChannelInfo(number - 1, length) for number, length in enumerate(lengths)],
        blend_mode=BlendMode[MODES[sheet.blend]],
        opacity=round(sheet.opacity * 255),
        # The older of two names has few letters.
        name=sheet.name[:200].encode("mac-roman", "replace").decode("mac-roman"),
        tagged_blocks=TaggedBlocks(),
    )
    record.tagged_blocks.set_data(Tag.UNICODE_LAYER_NAME, sheet.name)
    return record, ChannelDataList(channels)


def _channels(pixels: Codes) -> Iterator[Codes]:
    """Cover, red, green, blue."""
    for number in (3, 0, 1, 2):
        yield pixels[..., number]


def _channel(plane: Codes, depth: int) -> Any:
    from psd_tools.constants import Compression
    from psd_tools.psd.layer_and_mask import ChannelData

    height, width = plane.shape
    channel = ChannelData(Compression.RLE if depth == 8 else Compression.ZIP_WITH_PREDICTION)
    channel.set_data(next(_planes(plane[..., None])), width, height, depth)
    return channel


def _planes(pixels: Codes) -> Iterator[bytes]:
    """Channels one after the other, the high byte first."""
    for number in range(pixels.shape[2]):
        plane = np.ascontiguousarray(pixels[..., number])
        yield plane.astype(plane.dtype.newbyteorder(">")).tobytes()
