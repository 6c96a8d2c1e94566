"""XMP: what a picture tells of itself, in the form that all picture formats can hold.

Sources: ISO 16684-1 (data model, serialisation, packets); Adobe, "XMP Specification Part 3" (where formats keep it;
JPEG's extended XMP; scanning files for packets); IPTC Photo Metadata Standard 2021.1 (alternative text).
"""

import hashlib
import re
import struct
from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol
from xml.etree import ElementTree
from xml.parsers import expat

from perijove.errors import RecipeError
from perijove.products.about import About
from perijove.story.licence import CC0, PUBLIC_DOMAIN

#: Properties of the project's own.
NAMESPACE: Final = "https://github.com/perijove/perijove/ns/1.0/"
_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_META: Final = "adobe:ns:meta/"
_NOTE: Final = "http://ns.adobe.com/xmp/note/"
_PREFIXES: Final[Mapping[str, str]] = {
    "x": _META,
    "rdf": _RDF,
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "xmpNote": _NOTE,
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "perijove": NAMESPACE,
}
_LANGUAGE: Final = "{http://www.w3.org/XML/1998/namespace}lang"
#: Whatever cannot stand in XML 1.0 (2.2, Char).
_NO_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: The wrapper of a packet that is not to be changed where it stands (ISO 16684-1, 7.3.2).
_BEGIN: Final = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'.encode()
_END: Final = b'\n<?xpacket end="r"?>'
_BEGINS: Final = b"<?xpacket begin="
_ENDS: Final = b"<?xpacket end="
#: What follows: r or w, in quotation marks.
_ENDED: Final = b'"w"?>'
#: Recipes have at most a megabyte; what is longer is none of ours.
_MOST_BYTES: Final = 16 << 20
#: Packets that are looked into in a file, elements in one, and those within each other.
_MOST_PACKETS, _MOST_ELEMENTS, _MOST_DEPTH = 1000, 100_000, 60
#: A segment of JPEG's extended XMP: after this, a digest, the whole length and the place of the part.
_EXTENSION: Final = b"http://ns.adobe.com/xmp/extension/\0"
_EXTENSION_HEAD: Final = struct.Struct(">32sII")
#: Bytes of a packet, and of a part of an extended one, that a segment of JPEG holds.
SEGMENT_BYTES: Final = 65502
_PART_BYTES: Final = 65400


class Searchable(Protocol):
    """Bytes, or a file mapped into memory."""

    def find(self, sub: bytes, start: int = ..., end: int = ..., /) -> int:
        """Where a part begins; -1 if nowhere."""

    def __getitem__(self, key: slice, /) -> bytes:
        """A part."""

    def __len__(self) -> int:
        """How many."""


def packet(about: About, documents: bool = True) -> bytes:
    """The XMP packet of a picture.

    Parameters
    ----------
    about : About
    documents : bool
        Whether recipe and provenance are in it; files that have a better place for them go without.

    Returns
    -------
    bytes
        UTF-8, with its wrapper. The same picture gives the same bytes.
    """
    return _wrapped({**_told(about), **(_documents(about) if documents else {})})


def split_packet(about: About) -> tuple[bytes, list[bytes]]:
    """The same for JPEG, whose segments are short: a packet, and APP1 segments with what has no room in it."""
    whole = packet(about)
    if len(whole) <= SEGMENT_BYTES:
        return whole, []
    rest = _meta(_documents(about))
    # The standard wants this digest; nothing rests on its strength.
    digest = hashlib.md5(rest, usedforsecurity=False).hexdigest().upper()
    heads = (
        (at, _EXTENSION + _EXTENSION_HEAD.pack(digest.encode(), len(rest), at))
        for at in range(0, len(rest), _PART_BYTES)
    )
    parts = [head + rest[at : at + _PART_BYTES] for at, head in heads]
    return _wrapped({**_told(about), "xmpNote:HasExtendedXMP": digest}), parts


def documents_in(data: Searchable, where: str) -> dict[str, str]:
    """The project's own properties in a file of any format.

    Parameters
    ----------
    data : bytes or mmap
        The file. Packets are searched for, as XMP has them made to be found.
    where : str
        What it is called in errors.

    Returns
    -------
    dict
        Such as ``Recipe`` and ``Provenance``; empty where there are none.

    Raises
    ------
    RecipeError
        There is a packet of ours that is damaged.
    """
    for content in (*_packets(data), *_extended(data)):
        if NAMESPACE.encode() in content:
            found = _own(parse(content, where))
            if "Recipe" in found or "Provenance" in found:
                return found
    return {}


def parse(content: bytes, where: str) -> ElementTree.Element:
    """Read XML that defines nothing: no types, no entities, not too deep, not too much.

    Raises
    ------
    RecipeError
    """
    tree = ElementTree.TreeBuilder()
    parser = expat.ParserCreate("UTF-8", "}")
    depth = count = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, count
        depth, count = depth + 1, count + 1
        if depth > _MOST_DEPTH or count > _MOST_ELEMENTS:
            raise RecipeError(
                f"{where} carries metadata that are nested more than {_MOST_DEPTH} deep, "
                f"or have more than {_MOST_ELEMENTS} elements"
            )
        tree.start(_clark(name), {_clark(key): value for key, value in attributes.items()})

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        tree.end(_clark(name))

    def refuse(*_: Any) -> None:
        raise RecipeError(f"{where} carries metadata that define types or entities, which XMP never does")

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, tree.data
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    try:
        parser.Parse(content, True)
        return tree.close()
    except (expat.ExpatError, AssertionError, ValueError) as error:
        raise RecipeError(f"{where} carries metadata that are damaged: {error}") from error


def _clark(name: str) -> str:
    """Expat's ``uri}name`` as ElementTree has it."""
    return "{" + name if "}" in name else name


def _own(root: ElementTree.Element) -> dict[str, str]:
    """Properties in the project's namespace, written as elements or as attributes."""
    found: dict[str, str] = {}
    for described in root.iter(f"{{{_RDF}}}Description"):
        told = {**described.attrib, **{each.tag: each.text or "" for each in described}}
        found |= {key.partition("}")[2]: value for key, value in told.items() if key.startswith(f"{{{NAMESPACE}}}")}
    return found


def _packets(data: Searchable) -> Iterator[bytes]:
    begin, end = 0, -1
    for _ in range(_MOST_PACKETS):
        begin = data.find(_BEGINS, begin)
        if end < begin:
            end = data.find(_ENDS, begin)
        if begin < 0 or end < 0:
            return
        # A beginning may stand before another one that has the end.
        if end - begin <= _MOST_BYTES:
            yield data[begin : end + len(_ENDS) + len(_ENDED)]
        begin += len(_BEGINS)


def _extended(data: Searchable) -> Iterator[bytes]:
    """Extended packets of JPEG, put together of their parts, which stand in order."""
    whole, at = b"", 0
    while (at := data.find(_EXTENSION, at)) >= 4:
        segment = data[at - 4 : at]
        at += len(_EXTENSION)
        head = data[at : at + _EXTENSION_HEAD.size]
        marker, length = struct.unpack(">HH", segment)
        if marker != 0xFFE1 or len(head) < _EXTENSION_HEAD.size:
            continue
        _, total, place = _EXTENSION_HEAD.unpack(head)
        if place != len(whole) or total > _MOST_BYTES:
            return
        whole += data[at + len(head) : at + length - 2 - len(_EXTENSION)]
        if len(whole) >= total:
            yield whole[:total]
            whole = b""


def _told(about: About) -> dict[str, Any]:
    """Properties that everybody knows; lists are ordered arrays, tuples are texts in the default language."""
    licence = about.licence
    found = {
        "dc:title": (about.title,),
        "dc:creator": list(about.creators),
        "dc:description": (about.caption,),
        "dc:rights": (about.credit,),
        "xmp:CreatorTool": about.software,
        "xmpRights:Marked": "" if licence is None else str(licence.code not in (CC0, PUBLIC_DOMAIN)),
        "xmpRights:UsageTerms": (str(licence or ""),),
        "xmpRights:WebStatement": licence.url if licence else "",
        "photoshop:Credit": about.credit,
        "photoshop:DateCreated": about.taken_utc,
        "Iptc4xmpCore:AltTextAccessibility": (about.alt,),
        "Iptc4xmpCore:ExtDescrAccessibility": (about.long,),
        "perijove:Note": about.note,
    }
    return {key: value for key, value in found.items() if value not in ("", ("",), [])}


def _documents(about: About) -> dict[str, str]:
    return {f"perijove:{name}": text for name, text in about.documents.items()}


def _wrapped(properties: Mapping[str, Any]) -> bytes:
    return _BEGIN + _meta(properties) + _END


def _meta(properties: Mapping[str, Any]) -> bytes:
    for prefix, uri in _PREFIXES.items():
        ElementTree.register_namespace(prefix, uri)
    root = ElementTree.Element(f"{{{_META}}}xmpmeta")
    described = ElementTree.SubElement(
        ElementTree.SubElement(root, f"{{{_RDF}}}RDF"), f"{{{_RDF}}}Description", {f"{{{_RDF}}}about": ""}
    )
    for name, value in properties.items():
        prefix, _, local = name.partition(":")
        element = ElementTree.SubElement(described, f"{{{_PREFIXES[prefix]}}}{local}")
        if isinstance(value, str):
            element.text = _NO_XML.sub("\ufffd", value)
            continue
        kind, language = ("Alt", {_LANGUAGE: "x-default"}) if isinstance(value, tuple) else ("Seq", {})
        items = ElementTree.SubElement(element, f"{{{_RDF}}}{kind}")
        for text in value:
            ElementTree.SubElement(items, f"{{{_RDF}}}li", language).text = _NO_XML.sub("\ufffd", text)
    return bytes(ElementTree.tostring(root, encoding="utf-8"))
