"""Who made a picture, from whose picture, under which licence: the chain of credit, and the line that tells it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from perijove.errors import LicenceError
from perijove.story.licence import PUBLIC_DOMAIN, Licence, check_licence, check_together, licences_for, parse_licence

#: Who made JunoCam's images, as NASA writes it.
IMAGE_DATA: Final = "NASA/JPL-Caltech/SwRI/MSSS"
#: What may stand among the sources of a line, and where pictures are published.
_SOURCES: Final = frozenset({"nasa", "jpl", "jpl-caltech", "caltech", "swri", "msss", "asi", "inaf", "jiram", "esa"})
_PLACES: Final = frozenset({"flickr", "kevinmgill.com", "unmannedspaceflight.com"})
#: Who works is separated by one of these; commas and "and" are what captions use beside the slash.
_BETWEEN: Final = re.compile(r"\s*(?:/|,|&|\band\b)\s*")


@dataclass(frozen=True)
class Step:
    """What somebody made.

    Attributes
    ----------
    processor : str
        A name.
    licence : Licence or None
        Of what was made; None where it is not told.
    work : str
        What it is: the product or the address; may be empty.
    """

    processor: str
    licence: Licence | None = None
    work: str = ""

    def __post_init__(self) -> None:
        if not self.processor.strip() or set(self.processor) & set("/;©"):
            raise LicenceError(f"{self.processor!r} is no name for a credit: give one without / ; and ©")


@dataclass(frozen=True)
class Credit:
    """The chain of credit of a picture: the image data, then everyone who worked on it, the last one last.

    Attributes
    ----------
    steps : tuple of Step
    source : str
        Who took the images.
    place : str
        Where the picture was published, where that is part of the line.
    """

    steps: tuple[Step, ...] = ()
    source: str = IMAGE_DATA
    place: str = ""

    @property
    def licence(self) -> Licence | None:
        """Of the picture as it is now: that of the last step; image data alone are in the public domain."""
        return self.steps[-1].licence if self.steps else Licence(PUBLIC_DOMAIN)

    def by(self, processor: str, licence: Licence | None = None, work: str = "") -> "Credit":
        """The credit of what somebody makes of this picture.

        Parameters
        ----------
        processor : str
        licence : Licence, optional
            Default: the freest that the pictures before allow, CC BY where all are free.
        work : str

        Raises
        ------
        LicenceError
            The licences of the pictures before do not allow it.
        """
        parents = [step.licence for step in self.steps if step.licence is not None]
        if licence is None:
            allowed = [found for found in licences_for(parents) if found.code not in ("CC0", PUBLIC_DOMAIN)]
            licence = allowed[0] if allowed else Licence("BY")
        check_licence(licence, parents)
        return Credit((*self.steps, Step(processor, licence, work)), self.source, self.place)

    def line(self, form: str = "full") -> str:
        """The credit as one line.

        Parameters
        ----------
        form : {"full", "by", "slashes"}
            As in ``Image data: NASA/...; Image processing: A / B © CC BY``, ``Image data: NASA/...; Image processing
            by A/B © CC BY``, or ``NASA/.../A/B/CC-BY-4.0``.

        Examples
        --------
        >>> Credit().by("Jane Doe", parse_licence("CC BY 4.0")).line()
        'Image data: NASA/JPL-Caltech/SwRI/MSSS; Image processing: Jane Doe © CC BY 4.0'
        """
        if form not in _FORMS:
            raise LicenceError(f"there is no form {form!r} of a credit line; choose from {', '.join(_FORMS)}")
        return _FORMS[form](self)

    def report(self) -> dict[str, Any]:
        """The chain as data."""
        steps = [
            {"processor": s.processor, "licence": str(s.licence) if s.licence else None, "work": s.work}
            for s in self.steps
        ]
        return {"line": self.line(), "source": self.source, "place": self.place, "steps": steps}

    @classmethod
    def of(cls, report: Mapping[str, Any]) -> "Credit":
        """The chain that a report holds."""
        steps = [
            Step(step["processor"], parse_licence(step["licence"]) if step["licence"] else None, step["work"])
            for step in report["steps"]
        ]
        return cls(tuple(steps), report["source"], report["place"])


def joined(chains: Sequence[Credit]) -> Credit:
    """The credit of a picture into which several go: every step once, in order.

    Raises
    ------
    LicenceError
        No licence can be given to what is made from these together.
    """
    steps = tuple(dict.fromkeys(step for chain in chains for step in chain.steps))
    check_together(step.licence for step in steps if step.licence is not None)
    sources = "; ".join(dict.fromkeys(chain.source for chain in chains))
    places = "/".join(dict.fromkeys(chain.place for chain in chains if chain.place))
    return Credit(steps, sources, places)


def parse_credit(line: str) -> Credit:
    """Read a credit line as published captions have it.

    Parameters
    ----------
    line : str
        ``Image data: NASA/...; Image processing by A/B © CC BY`` (or with a colon), or
        ``NASA/.../A/B/Flickr/CC-BY-2.0``; an ellipsis stands for the usual source.

    Returns
    -------
    Credit
        The licence of the line is that of its last step: those before do not tell theirs.

    Raises
    ------
    LicenceError
        The line names no source that could be told from the names.

    Examples
    --------
    >>> credit = parse_credit("NASA/SwRI/MSSS/Gerald Eichstädt/Seán Doran/Flickr/CC-BY-2.0")
    >>> [step.processor for step in credit.steps], str(credit.licence)
    (['Gerald Eichstädt', 'Seán Doran'], 'CC BY 2.0')
    """
    text = " ".join(line.split())
    told = re.fullmatch(r"Image data:\s*(.+?)\s*[;.]\s*Image processing(?: by\b|:)\s*(.+?)\.?", text, re.IGNORECASE)
    if told:
        names, _, licence = told[2].partition("©")
        if not licence:
            names, licence = _split_licence(names)
        return _credit(told[1], _BETWEEN.split(names.strip()), licence)
    if data := re.fullmatch(r"Image data:\s*(.+)", text, re.IGNORECASE):
        return Credit((), data[1])
    parts = [part.strip() for part in text.replace("…", "...").split("/")]
    sources = 0
    while sources < len(parts) and (parts[sources].lower() in _SOURCES or parts[sources] == "..."):
        sources += 1
    if not sources:
        raise LicenceError(f"cannot tell who took the images from {line!r}; begin it with {IMAGE_DATA}")
    source = IMAGE_DATA if parts[0] == "..." else "/".join(parts[:sources])
    names, licence = parts[sources:], ""
    if names and re.match(r"(?i)cc[ -]|cc0|public domain", names[-1]):
        licence = names.pop()
    place = [name for name in names if name.lower() in _PLACES]
    credit = _credit(source, [name for name in names if name.lower() not in _PLACES], licence)
    return Credit(credit.steps, credit.source, "/".join(place))


def _split_licence(names: str) -> tuple[str, str]:
    """Names, and a licence that follows them after a comma or a blank."""
    match = re.fullmatch(r"(.+?),?\s+\(?((?:CC[ -]BY|CC ?0|public domain)[^)]*)\)?", names, re.IGNORECASE)
    return (match[1], match[2]) if match else (names, "")


def _credit(source: str, names: Sequence[str], licence: str) -> Credit:
    steps = [Step(name) for name in names if name]
    if licence.strip():
        if not steps:
            raise LicenceError(f"a licence ({licence.strip()}) without the name of who gives it")
        steps[-1] = Step(steps[-1].processor, parse_licence(licence))
    return Credit(tuple(steps), source)


def _names(credit: Credit, between: str) -> str:
    return between.join(dict.fromkeys(step.processor for step in credit.steps))


def _told(credit: Credit, processing: str) -> str:
    if not credit.steps:
        return f"Image data: {credit.source}"
    licence = f" © {credit.licence}" if credit.licence else ""
    return f"Image data: {credit.source}; Image processing{processing}{licence}"


_FORMS: Final[Mapping[str, Callable[[Credit], str]]] = {
    "full": lambda credit: _told(credit, f": {_names(credit, ' / ')}"),
    "by": lambda credit: _told(credit, f" by {_names(credit, '/')}"),
    "slashes": lambda credit: "/".join(
        part
        for part in (
            credit.source,
            *dict.fromkeys(step.processor for step in credit.steps),
            credit.place,
            credit.licence.dashed if credit.steps and credit.licence else "",
        )
        if part
    ),
}
