"""Keywords of a label, whatever file they stood in, read with their units and ranges checked."""

import json
import math
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from perijove.archive.inputs import InputFile, read_file
from perijove.errors import LabelError

#: Largest label that is read, bytes; real ones have 2 to 4 kB.
LABEL_LIMIT_BYTES: Final = 1 << 18
#: What stands for "no value" (PDS3 Standards Reference, chapter 17).
_NO_VALUE: Final = frozenset({"", "N/A", "UNK", "UNKNOWN", "NULL"})
_NUMBER: Final = re.compile(r"\s*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*(?:<\s*([^<>]*?)\s*>)?\s*")


@dataclass(frozen=True)
class Measure:
    """How a keyword's number becomes a number in the unit used inside.

    Attributes
    ----------
    unit : str
        Unit used inside.
    divisors : mapping
        For each accepted unit (lower case) the number to divide by; "" is a value without a unit.
    low, high : float
        Accepted range, in ``unit``, ends included.
    """

    unit: str
    divisors: Mapping[str, float]
    low: float
    high: float


def count(low: int, high: int) -> Measure:
    """Measure of a plain number between two ends."""
    return Measure("", {"": 1.0}, low, high)


@dataclass(frozen=True)
class Keywords:
    """Keywords of one label.

    Attributes
    ----------
    values : mapping
        Values as the file gave them: text such as ``"3.200000 <ms>"``, numbers, lists, or pairs of value and
        ``units``.
    source : str
        Name of the file for messages.
    """

    values: Mapping[str, object]
    source: str

    def error(self, key: str, problem: str) -> LabelError:
        """Error that names the file and the keyword."""
        return LabelError(f"{self.source}: {key} {problem}")

    def has(self, key: str) -> bool:
        """Whether the keyword is there and has a value (not N/A, UNK, NULL or empty)."""
        value = self.values.get(key)
        if value is None:
            return False
        return not (isinstance(value, str) and value.strip().upper() in _NO_VALUE)

    def _value(self, key: str) -> object:
        if key not in self.values:
            raise LabelError(f"{self.source}: keyword {key} is missing; get the label again from its archive")
        if not self.has(key):
            raise self.error(key, f"has no value ({self.values[key]!r})")
        return self.values[key]

    def text(self, key: str, default: str | None = None) -> str:
        """Text of a keyword; ``default``, where given, stands in for a missing one."""
        if default is not None and not self.has(key):
            return default
        value = self._value(key)
        if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
            return ", ".join(value)
        if not isinstance(value, (str, int, float)) or isinstance(value, bool):
            raise self.error(key, f"is not text: {_shown(value)}")
        return str(value).strip()

    def words(self, key: str) -> tuple[str, ...]:
        """Items of a list, or of text that spells one, in upper case."""
        value = self._value(key)
        if isinstance(value, str):
            value = re.split(r"[,;\s]+", value.strip("()[]{} \t\r\n"))
        if not isinstance(value, (list, tuple, set, frozenset)):
            raise self.error(key, f"is not a list of names: {_shown(value)}")
        if not all(isinstance(item, str) for item in value):
            raise self.error(key, f"holds something else than names: {_shown(value)}")
        return tuple(str(item).strip("'\" \t\r\n").upper() for item in value)

    def number(self, key: str, measure: Measure) -> float:
        """Give the number of a keyword in the unit of ``measure``.

        Raises
        ------
        LabelError
            If it is missing, no finite number, in an unknown unit or out of range.
        """
        value, unit = self._split(key)
        if unit.lower() not in measure.divisors:
            known = ", ".join(f"<{name}>" for name in measure.divisors if name) or "none"
            raise self.error(key, f"has the unit <{unit}>; units known for it: {known}")
        if not math.isfinite(value):
            raise self.error(key, f"is not finite: {_shown(self.values[key])}")
        number = value / measure.divisors[unit.lower()]
        if not measure.low <= number <= measure.high:
            bounds = f"{measure.low:g} to {measure.high:g} {measure.unit}".rstrip()
            raise self.error(key, f"is {number:g}, outside {bounds}")
        return number

    def integer(self, key: str, measure: Measure) -> int:
        """Whole number of a keyword; errors as for ``number``, and for a fraction."""
        number = self.number(key, measure)
        if not number.is_integer():
            raise self.error(key, f"is {number:g}, not a whole number")
        return int(number)

    def _split(self, key: str) -> tuple[float, str]:
        """Bare number and unit of a keyword."""
        value = self._value(key)
        unit = ""
        if isinstance(value, tuple) and hasattr(value, "units") and hasattr(value, "value"):
            value, unit = value.value, str(value.units).strip()
        if isinstance(value, str):
            match = _NUMBER.fullmatch(value)
            if match is None:
                raise self.error(key, f"is not a finite number with a unit: {_shown(value)}")
            return float(match[1]), match[2] or unit
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.error(key, f"is not a number: {_shown(value)}")
        try:
            return float(value), unit
        except OverflowError as problem:
            raise self.error(key, "is not a finite number: it is too large") from problem


def _shown(value: object) -> str:
    """Short form of a value for a message."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def parse_json(data: bytes, source: str) -> Keywords:
    """Keywords of a mission ``Metadata.json``.

    Raises
    ------
    LabelError
        If the bytes are not one JSON object, or name a keyword twice.
    """

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        values = dict(pairs)
        if len(values) < len(pairs):
            twice = next(key for key, _ in pairs if sum(key == other for other, _ in pairs) > 1)
            raise LabelError(f"{source}: keyword {_shown(twice)} stands there twice")
        return values

    try:
        values = json.loads(data.decode("utf-8-sig"), object_pairs_hook=once)
    except (ValueError, RecursionError) as problem:
        raise LabelError(f"{source} is not valid JSON ({problem}); download it again") from problem
    if not isinstance(values, dict):
        raise LabelError(f"{source} is JSON, but not an object of keywords; give the *-Metadata.json")
    return Keywords(values, source)


def parse_pds3(data: bytes, source: str) -> Keywords:
    """Keywords of a detached PDS3 label, those of its ``OBJECT = IMAGE`` included.

    Times stay text, as the label spells them.

    Raises
    ------
    LabelError
        If the text is not PDS3, or does not describe exactly one image.
    """
    with warnings.catch_warnings():
        # On import pvl warns of optional libraries and of its own deprecated names.
        warnings.simplefilter("ignore")
        import pvl.collections
        import pvl.decoder
        import pvl.exceptions
        import pvl.grammar
        import pvl.parser

    # pvl has no types.
    class TimesAsText(pvl.decoder.OmniDecoder):  # type: ignore[misc]
        def decode_datetime(self, value: str) -> object:
            raise ValueError(f"{value} stays text")

    grammar = pvl.grammar.OmniGrammar()
    # OmniParser tries to mend damaged labels and may then never return.
    parser = pvl.parser.ODLParser(grammar=grammar, decoder=TimesAsText(grammar=grammar))
    pvl_errors = (pvl.exceptions.ParseError, pvl.exceptions.QuantityError)
    # pvl lets StopIteration and TypeError escape where the text ends within a block or a set.
    try:
        module = parser.parse(data.decode("utf-8"))
    except (*pvl_errors, ValueError, TypeError, StopIteration, RecursionError) as problem:
        raise LabelError(f"{source} is not a PDS3 label; download it again") from problem
    images = [value for key, value in module.items() if key == "IMAGE" and hasattr(value, "items")]
    if len(images) != 1:
        raise LabelError(
            f"{source} describes {len(images)} images (OBJECT = IMAGE), expected 1; "
            "give the detached .LBL of an EDR or RDR"
        )
    return Keywords({**dict(module.items()), **dict(images[0].items())}, source)


@dataclass(frozen=True)
class LabelSource:
    """Keywords of a label, and the file that holds them."""

    keywords: Keywords
    file: InputFile


def read_label_file(path: Path) -> LabelSource:
    """Keywords of a mission ``Metadata.json`` or a detached PDS3 ``.LBL``, by the ending of its name.

    Raises
    ------
    LabelError
        If the file cannot be read, or is neither.
    """
    parsers = {".json": parse_json, ".lbl": parse_pds3}
    parse = parsers.get(path.suffix.lower())
    if parse is None:
        raise LabelError(f"{path} is no label; give NNNNN-Metadata.json, NNNNN-Data.zip or <id>.LBL")
    data, file = read_file(path, LABEL_LIMIT_BYTES, LabelError)
    return LabelSource(parse(data, str(path)), file)
