"""What a picture tells of itself: title, caption, who made it from what, under which licence."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from perijove.archive.label import ImageLabel
from perijove.errors import LicenceError
from perijove.products.raster import plain
from perijove.products.report import CREDIT
from perijove.story.caption import Caption
from perijove.story.licence import PUBLIC_DOMAIN, Licence, parse_licence


@dataclass(frozen=True)
class About:
    """What goes into a picture beside its pixels, whatever its format.

    Attributes
    ----------
    title : str
    source : mapping
        Who made it from what, as `perijove.products.report.provenance` tells it; kept whole.
    caption, alt : str
        What it shows, and the same for those who cannot see it.
    taken_utc : str
        When the spacecraft took the image, ISO 8601; empty for pictures of several.
    note : str
        How far it is from what the eye would see.
    recipe : mapping or None
        What it can be made again from.
    long : str
        A paragraph on what it shows.
    """

    title: str
    source: Mapping[str, Any]
    caption: str = ""
    alt: str = ""
    taken_utc: str = ""
    note: str = ""
    recipe: Mapping[str, Any] | None = None
    long: str = ""

    @classmethod
    def of_image(
        cls, label: ImageLabel, source: Mapping[str, Any], caption: Caption | str = "", **more: Any
    ) -> "About":
        """Of a picture of one image."""
        title = f"{label.title} ({label.product_id})" if label.title else str(label.product_id)
        told = {"caption": caption}
        if not isinstance(caption, str):
            told = {"caption": caption.short, "alt": caption.alt, "long": caption.long}
        more = {**told, **more}
        return cls(title, source, taken_utc=label.start_time, **more)

    @property
    def creators(self) -> tuple[str, ...]:
        """Names of those who worked on it, each once."""
        return tuple(dict.fromkeys(self.source.get("processing", ())))

    @property
    def credit(self) -> str:
        """The whole credit as one line."""
        return str(self.source.get("credit", CREDIT))

    @property
    def software(self) -> str:
        """What it was made with."""
        return str(self.source.get("software", "perijove"))

    @cached_property
    def licence(self) -> Licence | None:
        """Of the picture; None where it is not told."""
        told = self.source.get("licence")
        if told is None and not self.creators:
            return Licence(PUBLIC_DOMAIN)
        try:
            return parse_licence(str(told))
        except LicenceError:
            # Such as "None"; maps of others may tell anything.
            return None

    @cached_property
    def documents(self) -> dict[str, str]:
        """What is kept as JSON, in ASCII: the recipe, if there is one, and the provenance."""
        found = {"Recipe": self.recipe, "Provenance": self.source}
        return {name: json.dumps(plain(value), allow_nan=False) for name, value in found.items() if value}

    def text(self) -> dict[str, str]:
        """Keywords of PNG (Portable Network Graphics, third edition, 11.3.3.2) and their texts."""
        made = bool(self.creators)
        found = {
            "Title": self.title,
            "Author": ", ".join(self.creators),
            "Copyright": self.credit if made else "",
            "Source": CREDIT,
            "Software": self.software,
            "Creation Time": self.taken_utc,
            "Description": self.caption,
            "Comment": self.note,
        }
        return {key: value for key, value in found.items() if value}
