"""Captions: what a picture shows, from geometry alone, in words."""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from perijove.archive.label import ImageLabel
from perijove.errors import OptionError
from perijove.geometry.pointing import Pointing
from perijove.geometry.timescale import et_to_utc
from perijove.project.grid import MapGrid
from perijove.project.view import View
from perijove.story.position import KM_PER_MILE, Position
from perijove.story.scene import Scene, scene_of

#: Where north may be, clockwise from up.
_WAYS: Final = ("up", "to the upper right", "to the right", "to the lower right", "down", "to the lower left",
                "to the left", "to the upper left")  # fmt: skip


@dataclass(frozen=True)
class Caption:
    """A caption in three lengths, and the facts that it tells.

    Attributes
    ----------
    short, long, alt : str
        A title, a paragraph, and a description for those who cannot see the picture.
    facts : dict
        Ready for JSON.
    """

    short: str
    long: str
    alt: str
    facts: dict[str, Any]


def caption_of(label: ImageLabel, pointing: Pointing, view: View | MapGrid, timezone: str | None = None) -> Caption:
    """Describe a view or a map of an image.

    Parameters
    ----------
    label : ImageLabel
    pointing : Pointing
    view : View or MapGrid
    timezone : str, optional
        A name such as ``America/Los_Angeles``: local time is told, too.

    Returns
    -------
    Caption

    Raises
    ------
    OptionError
        There is no such time zone.
    """
    middle = pointing.mid_frame
    position = Position.of_state(
        float(pointing.et[middle]), pointing.position_km[middle], pointing.velocity_km_s[middle]
    )
    scene = scene_of(pointing, view)
    when = _when(position.et, timezone)
    facts = {
        "product": str(label.product_id),
        "perijove": label.orbit,
        "time_utc": et_to_utc(position.et),
        "time_told": when,
        **asdict(position),
        "nadir_scale_km_per_px": position.nadir_scale_km * label.sampling_factor,
        **asdict(scene),
        "phase_name": scene.phase_name,
        "methane": label.bands == ("METHANE",),
        "map": view.projection if isinstance(view, MapGrid) else None,
    }
    short, long = _short(label, position, scene), _long(label, position, scene, when)
    if not isinstance(view, MapGrid):
        north = f"Jupiter's north is {_way(scene)}."
        return Caption(short, f"{long} {north} {_end(position, scene)}", _alt(label, scene), facts)
    told = f"{_of_map(view, scene)} {_end(position, scene)}"
    return Caption(f"Map of {short}", f"{long} {told}", _alt_of_map(label, scene, view), facts)


def distance(km: float) -> str:
    """A length in kilometres and miles, rounded to what a reader can hold.

    Examples
    --------
    >>> distance(4200.0), distance(62345.0), distance(0.83)
    ('4,200 kilometers (2,600 miles)', '62,300 kilometers (38,700 miles)', '0.83 kilometers (0.52 miles)')
    """
    rounded = _rounded(km, 3)
    digits = len(f"{rounded:.10g}".replace(".", "").strip("0"))
    miles = _rounded(km / KM_PER_MILE, max(digits, 2))
    return f"{_number(rounded)} kilometers ({_number(miles)} miles)"


def speed(km_s: float) -> str:
    """A speed in kilometres per hour and miles per hour.

    Examples
    --------
    >>> speed(54.99)
    '198,000 kilometers per hour (123,000 miles per hour)'
    """
    per_hour = km_s * 3600.0
    miles = _rounded(per_hour / KM_PER_MILE, 3)
    return f"{_number(_rounded(per_hour, 3))} kilometers per hour ({_number(miles)} miles per hour)"


def _rounded(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == round(value) else f"{value:g}"


def _when(et: float, timezone: str | None) -> str:
    """Date and time in words."""
    utc = dt.datetime.fromisoformat(et_to_utc(et)).replace(tzinfo=dt.UTC)
    told = f"{_date(utc)}, at {utc:%H:%M} UTC"
    if timezone is None:
        return told
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        local = utc.astimezone(ZoneInfo(timezone))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise OptionError(f"there is no time zone {timezone!r}; give a name such as America/Los_Angeles") from error
    clock = f"{local.hour % 12 or 12}:{local:%M} {'a.m.' if local.hour < 12 else 'p.m.'} {local:%Z}"
    return f"{_date(local)}, at {clock} ({utc:%H:%M} UTC{'' if local.date() == utc.date() else f' of {_date(utc)}'})"


def _date(when: dt.datetime) -> str:
    return f"{when:%B} {when.day}, {when.year}"


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _latitude(degrees: float) -> str:
    if abs(degrees) < 0.5:
        return "the equator"
    whole = round(abs(degrees))
    return f"{whole} degree{'s' if whole > 1 else ''} {'north' if degrees > 0 else 'south'}"


def _what(scene: Scene) -> str:
    """What of Jupiter is seen."""
    if math.isnan(scene.south_deg):
        return "Jupiter's night side"
    if scene.south_deg > 45.0:
        return "Jupiter's far north"
    if scene.north_deg < -45.0:
        return "Jupiter's far south"
    return f"Jupiter's {scene.hemisphere} hemisphere" if scene.hemisphere else "Jupiter"


def _short(label: ImageLabel, position: Position, scene: Scene) -> str:
    light = " in the light of methane" if label.bands == ("METHANE",) else ""
    utc = dt.datetime.fromisoformat(et_to_utc(position.et))
    above = distance(position.altitude_km)
    return f"{_what(scene)}{light} from {above} above the clouds: Juno, perijove {label.orbit}, {_date(utc)}"


def _long(label: ImageLabel, position: Position, scene: Scene, when: str) -> str:
    sentences = [
        f"NASA's Juno spacecraft took this image with JunoCam on {when}, {_flyby(position, label.orbit)}.",
        f"Juno was {distance(position.altitude_km)} above the cloud tops, over a latitude of "
        f"{_latitude(position.lat_graphic_deg)}, and moved at {speed(position.speed_km_s)} relative to Jupiter.",
    ]
    if label.bands == ("METHANE",):
        sentences.append(
            "It shows light that methane absorbs, at a wavelength of 889 nanometers: high clouds are bright."
        )
    if not math.isnan(scene.south_deg):
        sentences.append(_ground(scene))
    sentences += _edges(scene)
    return " ".join(sentences)


def _end(position: Position, scene: Scene) -> str:
    sentences = [f"The moon {moon.name} is in view{_at(moon.side)}." for moon in scene.moons]
    sentences.append(f"Its radio signal took {position.light_time_s / 60.0:.0f} minutes to reach the Earth.")
    return " ".join(sentences)


def _way(scene: Scene) -> str:
    """Where north is."""
    return _WAYS[round(scene.north_deg_clockwise / 45.0) % 8]


def _kind(grid: MapGrid) -> str:
    """What kind of map it is, in words."""
    polar = grid.projection.removeprefix("north-").removeprefix("south-")
    if polar != grid.projection:
        return f"polar {polar}"
    return grid.projection if grid.projection and "+" not in grid.projection else "projected"


def _of_map(grid: MapGrid, scene: Scene) -> str:
    """That it is a map, how large its pixels are, and where its poles."""
    pole = grid.pole_in_the_middle
    kind = _kind(grid)
    told = f"The image is drawn as {'an' if kind[0] in 'aeiou' else 'a'} {kind} map"
    where = f"with Jupiter's {pole} pole in the middle" if pole else f"with Jupiter's north {_way(scene)}"
    return f"{told}, {where}; a pixel of the map stands for {distance(grid.scale_m / 1e3)}."


def _flyby(position: Position, orbit: int) -> str:
    """When in its flyby."""
    hours = position.since_perijove_s / 3600.0
    flyby = f"its {_ordinal(orbit)} close pass of the planet (perijove {orbit})"
    if math.isnan(hours) or abs(hours) > 48.0:
        return f"on the orbit of {flyby}"
    minutes = round(abs(hours) * 60.0)
    if minutes < 2:
        return f"at {flyby}"
    long = minutes >= 120
    length = f"{abs(hours):.0f} hours" if long else f"{minutes} minutes"
    return f"{length} {'before' if hours < 0 else 'after'} {flyby}"


def _ground(scene: Scene) -> str:
    text = f"In daylight it shows latitudes from {_latitude(scene.south_deg)} to {_latitude(scene.north_deg)}"
    if scene.features:
        text += f", with {_listed(scene.features)}"
    return f"{text}; a pixel of the camera is {distance(scene.nearest_scale_km)} wide at the nearest ground."


def _edges(scene: Scene) -> list[str]:
    """Sentences about limb and terminator."""
    told = []
    if scene.limb:
        told.append(f"The sunlit limb of the planet is{_at(*scene.limb)}.")
    if scene.terminator:
        told.append(f"The terminator, where day turns to night, is{_at(*scene.terminator)}.")
    return told


def _at(*sides: str) -> str:
    if sides in (("all around",), ("middle",)):
        return " all around" if "all around" in sides else " in the middle"
    return f" at the {_listed(sides)}"


def _listed(names: Sequence[str]) -> str:
    if len(names) == 1:
        return names[0]
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _alt_of_map(label: ImageLabel, scene: Scene, grid: MapGrid) -> str:
    colour = "black-and-white" if len(label.bands) == 1 else "colour"
    parts = [f"A {colour} map of {_what(scene)}, {_kind(grid)}"]
    if grid.pole_in_the_middle:
        parts.append(f"the {grid.pole_in_the_middle} pole is in the middle")
    if scene.terminator:
        parts.append("the day fades into night" + _at(*scene.terminator))
    return f"{'; '.join(parts)}. What the image did not see is black."


def _alt(label: ImageLabel, scene: Scene) -> str:
    colour = "A black-and-white picture" if len(label.bands) == 1 else "A colour picture"
    shape = {"full": "fully lit", "gibbous": "mostly lit", "half": "half lit", "crescent": "a crescent"}
    parts = [f"{colour} of {_what(scene)}, seen {shape[scene.phase_name]} from a spacecraft"]
    if scene.limb:
        parts.append("the edge of the planet curves" + _at(*scene.limb) + " against black space")
    if scene.terminator:
        parts.append("the day fades into night" + _at(*scene.terminator))
    parts += [f"the moon {moon.name} stands{_at(moon.side)}" for moon in scene.moons]
    return f"{'; '.join(parts)}."
