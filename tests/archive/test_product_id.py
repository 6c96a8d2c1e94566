import calendar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perijove.archive.product_id import LETTER_BANDS, ProductId
from perijove.errors import ProductIdError


@st.composite
def product_ids(draw: st.DrawFn) -> ProductId:
    year = draw(st.integers(2011, 2099))
    return ProductId(
        kind=draw(st.sampled_from("ERM")),
        year=year,
        day_of_year=draw(st.integers(1, 366 if calendar.isleap(year) else 365)),
        orbit=draw(st.integers(0, 99)),
        filter_letter=draw(st.sampled_from("CAMBGRT")),
        number=draw(st.integers(0, 99999)),
        version=draw(st.integers(0, 99)),
    )


@given(product_ids())
def test_text_round_trip(product: ProductId) -> None:
    text = str(product)
    assert len(text) == 25
    assert ProductId.parse(text) == product
    assert ProductId.find(f"folder/{text.lower()}-raw.png") == product


@given(st.text(max_size=30))
def test_any_text_is_an_id_or_refused(text: str) -> None:
    try:
        assert str(ProductId.parse(text)) == text
    except ProductIdError:
        return


@pytest.mark.parametrize("letter", "CAMBGRT")
def test_every_filter_letter(letter: str) -> None:
    assert ProductId.parse(f"JNCE_2022229_44{letter}00032_V01").filter_letter == letter
    assert letter in LETTER_BANDS


def test_versions_and_kinds_of_one_image_share_their_key() -> None:
    ids = [ProductId.parse(text) for text in ("JNCE_2022229_44C00032_V01", "JNCR_2022229_44C00032_V02")]
    assert {product.image_key for product in ids} == {"2022229_44C00032"}
    assert ids[0] != ids[1]


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("JNCE_2023366_44C00032_V01", "day of year 366"),
        ("JNCE_2022000_44C00032_V01", "day of year 0"),
        ("JNCE_1999001_44C00032_V01", "year 1999"),
        ("JNCR_2023136_51P00000_V01", "map made of several images"),
        ("JNCX_2022229_44C00032_V01", "kind 'X'"),
        ("JNCE_2022229_44X00032_V01", "filter letter 'X'"),
        ("JNCE_2022229_44C00032_V01 ", "is not a JunoCam product id"),
        ("JNCE_2022229_144C00032_V01", "is not a JunoCam product id"),
        ("JNCE_٢٠٢٢229_44C00032_V01", "is not a JunoCam product id"),  # noqa: RUF001
        ("", "is not a JunoCam product id"),
    ],
)
def test_refused(text: str, fragment: str) -> None:
    with pytest.raises(ProductIdError, match=fragment):
        ProductId.parse(text)


def test_leap_day() -> None:
    assert ProductId.parse("JNCE_2024366_68C00001_V01").day_of_year == 366


def test_direct_construction_is_checked_too() -> None:
    with pytest.raises(ProductIdError, match="orbit 100"):
        ProductId("E", 2022, 229, 100, "C", 32, 1)


@pytest.mark.parametrize(
    "text",
    [
        "pancake.png",
        "JNCE_2022229_44C00032_V011-raw.png",
        "XJNCE_2022229_44C00032_V01",
        "JNCE_2023366_44C00032_V01",
    ],
)
def test_find_without_an_id(text: str) -> None:
    assert ProductId.find(text) is None


def test_find_takes_the_first_sound_id() -> None:
    found = ProductId.find("JNCE_2023366_44C00032_V01 JNCE_2022229_44C00032_V01 JNCE_2022229_44C00033_V01")
    assert str(found) == "JNCE_2022229_44C00032_V01"
