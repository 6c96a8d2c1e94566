"""What catalogues know of a map: an item of STAC beside each product, and a collection in its folder.

Source: SpatioTemporal Asset Catalog 1.1.0, with its extensions file 2.1.0, processing 1.2.0, projection 2.0.0,
ssys 1.1.0 (solar system) and view 1.0.0.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from perijove.errors import OptionError
from perijove.products.map_planes import MapPlanes
from perijove.products.raster import write_json
from perijove.products.stac_footprint import of_polygons, outline
from perijove.products.stac_view import view_angles
from perijove.project.body import JUPITER

#: Polygons of rings of positions, as GeoJSON's MultiPolygon has them.
Footprint = Sequence[Sequence[Sequence[Sequence[float]]]]

_VERSION: Final = "1.1.0"
_SCHEMAS: Final = "https://stac-extensions.github.io"
_ITEM_EXTENSIONS: Final = tuple(
    f"{_SCHEMAS}/{name}/schema.json"
    for name in ("file/v2.1.0", "processing/v1.2.0", "projection/v2.0.0", "ssys/v1.1.0", "view/v1.0.0")
)
_COLLECTION: Final = "collection.json"
_SUFFIX: Final = ".stac.json"
_MEDIA_TYPES: Final = {
    ".tif": "image/tiff; application=geotiff; profile=cloud-optimized",
    ".tiff": "image/tiff; application=geotiff; profile=cloud-optimized",
    ".nc": "application/netcdf",
    ".zarr": "application/vnd.zarr; version=3",
    ".fits": "image/fits",
    ".cub": "application/octet-stream",
    ".png": "image/png",
}
_JSON: Final = "application/json"
_GEOJSON: Final = "application/geo+json"
_PROVIDER: Final = {
    "name": "NASA/JPL-Caltech/SwRI/MSSS",
    "roles": ["producer", "licensor"],
    "url": "https://www.missionjuno.swri.edu/junocam/",
}


def write_stac(path: Path, content: MapPlanes, footprint: Footprint | None = None) -> list[Path]:
    """Write the item of a product beside it, and the collection of all items in its folder.

    Parameters
    ----------
    path : Path
        The product, which exists.
    content : MapPlanes
        What it was written from; of a picture without planes. Its tiles are not gone through.
    footprint : sequence of polygons, optional
        What of the map is known, as `perijove.compose.mosaic_footprint.footprint` gives it. Default: all of the map.

    Returns
    -------
    list of Path
        ``<name>.stac.json`` and ``collection.json``. An item of the same name keeps its other files.

    Raises
    ------
    OptionError
        The collection there is another's, a file cannot be written, or the map does not say when it was seen.
    """
    folder = path.parent
    existing = _read(folder / _COLLECTION)
    if existing is not None and existing.get("type") != "Collection":
        raise OptionError(f"{folder / _COLLECTION} is no collection of STAC and would be lost; choose another folder")
    item_path = path.with_name(path.stem + _SUFFIX)
    item = stac_item(path, content, footprint)
    before = _read(item_path) or {}
    others = {key: asset for key, asset in before.get("assets", {}).items() if (folder / asset["href"]).exists()}
    item["assets"] = {**others, **item["assets"]}
    write_json(item_path, item)
    items = {found.name: _read(found) for found in sorted(folder.glob(f"*{_SUFFIX}"))}
    collection = stac_collection(folder.resolve().name, {name: one for name, one in items.items() if one})
    write_json(folder / _COLLECTION, collection)
    return [item_path, folder / _COLLECTION]


def stac_item(path: Path, content: MapPlanes, footprint: Footprint | None = None) -> dict[str, Any]:
    """The item of a product.

    Parameters
    ----------
    path : Path
        The product, which exists.
    content : MapPlanes
        What it was written from.
    footprint : sequence of polygons, optional
        As for `write_stac`.

    Returns
    -------
    dict
        Ready for JSON. Its geometry has the latitudes of the map.

    Raises
    ------
    OptionError
        The map does not say when it was seen.
    """
    grid = content.grid
    bbox, geometry = of_polygons(footprint) if footprint else outline(grid)
    times = _times(path, content.metadata)
    properties = {
        "title": content.metadata.get("title"),
        **times,
        **_licence(content.metadata),
        "providers": _providers(content.metadata),
        "platform": "juno",
        "instruments": ["junocam"],
        "mission": "juno",
        "gsd": grid.scale_m,
        "proj:code": _code(grid.wkt),
        "proj:wkt2": grid.wkt,
        "proj:projjson": _projjson(grid.wkt),
        "proj:shape": [grid.height, grid.width],
        "proj:transform": list(grid.transform),
        "ssys:targets": [grid.body.name],
        "ssys:target_class": "planet" if grid.body == JUPITER else "satellite",
        "processing:lineage": _lineage(content.metadata),
        "processing:software": _software(content.metadata),
        **view_angles(grid, times["datetime"]),
    }
    # Only the code of a CRS may be null, which says that it has none.
    kept = {key: value for key, value in properties.items() if value is not None or key == "proj:code"}
    return {
        "type": "Feature",
        "stac_version": _VERSION,
        "stac_extensions": list(_ITEM_EXTENSIONS),
        "id": path.stem,
        "collection": path.resolve().parent.name,
        "geometry": geometry,
        "bbox": bbox,
        "properties": kept,
        "assets": {path.suffix.lower().lstrip("."): _asset(path, content)},
        "links": [{"rel": rel, "href": f"./{_COLLECTION}", "type": _JSON} for rel in ("root", "parent", "collection")],
    }


def stac_collection(name: str, items: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The collection of the items of a folder.

    Parameters
    ----------
    name : str
        Becomes its identity.
    items : mapping of str to mapping
        By the names of their files.
    """
    boxes = [item["bbox"] for item in items.values()]
    told = [item["properties"] for item in items.values()]
    first = min(one.get("start_datetime", one["datetime"]) for one in told)
    last = max(one.get("end_datetime", one["datetime"]) for one in told)
    targets = sorted({target for one in told for target in one["ssys:targets"]})
    classes = {one["ssys:target_class"] for one in told}
    licences = {one.get("license", "other") for one in told}
    return {
        "type": "Collection",
        "stac_version": _VERSION,
        "stac_extensions": [f"{_SCHEMAS}/ssys/v1.1.0/schema.json"],
        "id": name,
        "title": f"Maps of {', '.join(targets)} from images of JunoCam",
        "description": f"Maps of {', '.join(targets)} from images of JunoCam, the camera of the Juno spacecraft.",
        "license": licences.pop() if len(licences) == 1 else "other",
        "providers": [_PROVIDER],
        "ssys:targets": targets,
        **({"ssys:target_class": classes.pop()} if len(classes) == 1 else {}),
        "extent": {"spatial": {"bbox": [_around(boxes)]}, "temporal": {"interval": [[first, last]]}},
        "summaries": {"platform": ["juno"], "instruments": ["junocam"]},
        "links": [
            {"rel": "root", "href": f"./{_COLLECTION}", "type": _JSON},
            *({"rel": "item", "href": f"./{name}", "type": _GEOJSON} for name in items),
        ],
    }


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise OptionError(f"{path} is no JSON ({error}); remove it, or choose another folder") from error
    return content if isinstance(content, dict) else {}


def _around(boxes: Sequence[Sequence[float]]) -> list[float]:
    """A box around boxes: of all longitudes where one of them crosses the antimeridian."""
    crossing = any(west > east for west, _, east, _ in boxes)
    west, east = (-180.0, 180.0) if crossing else (min(b[0] for b in boxes), max(b[2] for b in boxes))
    return [west, min(b[1] for b in boxes), east, max(b[3] for b in boxes)]


def _times(path: Path, metadata: Mapping[str, Any]) -> dict[str, str]:
    own = [metadata["start_time_utc"]] if metadata.get("start_time_utc") else []
    seen = own or [source["start_time_utc"] for source in metadata.get("sources", ()) if source.get("start_time_utc")]
    if not seen:
        raise OptionError(
            f"{path.name} does not say when it was seen, without which it has no place in a catalogue; "
            "make the map again from images"
        )
    times = sorted(f"{str(time).removesuffix('Z')}Z" for time in seen)
    if len(times) == 1:
        return {"datetime": times[0]}
    return {"datetime": times[0], "start_datetime": times[0], "end_datetime": times[-1]}


def _licence(metadata: Mapping[str, Any]) -> dict[str, str]:
    """The licence by its name in SPDX's list, where it is in it."""
    text = str(metadata.get("licence") or "")
    if re.fullmatch(r"CC0( 1\.0)?", text):
        return {"license": "CC0-1.0"}
    return {"license": text.replace(" ", "-") if re.fullmatch(r"CC BY[A-Z-]* \d\.\d", text) else "other"}


def _providers(metadata: Mapping[str, Any]) -> list[dict[str, Any]]:
    makers = [{"name": str(name), "roles": ["processor"]} for name in metadata.get("processing", ())]
    credit = metadata.get("credit")
    return [{**_PROVIDER, "description": f"Credit: {credit}"} if credit else dict(_PROVIDER), *makers]


def _lineage(metadata: Mapping[str, Any]) -> str:
    files = ", ".join(entry["file"] for entry in metadata.get("inputs", ()) if "file" in entry)
    made = "Framelets in I/F, with pointing fitted to the image, gathered on the pixels of a map"
    return f"{made}, from {files}" if files else made


def _software(metadata: Mapping[str, Any]) -> dict[str, str]:
    name, _, version = str(metadata.get("software") or "perijove").partition(" ")
    return {name: version or "unknown"}


def _code(wkt: str) -> str | None:
    import pyproj

    known = pyproj.CRS(wkt).to_authority(min_confidence=100)
    return ":".join(known) if known else None


def _projjson(wkt: str) -> dict[str, Any]:
    import pyproj

    return dict(pyproj.CRS(wkt).to_json_dict())


def _asset(path: Path, content: MapPlanes) -> dict[str, Any]:
    asset: dict[str, Any] = {
        "href": f"./{path.name}",
        "type": _MEDIA_TYPES.get(path.suffix.lower(), "application/octet-stream"),
        "roles": ["data"] if content.planes else ["visual"],
    }
    if content.planes:
        asset |= {"data_type": "float32", "nodata": "nan"}
        asset["bands"] = [
            {"name": plane.name, "description": plane.long_name, "unit": plane.unit} for plane in content.planes
        ]
    if path.is_file():
        asset |= {"file:size": path.stat().st_size, "file:checksum": _multihash(path)}
    return asset


def _multihash(path: Path) -> str:
    """SHA-256 as a multihash: 12 is its number, 20 its length in bytes, both hexadecimal."""
    with path.open("rb") as file:
        return "1220" + hashlib.file_digest(file, "sha256").hexdigest()
