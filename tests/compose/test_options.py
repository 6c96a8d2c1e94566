"""Options of pictures as text."""

import pytest

from perijove.compose.options import PictureOptions, Style, look_of
from perijove.errors import OptionError


def test_a_look_is_read() -> None:
    assert look_of("saturation=5, flatten=0.5") == Style(saturation=5.0, flatten=0.5)


@pytest.mark.parametrize(
    ("text", "message"),
    [("colour=3", "no parameter of a look; give flatten, saturation"), ("detail=much", "has no number"),
     ("flatten=2", "flatten is 2.0; give a number from 0 to 1"), ("detail", "has no number"), ("", "no parameter")],
)  # fmt: skip
def test_a_look_that_cannot_be_is_refused(text: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        look_of(text)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"gamut": "rec2020"}, "no gamut 'rec2020'; choose from srgb, p3"), ({"depth": 12}, "8 or 16 bits a channel, not"),
     ({"style": "methane-red"}, "give it with --methane")],
)  # fmt: skip
def test_options_that_cannot_be_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        PictureOptions(**options)  # type: ignore[arg-type]
