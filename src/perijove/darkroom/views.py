"""Where the picture of a recipe looks."""

from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from perijove.project.crs import PROJECTIONS
from perijove.project.grid import MapGrid
from perijove.project.view import View

Part = Annotated[float, Field(ge=0, le=1)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-720, le=720)]
Pole = Literal["north", "south", "nearer"]
Drawn = TypeVar("Drawn", View, MapGrid)

#: Projections about a pole, by what they are called before the pole is known.
POLAR: Final = ("polar-stereographic", "polar-equidistant")
_KINDS: Final = ("spacecraft", "orthographic", "map")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class SpacecraftView(_Model):
    """What the spacecraft saw at mid-image."""

    north_up: bool = False


class OrthographicView(_Model):
    """The globe from far above a place: planetographic latitude and System III west longitude; north is up."""

    centre: tuple[Latitude, Longitude] | None = None


class MapView(_Model):
    """A map, as `perijove map` draws it.

    It shows what the image sees in daylight, all the globe, a ``region`` (south, north, and two System III west
    longitudes, from the first westward to the second), a square that reaches ``radius_km`` from the ``centre`` to each
    side, or, about a pole, everything up to the latitude ``to_latitude``. Latitudes are those of the map's kind. With
    ``trim`` no more of the latter is shown than what the image sees well, below an emission of 80 degrees.

    ``polar-stereographic`` and ``polar-equidistant`` are about the ``pole`` that is named, or that which is nearer to
    what the image sees. ``meridian`` is the west longitude in the middle of maps that have no centre: of a polar one,
    that which runs down from the north pole, or up from the south pole.
    """

    projection: str = "equirectangular"
    pole: Pole | None = None
    to_latitude: Latitude | None = None
    trim: bool = False
    region: tuple[Latitude, Latitude, Longitude, Longitude] | Literal["seen", "globe"] = "seen"
    centre: tuple[Latitude, Longitude] | None = None
    meridian: Longitude = 0.0
    radius_km: Annotated[float, Field(gt=0, le=1e6)] | None = None
    scale_km: Annotated[float, Field(gt=0, le=1e5)] | None = None
    latitudes: Literal["centric", "graphic"] = "centric"

    @model_validator(mode="after")
    def _check(self) -> "MapView":
        if self.projection not in (*POLAR, *PROJECTIONS):
            raise ValueError(f"no projection {self.projection!r}; choose from {', '.join((*POLAR, *PROJECTIONS))}")
        about_centre = "{lat}" in PROJECTIONS.get(self.projection, "")
        if self.pole is not None and self.projection not in POLAR:
            raise ValueError(f"a pole needs one of {', '.join(POLAR)}")
        if self.to_latitude is not None and not self.projection.startswith(("polar-", "north-", "south-")):
            raise ValueError("to_latitude is of maps about a pole")
        if self.trim and self.to_latitude is None:
            raise ValueError("trim is of maps up to a latitude: give to_latitude")
        if self.centre is not None and not about_centre:
            raise ValueError(f"{self.projection} maps have no centre: give the meridian in their middle")
        if self.meridian and about_centre:
            raise ValueError(f"{self.projection} maps have a centre, no meridian")
        if self.radius_km is not None and self.centre is None:
            raise ValueError("a radius needs a centre")
        if sum((self.region != "seen", self.radius_km is not None, self.to_latitude is not None)) > 1:
            raise ValueError("region, radius_km and to_latitude all tell what is shown; give one of them")
        return self


class ViewPlan(_Model):
    """Where the picture looks: what the spacecraft saw, the globe from far above a place, or a map.

    ``size`` is the side of a square picture, or the longer side of a map; by default the scale is the camera's own. The
    picture may be turned clockwise about its middle, then cropped (left, top, right, bottom as parts of its size), then
    zoomed. All is drawn in one step, straight out of the framelets.

    ``resampling: detail`` is for what the spacecraft saw, drawn larger than the camera's own scale: the smoothest
    picture that gives what the pixels measured (`perijove.project.upscale`), in place of interpolation by cubics.
    """

    spacecraft: SpacecraftView | None = None
    orthographic: OrthographicView | None = None
    map: MapView | None = None
    size: Annotated[int, Field(ge=16, le=16384)] | None = None
    rotate_deg: Annotated[float, Field(ge=-360, le=360)] = 0.0
    crop: tuple[Part, Part, Part, Part] | None = None
    zoom: Annotated[float, Field(gt=0, le=64)] = 1.0
    resampling: Literal["cubic", "detail"] = "cubic"

    @model_validator(mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        """A view that is only named has the settings of its kind."""
        if not isinstance(given, dict):
            return given
        return {key: {} if key in _KINDS and value is None else value for key, value in given.items()}

    @model_validator(mode="after")
    def _check(self) -> "ViewPlan":
        given = [name for name in _KINDS if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"a view is one of {', '.join(_KINDS)}, not {' and '.join(given)}")
        if self.crop is not None and not (self.crop[0] < self.crop[2] and self.crop[1] < self.crop[3]):
            raise ValueError("a crop is left, top, right, bottom, with left below right and top below bottom")
        if self.resampling == "detail" and (self.map is not None or self.orthographic is not None):
            raise ValueError("resampling: detail is of what the spacecraft saw, whose pixels have the camera's shape")
        if self.map is not None and self.rotate_deg:
            raise ValueError("a map is turned by its meridian, or its centre, not by rotate_deg")
        if self.map is not None and self.map.scale_km is not None and self.size is not None:
            raise ValueError("size and scale_km both tell how many pixels a map has; give one of them")
        return self

    def changed(self, **changes: Any) -> "ViewPlan":
        """The same with other settings; another kind takes the place of the former.

        Raises
        ------
        ValidationError
        """
        kept = self.model_dump(exclude_none=True)
        if any(kind in changes for kind in _KINDS):
            kept = {key: value for key, value in kept.items() if key not in _KINDS}
        if "size" in changes and "map" in kept:
            kept["map"] = {key: value for key, value in kept["map"].items() if key != "scale_km"}
        return ViewPlan.model_validate({**kept, **changes})

    def applied(self, view: Drawn) -> Drawn:
        """A view or a map turned, cropped and zoomed."""
        if self.rotate_deg and isinstance(view, View):
            view = view.turned(self.rotate_deg)
        if self.crop:
            view = view.cropped(*self.crop)
        return view if self.zoom == 1 else view.zoomed(self.zoom)
