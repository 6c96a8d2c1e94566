"""Names of JunoCam products, ``JNCT_YYYYDDD_OOFNNNNN_VXX``."""

import calendar
import re
from dataclasses import dataclass
from typing import Final

from perijove.errors import ProductIdError

#: Bands behind each filter letter, in chip order (SIS, appendix B).
LETTER_BANDS: Final = {
    "C": ("BLUE", "GREEN", "RED"),
    "A": ("METHANE", "BLUE", "GREEN", "RED"),
    "M": ("METHANE",),
    "B": ("BLUE",),
    "G": ("GREEN",),
    "R": ("RED",),
    "T": ("BLUE", "RED"),
}
#: Juno was launched on 5 August 2011.
FIRST_YEAR: Final = 2011
_LAST_YEAR: Final = 2099
_PATTERN: Final = r"JNC([A-Z])_([0-9]{4})([0-9]{3})_([0-9]{2})([A-Z])([0-9]{5})_V([0-9]{2})"
_WHOLE: Final = re.compile(_PATTERN)
_INSIDE: Final = re.compile(rf"(?<![A-Z0-9]){_PATTERN}(?![A-Z0-9])", re.IGNORECASE)


@dataclass(frozen=True)
class ProductId:
    """Identity of one JunoCam product.

    Attributes
    ----------
    kind : str
        "E" (EDR, on-board codes), "R" (RDR, reflectance) or "M" (map).
    year, day_of_year : int
        UTC date of the image.
    orbit : int
        Orbit (perijove) number; 0 for cruise and the first weeks at Jupiter.
    filter_letter : str
        Which bands were read: C, A, M, B, G, R or T (see ``LETTER_BANDS``).
    number : int
        Number of the image within the orbit.
    version : int
        Version of the product.

    Raises
    ------
    ProductIdError
        If a part is outside its range (day 366 outside a leap year, an unknown letter, ...).

    Notes
    -----
    Source: SIS 1.3, section on file naming. Orbits from 100 on do not fit the pattern.

    Examples
    --------
    >>> product = ProductId.parse("JNCE_2022229_44C00032_V01")
    >>> product.orbit, product.filter_letter, product.image_key
    (44, 'C', '2022229_44C00032')
    >>> str(product)
    'JNCE_2022229_44C00032_V01'
    """

    kind: str
    year: int
    day_of_year: int
    orbit: int
    filter_letter: str
    number: int
    version: int

    def __post_init__(self) -> None:
        if self.kind not in ("E", "R", "M"):
            raise ProductIdError(f"{self}: kind {self.kind!r} is not E (EDR), R (RDR) or M (map)")
        if self.filter_letter not in LETTER_BANDS:
            # "P" is real: global maps made of several images carry it.
            hint = (
                " (P marks a map made of several images, which holds no framelets)" if self.filter_letter == "P" else ""
            )
            raise ProductIdError(
                f"{self}: filter letter {self.filter_letter!r}{hint} is not one of {', '.join(LETTER_BANDS)}"
            )
        if not FIRST_YEAR <= self.year <= _LAST_YEAR:
            raise ProductIdError(f"{self}: year {self.year} is outside {FIRST_YEAR} to {_LAST_YEAR}")
        days = 366 if calendar.isleap(self.year) else 365
        for name, value, low, high in (
            ("day of year", self.day_of_year, 1, days),
            ("orbit", self.orbit, 0, 99),
            ("image number", self.number, 0, 99999),
            ("version", self.version, 0, 99),
        ):
            if not low <= value <= high:
                raise ProductIdError(f"{self}: {name} {value} is outside {low} to {high}")

    def __str__(self) -> str:
        return f"JNC{self.kind}_{self.image_key}_V{self.version:02d}"

    @property
    def image_key(self) -> str:
        """What EDR, RDR and all versions of one image share, e.g. ``2022229_44C00032``."""
        date = f"{self.year:04d}{self.day_of_year:03d}"
        return f"{date}_{self.orbit:02d}{self.filter_letter}{self.number:05d}"

    @classmethod
    def parse(cls, text: str) -> "ProductId":
        """Read a whole product id.

        Raises
        ------
        ProductIdError
            If ``text`` is not exactly one product id.

        Examples
        --------
        >>> ProductId.parse("JNCR_2024134_61T00209_V01").kind
        'R'
        """
        match = _WHOLE.fullmatch(text)
        if match is None:
            raise ProductIdError(
                f"{text!r} is not a JunoCam product id; expected a name like JNCE_2022229_44C00032_V01"
            )
        return cls._from_match(match)

    @classmethod
    def find(cls, text: str) -> "ProductId | None":
        """First product id inside a file name, in either case, or None.

        Examples
        --------
        >>> str(ProductId.find("ImageSet/JNCE_2022229_44C00032_V01-raw.png"))
        'JNCE_2022229_44C00032_V01'
        >>> ProductId.find("pancake.png") is None
        True
        """
        for match in _INSIDE.finditer(text):
            try:
                return cls._from_match(match)
            except ProductIdError:
                continue
        return None

    @classmethod
    def _from_match(cls, match: re.Match[str]) -> "ProductId":
        kind, year, day, orbit, letter, number, version = match.groups()
        return cls(kind.upper(), int(year), int(day), int(orbit), letter.upper(), int(number), int(version))
