import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perijove.archive.keywords import Keywords, Measure, count, parse_pds3
from perijove.errors import LabelError

LENGTH = Measure("km", {"": 1.0, "km": 1.0, "m": 1000.0}, 0.0, 1e9)
TEXT = """PDS_VERSION_ID = PDS3
/* a comment */
^IMAGE           = "A.IMG"
START_TIME       = 2016-12-31T23:59:60.500
EXPOSURE         = 3.200000 <ms>
JNO:TDI_STAGES_COUNT = 2
FILTER_NAME      = ('BLUE', 'RED')
RATIONALE_DESC   = "two
lines"
OBJECT           = IMAGE
  LINES          = 768
  SAMPLE_BIT_MASK = 2#11111111#
END_OBJECT       = IMAGE
END
"""


@pytest.mark.parametrize(("value", "km"), [("12 <km>", 12.0), ("12 <m>", 0.012), (12, 12.0), (" 1.2e1<KM> ", 12.0)])
def test_units_are_converted(value: object, km: float) -> None:
    assert Keywords({"D": value}, "x").number("D", LENGTH) == km


@given(st.floats(0, 1e9))
def test_numbers_round_trip_through_text(value: float) -> None:
    assert Keywords({"D": f"{value!r} <km>"}, "x").number("D", LENGTH) == value


def test_a_whole_number_may_be_spelt_as_a_fraction() -> None:
    assert Keywords({"N": "3.0"}, "x").integer("N", count(0, 9)) == 3


@pytest.mark.parametrize("value", ["N/A", "unk", "", "  ", "NULL", None])
def test_what_counts_as_no_value(value: object) -> None:
    words = Keywords({"N": value}, "x")
    assert not words.has("N")
    assert words.text("N", "none") == "none"
    with pytest.raises(LabelError, match="N has no value"):
        words.number("N", LENGTH)


def test_long_values_are_cut_in_messages() -> None:
    with pytest.raises(LabelError, match=r"\.\.\.$"):
        Keywords({"N": "x" * 1000}, "x").number("N", LENGTH)


def test_pds3_values() -> None:
    words = parse_pds3(TEXT.encode(), "A.LBL")
    assert words.text("START_TIME") == "2016-12-31T23:59:60.500"
    assert words.number("EXPOSURE", Measure("s", {"ms": 1000.0}, 0, 1)) == 0.0032
    assert words.integer("JNO:TDI_STAGES_COUNT", count(1, 9)) == 2
    assert words.words("FILTER_NAME") == ("BLUE", "RED")
    assert words.text("RATIONALE_DESC") == "two lines"
    assert words.integer("LINES", count(1, 999)) == 768


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("", "describes 0 images"),
        ("garbage", "not a PDS3 label"),
        ("A = (1,\nEND", "not a PDS3 label"),
        ("A = {1", "not a PDS3 label"),
        ("OBJECT =", "not a PDS3 label"),
        (TEXT.replace("= 2\n", "=\n"), "not a PDS3 label"),
        ("A = " + "(" * 5000, "not a PDS3 label"),
        ("\0\1\2", "not a PDS3 label"),
        ("é" * 10, "not a PDS3 label"),
        (TEXT[: TEXT.index("END_OBJECT")], "not a PDS3 label"),
        (TEXT.replace("END\n", TEXT[TEXT.index("OBJECT") :]), "describes 2 images"),
    ],
)
def test_pds3_refused(text: str, fragment: str) -> None:
    with pytest.raises(LabelError, match=rf"A\.LBL .*{fragment}"):
        parse_pds3(text.encode("latin-1" if "é" in text else "utf-8"), "A.LBL")


def _flip(text: bytearray, data: st.DataObject) -> bytes:
    for _ in range(data.draw(st.integers(1, 4))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    return bytes(text[: data.draw(st.integers(0, len(text)))])


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_any_damage_to_pds3_gives_keywords_or_a_label_error(data: st.DataObject) -> None:
    try:
        words = parse_pds3(_flip(bytearray(TEXT.encode()), data), "A.LBL")
    except LabelError:
        return
    assert words.source == "A.LBL"


@given(st.text(alphabet="A=()<>{}\"'/*\n 1.#-,^:ENDOBJCT", max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_is_pds3_or_a_label_error(text: str) -> None:
    try:
        assert parse_pds3(text.encode(), "A.LBL").source == "A.LBL"
    except LabelError:
        return
