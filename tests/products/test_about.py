"""What pictures tell of themselves."""

import dataclasses
from typing import Any

from perijove.products.about import About
from perijove.products.report import provenance
from perijove.story.credit import Credit
from perijove.story.licence import parse_licence


def test_text_in_the_picture(earth_scene: Any) -> None:
    source = {"software": "perijove X", "processing": [], "credit": ""}
    text = About.of_image(earth_scene.label, source).text()
    assert text["Title"] == "made (JNCE_2022229_44C00001_V01)"
    assert text["Source"] == "Image data: NASA/JPL-Caltech/SwRI/MSSS"
    assert text["Software"] == "perijove X"
    assert "Author" not in text
    untitled = About.of_image(dataclasses.replace(earth_scene.label, title=""), source)
    assert untitled.title == "JNCE_2022229_44C00001_V01"
    made = provenance(earth_scene.label, (), Credit().by("Jane Doe", parse_licence("CC BY 4.0")))
    about = About.of_image(earth_scene.label, made, "a caption")
    text = about.text()
    assert text["Author"] == "Jane Doe"
    assert text["Copyright"] == "Image data: NASA/JPL-Caltech/SwRI/MSSS; Image processing: Jane Doe © CC BY 4.0"
    assert text["Description"] == "a caption"
    assert made["licence"] == "CC BY 4.0"
    assert about.licence == parse_licence("CC BY 4.0")


def test_licences_that_nobody_knows(earth_scene: Any) -> None:
    assert About("x", {"licence": "All mine", "processing": ["A"]}).licence is None
    assert About("x", {"processing": ["A"]}).licence is None
    assert str(About("x", {}).licence) == "public domain"
