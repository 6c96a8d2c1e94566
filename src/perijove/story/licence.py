"""Licences of pictures, and which of them a picture made from others may have."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from perijove.errors import LicenceError

#: Elements of the Creative Commons licences that may stand together, in their usual order.
_CODES: Final = ("BY", "BY-SA", "BY-NC", "BY-NC-SA", "BY-ND", "BY-NC-ND")
CC0: Final = "CC0"
PUBLIC_DOMAIN: Final = "public domain"
#: Licences under which a work made from one under the key may stand: the adapter's licences of Creative Commons
#: (creativecommons.org/faq, "If I derive or adapt material offered under a Creative Commons license, which CC
#: license(s) can I use?"; the chart's cases that it calls not recommended are left out).
_ADAPTER: Final = {
    PUBLIC_DOMAIN: (*_CODES, CC0, PUBLIC_DOMAIN),
    CC0: (*_CODES, CC0, PUBLIC_DOMAIN),
    "BY": _CODES,
    "BY-SA": ("BY-SA",),
    "BY-NC": ("BY-NC", "BY-NC-SA", "BY-NC-ND"),
    "BY-NC-SA": ("BY-NC-SA",),
    "BY-ND": (),
    "BY-NC-ND": (),
}
_WHY: Final = {
    "BY": "wants its author named, which the other does not",
    "BY-SA": "wants what is made from it to be shared under the same licence",
    "BY-NC": "forbids commercial use, which the other allows",
    "BY-NC-SA": "wants what is made from it to be shared under the same licence",
    "BY-ND": "allows no changed versions",
    "BY-NC-ND": "allows no changed versions",
}
_CC: Final = re.compile(r"CC-?(BY(?:-(?:SA|NC-SA|NC-ND|NC|ND))?)(?:-V?(\d\.\d))?")
_FREEST_FIRST: Final = (PUBLIC_DOMAIN, CC0, *_CODES)


@dataclass(frozen=True)
class Licence:
    """Under which terms a picture may be used.

    Attributes
    ----------
    code : str
        BY, BY-SA, BY-NC, BY-NC-SA, BY-ND or BY-NC-ND of Creative Commons, CC0, or "public domain".
    version : str
        As in 4.0; empty where none is told.
    """

    code: str
    version: str = ""

    def __post_init__(self) -> None:
        if self.code not in _ADAPTER:
            known = ", ".join(_ADAPTER)
            raise LicenceError(f"there is no licence {self.code!r}; choose from {known}")

    def __str__(self) -> str:
        """As people write it: CC BY-SA 4.0."""
        if self.code == PUBLIC_DOMAIN:
            return self.code
        name = self.code if self.code == CC0 else f"CC {self.code}"
        return f"{name} {self.version}".strip()

    @property
    def dashed(self) -> str:
        """As tags have it: CC-BY-SA-4.0."""
        return self.code if self.code == PUBLIC_DOMAIN else str(self).replace(" ", "-")

    @property
    def url(self) -> str:
        """Where its text is; empty where that depends on a version that is not told."""
        if self.code == PUBLIC_DOMAIN:
            return "https://creativecommons.org/publicdomain/mark/1.0/"
        if self.code == CC0:
            return "https://creativecommons.org/publicdomain/zero/1.0/"
        return f"https://creativecommons.org/licenses/{self.code.lower()}/{self.version}/" if self.version else ""


def parse_licence(text: str) -> Licence:
    """Read a licence as people write it.

    Raises
    ------
    LicenceError
        It is none of those known here.

    Examples
    --------
    >>> str(parse_licence("CC-BY-2.0")), str(parse_licence("cc by-nc-sa"))
    ('CC BY 2.0', 'CC BY-NC-SA')
    """
    plain = re.sub(r"[\s_-]+", "-", text.strip().lstrip("©").strip()).upper()
    if plain in ("PUBLIC-DOMAIN", "PD"):
        return Licence(PUBLIC_DOMAIN)
    if re.fullmatch(r"CC-?(0|ZERO)(-1\.0)?", plain):
        return Licence(CC0)
    match = _CC.fullmatch(plain)
    if match is None:
        raise LicenceError(f"{text!r} is no licence known here; write CC BY, CC BY-NC-SA 4.0, CC0 or public domain")
    return Licence(match[1], match[2] or "")


def licences_for(parents: Iterable[Licence]) -> tuple[Licence, ...]:
    """Licences that a picture made from others may have, the freest first; none where they exclude each other."""
    parents = tuple(parents)
    return tuple(Licence(code, _version(code, parents)) for code in _FREEST_FIRST if not _refusals(code, parents))


def check_licence(wanted: Licence, parents: Iterable[Licence]) -> None:
    """Refuse a licence that the pictures a new one is made from do not allow.

    Raises
    ------
    LicenceError
        Tells which of them forbids it and why, and what would be allowed.
    """
    parents = tuple(parents)
    refused = _refusals(wanted.code, parents)
    newest = _version(wanted.code, parents)
    if not refused and wanted.version and wanted.version < newest:
        raise LicenceError(
            f"{wanted} is older than the licence of what it is made from; take version {newest} or later"
        )
    if not refused:
        return
    check_together(parents)
    allowed = " or ".join(map(str, licences_for(parents)))
    raise LicenceError(f"what is made from these cannot stand under {wanted}: {_reasons(refused)}; choose {allowed}")


def check_together(parents: Iterable[Licence]) -> None:
    """Refuse pictures that no new one can be made from.

    Raises
    ------
    LicenceError
        Tells what each of them asks for.
    """
    parents = tuple(parents)
    if not licences_for(parents):
        raise LicenceError(f"nothing may be made from these together: {_reasons(parents)}; leave one of them out")


def _reasons(parents: Iterable[Licence]) -> str:
    return "; ".join(f"{parent} {_WHY[parent.code]}" for parent in dict.fromkeys(parents) if parent.code in _WHY)


def _refusals(code: str, parents: tuple[Licence, ...]) -> list[Licence]:
    return [parent for parent in dict.fromkeys(parents) if code not in _ADAPTER[parent.code]]


def _version(code: str, parents: tuple[Licence, ...]) -> str:
    """The oldest version that may be taken: share-alike licences go on under their own or a later one."""
    if "SA" not in code:
        return ""
    return max((parent.version for parent in parents if parent.code == code), default="")
