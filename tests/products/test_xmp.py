"""XMP packets, read back by another parser, and what is hostile or damaged."""

import json
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perijove.errors import RecipeError
from perijove.products.about import About
from perijove.products.xmp import NAMESPACE, SEGMENT_BYTES, documents_in, packet, split_packet

NS = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
}
SOURCE: dict[str, Any] = {
    "product": "JNCE_X",
    "credit": "Image data: NASA/JPL-Caltech/SwRI/MSSS; Image processing: Zoë <Ω> & Co © CC BY 4.0",
    "licence": "CC BY 4.0",
    "processing": ["Zoë <Ω> & Co", "John Roe", "John Roe"],
    "software": "perijove X",
    "inputs": [{"file": "a.png", "sha256": "0" * 64}],
}
ABOUT = About(
    "Jet N5",
    SOURCE,
    'A "caption" ]]> 56° north',
    "Swirls & <bands>",
    "2022-08-17T13:44:59.677",
    "natural",
    {"a": "é"},
    "A long story",
)
HEAD = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'


def described(data: bytes) -> ET.Element:
    """The description in a packet, by the standard library's parser."""
    found = ET.fromstring(data.decode()).find("rdf:RDF/rdf:Description", NS)
    assert found is not None
    return found


def texts(root: ET.Element, name: str) -> list[str | None]:
    return [item.text for item in root.iterfind(f"{name}/*/rdf:li", NS)]


def test_everything_is_where_other_programs_look_for_it() -> None:
    root = described(packet(ABOUT))
    assert texts(root, "dc:title") == ["Jet N5"]
    assert texts(root, "dc:creator") == ["Zoë <Ω> & Co", "John Roe"]
    assert texts(root, "dc:description") == ['A "caption" ]]> 56° north']
    assert texts(root, "dc:rights") == [SOURCE["credit"]]
    assert texts(root, "xmpRights:UsageTerms") == ["CC BY 4.0"]
    assert texts(root, "Iptc4xmpCore:AltTextAccessibility") == ["Swirls & <bands>"]
    assert texts(root, "Iptc4xmpCore:ExtDescrAccessibility") == ["A long story"]
    assert root.findtext("xmpRights:WebStatement", None, NS) == "https://creativecommons.org/licenses/by/4.0/"
    assert root.findtext("xmpRights:Marked", None, NS) == "True"
    assert root.findtext("photoshop:Credit", None, NS) == SOURCE["credit"]
    assert root.findtext("photoshop:DateCreated", None, NS) == "2022-08-17T13:44:59.677"
    assert root.findtext("xmp:CreatorTool", None, NS) == "perijove X"
    assert json.loads(root.findtext(f"{{{NAMESPACE}}}Recipe", "")) == {"a": "é"}
    assert json.loads(root.findtext(f"{{{NAMESPACE}}}Provenance", "")) == SOURCE
    item = root.find("dc:description/rdf:Alt/rdf:li", NS)
    assert item is not None
    assert item.attrib == {"{http://www.w3.org/XML/1998/namespace}lang": "x-default"}


def test_what_is_not_known_is_left_out() -> None:
    root = described(packet(About("x", {"licence": "None", "processing": ["A"]})))
    for name in ("dc:description", "xmpRights:WebStatement", "xmpRights:Marked", "photoshop:DateCreated"):
        assert root.find(name, NS) is None
    public = described(packet(About("x", {"licence": "public domain"})))
    assert public.findtext("xmpRights:Marked", None, NS) == "False"


def test_a_packet_is_wrapped_as_the_standard_wants_it() -> None:
    data = packet(ABOUT)
    assert data.startswith(HEAD.encode())
    assert data.endswith(b'<?xpacket end="r"?>')


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.dictionaries(st.text(max_size=9), st.text(max_size=30), min_size=1, max_size=4))
def test_any_text_comes_back(title: str, recipe: dict[str, str]) -> None:
    data = b"\x00\xff" + packet(About(title, {"a": title}, recipe=recipe)) + b"tail"
    found = documents_in(data, "x")
    assert json.loads(found["Recipe"]) == recipe
    assert json.loads(found["Provenance"]) == {"a": title}


def test_a_long_packet_of_jpeg_is_split_and_joined() -> None:
    recipe = {"points": [k * 0.125 for k in range(40_000)]}
    about = About("x", SOURCE, "caption", recipe=recipe)
    main, parts = split_packet(about)
    assert len(main) <= SEGMENT_BYTES
    assert len(parts) > 2
    assert all(len(part) <= 65533 for part in parts)
    assert texts(described(main), "dc:description") == ["caption"]
    segments = b"".join(b"\xff\xe1" + (len(part) + 2).to_bytes(2, "big") + part for part in parts)
    assert json.loads(documents_in(main + segments, "x")["Recipe"]) == recipe
    # A part that is missing leaves nothing to be trusted.
    assert documents_in(main + segments[: len(parts[0]) + 4] + segments[2 * len(parts[0]) + 8 :], "x") == {}
    assert split_packet(ABOUT) == (packet(ABOUT), [])


def wrapped(body: str) -> bytes:
    return f'{HEAD}{body}<?xpacket end="w"?>'.encode()


def test_properties_may_be_attributes() -> None:
    body = (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{NS["rdf"]}">'
        f'<rdf:Description xmlns:p="{NAMESPACE}" p:Recipe="{{}}"/></rdf:RDF></x:xmpmeta>'
    )
    assert documents_in(wrapped(body), "x") == {"Recipe": "{}"}


BOMB = (
    f'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><x xmlns:p="{NAMESPACE}">&b;&b;</x>'
)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (BOMB, "define types or entities"),
        (f'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x>{NAMESPACE}</x>', "define types or entities"),
        (f"<x>{NAMESPACE}</y>", "damaged: mismatched tag"),
        (f"<x>{NAMESPACE}", "damaged"),
        (NAMESPACE, "damaged"),
        ("<a>" * 5000 + NAMESPACE, "nested more than"),
        (f"<a>{NAMESPACE}{'<b/>' * 100_000}</a>", "more than 100000 elements"),
        (f'<a b="{NAMESPACE}" b=""/>', "damaged: duplicate attribute"),
    ],
)
def test_hostile_packets_are_refused(body: str, told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        documents_in(wrapped(body), "the file")


def test_packets_of_others_are_passed_by() -> None:
    foreign = wrapped("<broken") + wrapped(BOMB.replace(NAMESPACE, "urn:x")) + HEAD.encode() * 3
    assert documents_in(foreign, "x") == {}
    assert json.loads(documents_in(foreign + packet(ABOUT), "x")["Recipe"]) == {"a": "é"}
    assert documents_in(b"", "x") == {}


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 3000), st.binary(min_size=1, max_size=8), st.booleans())
def test_damaged_packets_give_clear_errors_or_what_is_left(at: int, noise: bytes, cut: bool) -> None:
    whole = packet(ABOUT)
    at %= len(whole)
    data = whole[:at] + noise + (b"" if cut else whole[at + len(noise) :])
    try:
        found = documents_in(data, "x")
    except RecipeError as error:
        assert str(error).startswith("x carries")  # noqa: PT017
    else:
        assert set(found) <= {"Recipe", "Provenance", "Note"} or noise
