"""Operators by the names that recipes call them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from perijove.darkroom.operators.base import Operator
from perijove.darkroom.operators.tone import Exposure

OPERATORS: Final[Mapping[str, type[Operator]]] = MappingProxyType({"exposure": Exposure})
