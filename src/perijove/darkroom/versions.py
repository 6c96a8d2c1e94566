"""Older recipes as those of today: what each version of the documents changed, as pure functions on plain data."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from perijove.errors import RecipeError

Document = Mapping[str, Any]

#: Key of a document's version.
KEY: Final = "perijove_recipe"
#: Version of the documents that is written.
VERSION: Final = 2


def brought_up(data: Any, where: str) -> Document:
    """A document of any version as one of today; its values are not checked.

    Parameters
    ----------
    data : any
        Plain data.
    where : str
        What it is called in errors.

    Raises
    ------
    RecipeError
        It is no recipe, or a newer one than is known here.
    """
    if not isinstance(data, Mapping) or KEY not in data:
        raise RecipeError(f"{where} is no recipe: it has no {KEY}: {VERSION}")
    version = data[KEY]
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise RecipeError(f"{where} is a recipe of version {version!r}, which never was; write {KEY}: {VERSION}")
    if version > VERSION:
        raise RecipeError(
            f"{where} is a recipe of version {version}, and this perijove reads versions up to {VERSION}: "
            "upgrade with pip install --upgrade perijove"
        )
    document: Document = data
    for step in range(version, VERSION):
        document = {**CHANGES[step](document), KEY: step + 1}
    return document


def _views_by_name(data: Document) -> Document:
    """Version 2: a view is named by what it is, and its own settings stand below that name.

    Examples
    --------
    >>> _views_by_name({"view": {"projection": "orthographic", "centre": [60, 120], "size": 900}})["view"]
    {'size': 900, 'orthographic': {'centre': [60, 120]}}
    """
    view = data.get("view")
    if not isinstance(view, Mapping):
        return data
    kind = view.get("projection", "spacecraft")
    if kind not in ("spacecraft", "orthographic"):
        # There were no others; it is refused as an unknown key.
        return data
    # Views of the globe have north up, whether that was asked for or not.
    own = {key: view[key] for key in ("north_up", "centre") if view.get(key) is not None}
    if kind == "orthographic":
        own.pop("north_up", None)
    rest = {key: value for key, value in view.items() if key not in ("projection", "north_up", "centre")}
    return {**data, "view": {**rest, kind: own} if "projection" in view or own else rest}


#: What makes a document of the next version out of one of a version.
CHANGES: Final[Mapping[int, Callable[[Document], Document]]] = MappingProxyType({1: _views_by_name})
