"""What may be drawn over a picture: limb, terminator, scale, north, moons, a strip with caption and credit."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt

from perijove.errors import OptionError
from perijove.geometry.ellipsoid import RADII_KM
from perijove.geometry.pointing import Pointing
from perijove.project.grid import MapGrid
from perijove.project.view import View, beyond_horizon
from perijove.story.ink import draw, write
from perijove.story.labels import Label, text_size
from perijove.story.scene import Scene

Floats = npt.NDArray[np.float64]
Pixels = npt.NDArray[Any]

#: What can be asked for.
PARTS: Final = ("limb", "terminator", "scale", "north", "moons", "strip")
#: Points of a curve around the planet.
_POINTS: Final = 1440
#: A scale bar is about this part of the picture's width; the scale of a view changes by less than this over it.
_BAR: Final = 0.2
#: Room to the picture's edge and between things, in sizes of the font.
_ROOM: Final = 1.2


@dataclass(frozen=True)
class Annotation:
    """Lines and labels in the pixels of a picture, and what stands below it.

    Attributes
    ----------
    width, height : int
        Of the picture.
    size : float
        Of the font, pixels.
    lines : tuple of ndarray, (n, 2)
    labels : tuple of Label
    strip : tuple of str
        Lines of text below the picture.
    """

    width: int
    height: int
    size: float
    lines: tuple[Floats, ...]
    labels: tuple[Label, ...]
    strip: tuple[str, ...]

    @property
    def strip_height(self) -> int:
        """Pixels below the picture."""
        return round((len(self.strip) * 1.5 + 1.0) * self.size) if self.strip else 0

    def drawn_on(self, pixels: Pixels) -> Pixels:
        """The picture with everything burnt in, higher by the strip.

        Parameters
        ----------
        pixels : ndarray, (height, width) or (height, width, 3), uint8 or uint16
        """
        out = np.zeros((self.height + self.strip_height, *pixels.shape[1:]), pixels.dtype)
        out[: self.height] = pixels
        draw(out[: self.height], list(self.lines), self._line_width)
        for label in (*self.labels, *self._strip_labels()):
            write(out, label)
        return out

    def svg(self) -> str:
        """The same as a drawing without the picture, for programs that keep layers apart."""
        height = self.height + self.strip_height
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{height}" '
            f'viewBox="0 0 {self.width} {height}">'
        ]
        if self.strip:
            parts.append(f'<rect y="{self.height}" width="{self.width}" height="{self.strip_height}" fill="black"/>')
        for line in self.lines:
            path = " L".join(f"{x:.2f},{y:.2f}" for x, y in line)
            parts.append(
                f'<path d="M{path}" fill="none" stroke="white" stroke-opacity="0.75" '
                f'stroke-width="{self._line_width:.2f}"/>'
            )
        parts += [
            f'<text x="{label.x:.2f}" y="{label.y:.2f}" font-family="sans-serif" font-size="{label.size:.1f}" '
            f'fill="white" text-anchor="middle" dominant-baseline="central">{escape(label.text)}</text>'
            for label in (*self.labels, *self._strip_labels())
        ]
        return "\n".join([*parts, "</svg>", ""])

    @property
    def _line_width(self) -> float:
        return max(1.0, self.size / 14.0)

    def _strip_labels(self) -> list[Label]:
        lines = [(text, self.height + (0.5 + 1.5 * k + 0.75) * self.size) for k, text in enumerate(self.strip)]
        return [Label(text, _ROOM * self.size + text_size(text, self.size)[0] / 2, y, self.size) for text, y in lines]


def annotation_of(
    pointing: Pointing, view: View | MapGrid, scene: Scene, texts: Sequence[str] = (), parts: Collection[str] = PARTS
) -> Annotation:
    """Annotate a view or a map, which has no limb.

    Parameters
    ----------
    pointing : Pointing
    view : View or MapGrid
    scene : Scene
        What the view shows.
    texts : sequence of str
        Caption, credit: for the strip.
    parts : collection of str
        Some of `PARTS`.

    Raises
    ------
    OptionError
        There is no such part.
    """
    for part in parts:
        if part not in PARTS:
            raise OptionError(f"nothing called {part!r} can be drawn over a picture; choose from {', '.join(PARTS)}")
    size = float(np.clip(np.sqrt(view.width * view.height) / 55.0, 10.0, 60.0))
    lines: list[Floats] = []
    labels: list[Label] = []
    if "limb" in parts and isinstance(view, View):
        lines += _seen(view, _limb(view), slack=1e-6)
    if "terminator" in parts:
        lines += _seen(view, _terminator(pointing.sun_fixed))
    if "scale" in parts:
        _add_scale(view, scene, size, lines, labels)
    if "north" in parts:
        _add_north(view, size, lines, labels)
    if "moons" in parts:
        labels += [
            Label(moon.name, moon.x, moon.y + moon.size_px / 2 + size, size)
            for moon in scene.moons
            if moon.y + moon.size_px / 2 + 2 * size < view.height
        ]
    strip = _wrapped(texts, view.width, size) if "strip" in parts else ()
    return Annotation(view.width, view.height, size, tuple(lines), tuple(labels), strip)


def _observer(view: View) -> tuple[Floats, bool]:
    """In the metric in which the planet is the unit sphere: where the view stands, or which way, and if it is far."""
    if view.projection == "orthographic":
        way = -view.axes[2] / RADII_KM
        return np.asarray(way / np.linalg.norm(way)), True
    return np.asarray(view.origin_km / RADII_KM), False


def _circle(axis: Floats, height: float) -> Floats:
    """Points of the unit sphere on a plane across an axis, (n, 3), as points of the planet, km; closed."""
    axis = axis / np.linalg.norm(axis)
    first = np.cross(axis, np.eye(3)[np.argmin(np.abs(axis))])
    first /= np.linalg.norm(first)
    turn = np.linspace(0, 2 * np.pi, _POINTS + 1)[:, None]
    around = np.cos(turn) * first + np.sin(turn) * np.cross(axis, first)
    return np.asarray((height * axis + np.sqrt(1 - height**2) * around) * RADII_KM)


def _limb(view: View) -> Floats:
    at, far = _observer(view)
    return _circle(at, 0.0 if far else 1.0 / float(np.linalg.norm(at)))


def _terminator(sun: Floats) -> Floats:
    # The normal is the point over the squared radii: where it stands square to the Sun is a plane.
    return _circle(sun / RADII_KM, 0.0)


def _seen(view: View | MapGrid, points_km: Floats, slack: float = 0.0) -> list[Floats]:
    """Runs of a closed curve on the ground that the view shows, in its pixels."""
    place = view.pixel(points_km)
    shown = np.asarray(((place >= 0) & (place <= (view.width, view.height))).all(axis=-1))
    if isinstance(view, View):
        at, far = _observer(view)
        shown &= (points_km / RADII_KM) @ at >= (0.0 if far else 1.0) - slack
    elif view.seen_from_km is not None:
        shown &= ~beyond_horizon(points_km, view.seen_from_km)
    if shown.all() and not _torn(place, view.width).any():
        return [place]
    if not shown.any():
        return []
    # Begin where nothing is shown, so that no run is cut at the seam.
    start = int(np.argmin(shown))
    place, shown = np.roll(place[:-1], -start, axis=0), np.roll(shown[:-1], -start)
    ends = np.flatnonzero((np.diff(shown.astype(int)) != 0) | _torn(place, view.width))
    runs = np.split(place, ends + 1)
    return [run for run, kept in zip(runs, np.split(shown, ends + 1), strict=True) if kept[0] and len(run) > 1]


def _torn(place: Floats, width: int) -> npt.NDArray[np.bool_]:
    """Between which points of a curve a map is cut."""
    return np.asarray(np.abs(np.diff(place[:, 0])) > width / 2)


def _add_scale(view: View | MapGrid, scene: Scene, size: float, lines: list[Floats], labels: list[Label]) -> None:
    """A bar of a round length, lower left, true at the nearest ground seen, or where a map is true to scale."""
    far = isinstance(view, MapGrid) or view.projection == "orthographic"
    if isinstance(view, MapGrid):
        km_per_px = view.scale_m / 1e3
    else:
        km_per_px = view.scale if far else scene.nearest_range_km * view.scale
    if not np.isfinite(km_per_px):
        return
    wanted = _BAR * view.width * km_per_px
    power = 10.0 ** np.floor(np.log10(wanted))
    length = max(step * power for step in (1.0, 2.0, 5.0) if step * power <= wanted)
    left, low = _ROOM * size, view.height - _ROOM * size
    right, tick = left + length / km_per_px, 0.35 * size
    lines.append(np.array([(left, low - tick), (left, low), (right, low), (right, low - tick)]))
    text = f"{length:,.0f} km" if length >= 1 else f"{length * 1000:,.0f} m"
    if not far:
        text += " at the nearest ground"
    wide = text_size(text, 0.8 * size)[0]
    labels.append(Label(text, max((left + right) / 2, left + wide / 2), low - 1.1 * size, 0.8 * size))


def _add_north(view: View | MapGrid, size: float, lines: list[Floats], labels: list[Label]) -> None:
    """An arrow to Jupiter's north, upper right; a map about a pole has none."""
    if isinstance(view, MapGrid) and view.pole_in_the_middle:
        return
    middle = np.array([view.width - 3.0 * size, 3.0 * size])
    turn = np.radians(view.north_angle_deg())
    way, side = np.array([np.sin(turn), -np.cos(turn)]), np.array([np.cos(turn), np.sin(turn)])
    tail, head = middle - 1.2 * size * way, middle + 1.2 * size * way
    wings = [head + 0.45 * size * (-way + sign * 0.6 * side) for sign in (-1, 1)]
    lines += [np.array([tail, head]), np.array([wings[0], head, wings[1]])]
    x, y = head + 0.8 * size * way
    labels.append(Label("N", float(x), float(y), size))


def _wrapped(texts: Sequence[str], width: int, size: float) -> tuple[str, ...]:
    """Texts in lines that fit below a picture."""
    room = width - 2 * _ROOM * size
    found: list[str] = []
    for text in texts:
        line = ""
        for word in text.split():
            longer = f"{line} {word}".strip()
            if line and text_size(longer, size)[0] > room:
                found.append(line)
                longer = word
            line = longer
        found.append(line)
    return tuple(line for line in found if line)
