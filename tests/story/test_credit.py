"""Chains of credit, and the lines of published captions."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perijove.errors import LicenceError
from perijove.story.credit import IMAGE_DATA, Credit, Step, joined, parse_credit
from perijove.story.licence import Licence, check_licence, licences_for, parse_licence

EICHSTAEDT = "Gerald Eichstädt"
BY = Licence("BY")


@pytest.mark.parametrize(
    ("line", "form", "names", "licence"),
    [
        (
            "NASA/SwRI/MSSS/Gerald Eichstädt/Seán Doran/Flickr/CC-BY-2.0",
            "slashes",
            [EICHSTAEDT, "Seán Doran"],
            "CC BY 2.0",
        ),
        ("NASA/JPL-Caltech/SwRI/MSSS/Roman Tkachenko", "slashes", ["Roman Tkachenko"], None),
        (
            "Image data: NASA/JPL-Caltech/SwRI/MSSS; Image processing by Gerald Eichstädt/Thomas Thomopoulos © CC BY",
            "by",
            [EICHSTAEDT, "Thomas Thomopoulos"],
            "CC BY",
        ),
        ("NASA/JPL-Caltech/SwRI/MSSS/Jason Major", "slashes", ["Jason Major"], None),
        (
            "Image data: NASA/JPL-Caltech/SwRI/MSSS; Image processing: A / B © CC BY-NC-SA 4.0",
            "full",
            ["A", "B"],
            "CC BY-NC-SA 4.0",
        ),
    ],
)
def test_published_lines_are_read_and_written(line: str, form: str, names: list[str], licence: str | None) -> None:
    credit = parse_credit(line)
    assert [step.processor for step in credit.steps] == names
    assert (str(credit.licence) if credit.licence else None) == licence
    assert credit.line(form) == line


@pytest.mark.parametrize(
    ("line", "names", "licence"),
    [
        (".../Jason Major", ["Jason Major"], None),
        ("…/Jason Major", ["Jason Major"], None),
        ("Image data: NASA/JPL-Caltech/SwRI/MSSS. Image processing by Ann Lee, CC BY 4.0.", ["Ann Lee"], "CC BY 4.0"),
        ("image data: NASA/SwRI/MSSS; image processing: A and B (CC BY-SA)", ["A", "B"], "CC BY-SA"),
        ("Image data: NASA/JPL-Caltech/SwRI/MSSS", [], "public domain"),
    ],
)
def test_other_ways_of_writing(line: str, names: list[str], licence: str | None) -> None:
    credit = parse_credit(line)
    assert [step.processor for step in credit.steps] == names
    assert (str(credit.licence) if credit.licence else None) == licence


@pytest.mark.parametrize("line", ["", "Jane Doe", "Image data: NASA; Image processing: © CC BY"])
def test_lines_without_source_or_name_are_refused(line: str) -> None:
    with pytest.raises(LicenceError):
        parse_credit(line)


NAMES = st.text(st.characters(categories=("Lu", "Ll", "Lo")), min_size=4, max_size=12).filter(
    lambda name: name.lower() not in ("nasa", "flickr", "swri", "msss", "caltech", "jiram", "inaf")
)
LICENCES = st.builds(
    Licence, st.sampled_from(["BY", "BY-SA", "BY-NC", "BY-NC-SA", "BY-ND"]), st.sampled_from(["", "3.0", "4.0"])
)


@given(st.lists(NAMES, min_size=1, max_size=4, unique=True), LICENCES, st.sampled_from(["full", "by", "slashes"]))
def test_lines_come_back(names: list[str], licence: Licence, form: str) -> None:
    credit = Credit((*(Step(name) for name in names[:-1]), Step(names[-1], licence)))
    assert parse_credit(credit.line(form)) == credit
    assert Credit.of(credit.report()) == credit


# Who may follow whom, as the chart of Creative Commons has it: rows are what is adapted.
CHART = {
    "public domain": {"public domain", "CC0", "BY", "BY-SA", "BY-NC", "BY-NC-SA", "BY-ND", "BY-NC-ND"},
    "CC0": {"public domain", "CC0", "BY", "BY-SA", "BY-NC", "BY-NC-SA", "BY-ND", "BY-NC-ND"},
    "BY": {"BY", "BY-SA", "BY-NC", "BY-NC-SA", "BY-ND", "BY-NC-ND"},
    "BY-SA": {"BY-SA"},
    "BY-NC": {"BY-NC", "BY-NC-SA", "BY-NC-ND"},
    "BY-NC-SA": {"BY-NC-SA"},
    "BY-ND": set(),
    "BY-NC-ND": set(),
}


@pytest.mark.parametrize(("parent", "child"), list(itertools.product(CHART, CHART)))
def test_who_may_follow_whom(parent: str, child: str) -> None:
    if child in CHART[parent]:
        check_licence(Licence(child), [Licence(parent)])
    else:
        with pytest.raises(LicenceError, match=r"cannot stand under|nothing may be made"):
            check_licence(Licence(child), [Licence(parent)])


def test_an_impossible_remix_is_told_why() -> None:
    both = [Credit().by("A", Licence("BY-SA")), Credit().by("B", Licence("BY-NC"))]
    with pytest.raises(LicenceError, match=r"together: CC BY-SA wants .*; CC BY-NC forbids"):
        joined(both)
    with pytest.raises(LicenceError, match="allows no changed versions"):
        Credit().by("A", Licence("BY-ND")).by("B")


def test_share_alike_goes_on_under_the_same_or_a_later_version() -> None:
    parent = Credit().by("A", parse_licence("CC BY-SA 3.0"))
    assert str(parent.by("B").licence) == "CC BY-SA 3.0"
    assert str(parent.by("B", parse_licence("CC BY-SA 4.0")).licence) == "CC BY-SA 4.0"
    with pytest.raises(LicenceError, match="older"):
        parent.by("B", parse_licence("CC BY-SA 2.0"))


def test_a_remix_names_everyone_once() -> None:
    first = Credit().by("A", BY)
    both = joined([first.by("B", BY), first.by("C", Licence("BY-NC"))])
    assert [step.processor for step in both.steps] == ["A", "B", "C"]
    assert both.source == IMAGE_DATA
    assert [str(found) for found in licences_for(s.licence for s in both.steps if s.licence)] == [
        "CC BY-NC",
        "CC BY-NC-SA",
        "CC BY-NC-ND",
    ]
    assert str(both.by("D").licence) == "CC BY-NC"


@pytest.mark.parametrize("text", ["CC", "BY", "GPL", "CC BY-XX", ""])
def test_unknown_licences_are_refused(text: str) -> None:
    with pytest.raises(LicenceError, match="no licence known"):
        parse_licence(text)


def test_addresses_of_licences() -> None:
    assert parse_licence("CC BY-NC 4.0").url == "https://creativecommons.org/licenses/by-nc/4.0/"
    assert parse_licence("CC BY").url == ""
