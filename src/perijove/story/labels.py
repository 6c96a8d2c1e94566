"""Numbers of a graticule: which text, and where it stands without meeting another."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: What a place costs, in sides of the picture: lines that cross the text, and other edges than the preferred one.
_CROSSED: Final = 0.25
_OTHER_EDGE: Final = 0.05
#: Neighbouring lines of a kind have to be so far apart where a text stands, in what it covers across them.
_ROOM: Final = 0.65
#: What a place may cost more than the best one of its line, in sizes of the font: labels do not stand in two rows.
_DEARER: Final = 1.2
#: Labels go to all lines, or to every so many-th.
_EVERY: Final = (1, 2, 3, 6, 9, 18, 45, 90)
#: Room between labels, and to the edge of the picture, in sizes of the font.
_MARGIN: Final = 0.5


@dataclass(frozen=True)
class Label:
    """A text in a picture.

    Attributes
    ----------
    text : str
    x, y : float
        Its middle, pixels.
    size : float
        Of the font, pixels.
    """

    text: str
    x: float
    y: float
    size: float

    @classmethod
    def in_corner(cls, text: str, shape: tuple[int, ...], size: float) -> "Label":
        """A text in the lower right corner."""
        width, height = text_size(text, size)
        return cls(text, shape[1] - width / 2 - _MARGIN * size, shape[0] - height / 2 - _MARGIN * size, size)

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom edge, pixels."""
        width, height = text_size(self.text, self.size)
        left, top = round(self.x - width / 2), round(self.y - height / 2)
        return left, top, left + width, top + height

    def meets(self, other: "Label") -> bool:
        """Whether two labels are too near to each other."""
        a, b, room = self.box, other.box, _MARGIN * self.size
        return a[0] < b[2] + room and b[0] < a[2] + room and a[1] < b[3] + room and b[1] < a[3] + room


def latitude_text(degrees: float) -> str:
    """A latitude as it is written.

    Examples
    --------
    >>> latitude_text(-30.0), latitude_text(0.0), latitude_text(22.5)
    ('30°S', '0°', '22.5°N')
    """
    return f"{abs(degrees):g}°{'N' if degrees > 0 else 'S' if degrees < 0 else ''}"


def longitude_text(degrees: float) -> str:
    """A System III longitude as it is written.

    Examples
    --------
    >>> longitude_text(120.0), longitude_text(360.0)
    ('120°W', '0°W')
    """
    return f"{degrees % 360.0:g}°W"


@dataclass(frozen=True)
class _Lines:
    """One kind of lines, at points that are ``coarse`` pixels apart.

    Attributes
    ----------
    values : ndarray, (rows, columns)
        Latitude or longitude, degrees.
    way : ndarray, (2, rows, columns)
        Its gradient, degrees to a pixel of the picture.
    price : ndarray, (rows, columns)
        What a label costs there.
    text : callable
    most : float
        Where the values end: a pole, or a whole turn.
    """

    values: Floats
    way: Floats
    price: Floats
    text: Callable[[float], str]
    most: float

    def spread(self, box: tuple[int, int]) -> Floats:
        """How far a text's box reaches across the lines, pixels."""
        across: Floats = np.abs(self.way[0]) * box[0] + np.abs(self.way[1]) * box[1]
        return np.asarray(across / np.hypot(*self.way))


def placed_labels(
    latitude: Floats, lon_w: Floats, coarse: int, step_deg: float, fixed: Label, size: float
) -> list[Label]:
    """Labels of lines that have room for one.

    Parameters
    ----------
    latitude, lon_w : ndarray, (rows, columns)
        Degrees, of every ``coarse``-th pixel; NaN off the ground.
    coarse : int
    step_deg : float
        Between lines.
    fixed : Label
        That has its place already.
    size : float
        Of the font, pixels.
    """
    height, width = (n * coarse for n in latitude.shape)
    rows, columns = np.meshgrid(*(np.arange(n) * coarse + 0.5 for n in latitude.shape), indexing="ij")
    side, farther = max(height, width), _OTHER_EDGE * max(height, width)
    edges = np.stack([height - rows, rows, columns, width - columns])
    to_left = np.minimum(edges[2], edges[3] + farther) / side
    to_edge = np.minimum(edges[0], edges[1:].min(axis=0) + farther) / side
    kinds = (
        _Lines(latitude, gradient_of(latitude) / coarse, to_left, latitude_text, 90.0),
        _Lines(lon_w, gradient_of(lon_w, 360.0) / coarse, to_edge, longitude_text, 360.0),
    )
    labels = [fixed]
    with np.errstate(divide="ignore", invalid="ignore"):
        for kind, other in (kinds, kinds[::-1]):
            labels += _labels_of(kind, other, coarse, step_deg, labels, size)
    return labels[1:]


def _labels_of(
    kind: _Lines, other: _Lines, coarse: int, step_deg: float, labels: list[Label], size: float
) -> list[Label]:
    """Labels of all lines of a kind, or of every second, third, ... one, so that all of these find a place."""
    made: list[Label] = []
    lines = _lines(kind.values, step_deg, kind.most)
    box = tuple(np.max([text_size(kind.text(line), size) for line in lines], axis=0)) if lines else (1, 1)
    price = _price(kind, other, coarse, step_deg, box)
    for label in labels:
        price[_near(label, box, coarse, price.shape)] = np.inf
    places = np.flatnonzero(np.isfinite(price))
    values, reach = kind.values.flat[places], coarse * np.hypot(*kind.way).flat[places]
    dearer = _DEARER * size / (coarse * max(price.shape))
    for number in (n for n in _EVERY if abs(90.0 / step_deg / n - round(90.0 / step_deg / n)) < 1e-6):
        made, complete = [], True
        for line in (line for line in lines if np.isclose(line / step_deg % number, (0, number)).any()):
            near = places[np.abs((values - line + 180.0) % 360.0 - 180.0) <= reach]
            for at in _cheapest(near, price, dearer):
                label = Label(kind.text(line), *_on_line(kind, line, coarse, at), size)
                if not any(label.meets(one) for one in (*labels, *made)):
                    made.append(label)
                    break
            else:
                complete &= not len(near)
        if complete:
            break
    return made


def _price(kind: _Lines, other: _Lines, coarse: int, step_deg: float, box: tuple[int, int]) -> Floats:
    """What a label costs at each point; infinite where it cannot be."""
    good = _inside(kind.values, box, coarse) & (step_deg / np.hypot(*kind.way) > _ROOM * kind.spread(box))
    nearest = step_deg * np.round(other.values / step_deg)
    crossed = np.abs(other.values - nearest) / np.hypot(*other.way) < 0.55 * other.spread(box)
    return np.where(good, kind.price + _CROSSED * crossed, np.inf)


def _on_line(kind: _Lines, line: float, coarse: int, at: int) -> tuple[float, float]:
    """The point of a line next to a point that was tried, pixels."""
    row, column = np.unravel_index(at, kind.values.shape)
    way = kind.way[:, row, column]
    away = (kind.values[row, column] - line + 180.0) % 360.0 - 180.0
    x, y = way * (away / (way @ way))
    return float(column * coarse + 0.5 - x), float(row * coarse + 0.5 - y)


def gradient_of(values: Floats, turn: float | None = None) -> Floats:
    """How fast values change from pixel to pixel, along the columns and along the rows.

    Parameters
    ----------
    values : ndarray, (height, width)
    turn : float, optional
        Values this far apart are the same.

    Returns
    -------
    ndarray, (2, height, width)
        Of the two sides of a pixel that on which values change less: a cut does not count as steepness. NaN where no
        neighbour is known.

    Examples
    --------
    >>> gradient_of(np.array([[350.0, 355.0, 0.0, 5.0]]), 360.0)[0]
    array([[5., 5., 5., 5.]])
    """
    out = np.zeros((2, *values.shape))
    for way, axis in enumerate((1, 0)):
        if values.shape[axis] < 2:
            continue
        step = np.diff(values, axis=axis)
        if turn is not None:
            step = (step + turn / 2) % turn - turn / 2
        before = np.insert(step, 0, np.nan, axis=axis)
        after = np.insert(step, step.shape[axis], np.nan, axis=axis)
        with np.errstate(invalid="ignore"):
            less = np.isnan(after) | (np.abs(before) < np.abs(after))
        out[way] = np.where(less, before, after)
    return out


def _lines(values: Floats, step_deg: float, most: float) -> list[float]:
    """Multiples of a step about some values, without poles, and with a whole turn as none."""
    if not np.isfinite(values).any():
        return []
    low, high = np.floor(np.nanmin(values) / step_deg), np.ceil(np.nanmax(values) / step_deg)
    lines = {number * step_deg % 360.0 if most > 90.0 else number * step_deg for number in np.arange(low, high + 1)}
    return sorted(float(line) for line in lines if abs(line) < most - 1e-6)


def _inside(known: Floats, box: tuple[int, int], coarse: int) -> Flags:
    """Where a text's box lies within the picture, and all of its corners on the ground."""
    across, along = (int(np.ceil((side / 2 + _MARGIN * box[1]) / coarse)) for side in box)
    ground = np.pad(np.isfinite(known), ((along, along), (across, across)))
    height, width = known.shape
    inside = np.ones(known.shape, bool)
    for j in (0, 2 * along):
        for i in (0, 2 * across):
            inside &= ground[j : j + height, i : i + width]
    return inside


def _near(label: Label, box: tuple[int, int], coarse: int, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns at which a text's box would meet a label."""
    left, top, right, bottom = label.box
    across, along = (side / 2 + _MARGIN * label.size + 1 for side in box)
    rows, columns = (
        slice(*(int(np.clip(np.ceil(end / coarse), 0, most)) for end in ends))
        for ends, most in zip(((top - along, bottom + along), (left - across, right + across)), shape, strict=True)
    )
    return rows, columns


def _cheapest(places: npt.NDArray[np.int64], price: Floats, dearer: float, tries: int = 200) -> Iterator[int]:
    """Some of the places whose price is little above the least, in the order of their price."""
    prices = price.flat[places]
    order = places[np.argsort(prices)][: int((prices < prices.min(initial=np.inf) + dearer).sum())]
    yield from (int(at) for at in order[:: max(1, len(order) // tries)])


@functools.lru_cache(maxsize=256)
def text_size(text: str, size: float) -> tuple[int, int]:
    """Width and height of a text with its rim, pixels."""
    left, top, right, bottom = _font(size).getbbox(text, stroke_width=_rim(size))
    return int(np.ceil(right - left)), int(np.ceil(bottom - top))


def text_mask(label: Label, rim: bool) -> Floats:
    """How much of each pixel of its box a label covers, with or without the rim around it."""
    from PIL import Image, ImageDraw

    font, stroke = _font(label.size), _rim(label.size)
    left, top, _, _ = font.getbbox(label.text, stroke_width=stroke)
    image = Image.new("L", text_size(label.text, label.size))
    ImageDraw.Draw(image).text((-left, -top), label.text, 255, font, stroke_width=stroke if rim else 0)
    return np.asarray(image, float) / 255.0


def _rim(size: float) -> int:
    return max(1, round(size / 9.0))


@functools.lru_cache(maxsize=8)
def _font(size: float) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)
