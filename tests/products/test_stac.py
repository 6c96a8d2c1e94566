"""Catalogue entries of maps, by the schemas and the readers of pystac, without the network."""

import hashlib
import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pyproj
import pystac
import pytest
import referencing
from pystac.extensions.file import FileExtension
from pystac.extensions.projection import ProjectionExtension
from pystac.extensions.view import ViewExtension
from pystac.validation.local_validator import get_local_schema_cache
from referencing.jsonschema import DRAFT7

from perijove.errors import OptionError
from perijove.geometry.ellipsoid import from_lat_lon
from perijove.geometry.orientation import j2000_to_jupiter
from perijove.geometry.sunlight import sunlight_at
from perijove.geometry.timescale import utc_to_et
from perijove.products.map_files import write_map
from perijove.products.stac import stac_item, write_stac
from perijove.products.stac_footprint import of_polygons, outline
from perijove.project.grid import GLOBE, MapGrid, Region, map_grid


@pytest.fixture(scope="module")
def maps(load_module):  # type: ignore[no-untyped-def]
    return load_module(Path(__file__).with_name("maps.py"))


def check_schema(content: dict[str, Any], kind: str) -> None:
    known = get_local_schema_cache()
    registry = referencing.Registry().with_resources(
        (uri, referencing.Resource.from_contents(schema, DRAFT7)) for uri, schema in known.items()
    )
    schema = known[f"https://schemas.stacspec.org/v1.1.0/{kind}-spec/json-schema/{kind}.json"]
    jsonschema.Draft7Validator(schema, registry=registry).validate(content)


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def test_pystac_reads_it(maps, tmp_path: Path) -> None:
    folder = tmp_path / "pj44"
    for suffix in (".tif", ".nc"):
        path = folder / f"north{suffix}"
        write_map(path, maps.planes())
        files = write_stac(path, maps.planes())
    assert [file.name for file in files] == ["north.stac.json", "collection.json"]
    check_schema(read(files[0]), "item")
    check_schema(read(files[1]), "collection")
    collection = pystac.Collection.from_file(str(files[1]))
    assert collection.id == "pj44"
    (item,) = collection.get_items()
    assert item.collection_id == "pj44"
    assert item.datetime is not None
    assert item.datetime.isoformat() == "2022-08-17T14:39:58.123000+00:00"
    grid = maps.GRID
    projection = ProjectionExtension.ext(item)
    assert projection.shape == [grid.height, grid.width]
    assert projection.transform == list(grid.transform)
    assert projection.code == "IAU_2015:59910"
    assert pyproj.CRS.from_json_dict(projection.projjson) == pyproj.CRS(projection.wkt2) == pyproj.CRS(grid.wkt)
    properties = item.properties
    assert properties["ssys:targets"] == ["Jupiter"]
    assert properties["ssys:target_class"] == "planet"
    assert properties["processing:software"] == {"perijove": "0.1.0"}
    assert "raw.png" in properties["processing:lineage"]
    assert properties["license"] == "CC-BY-4.0"
    assert {"name": "Jane Doe", "roles": ["processor"]} in properties["providers"]
    assert set(item.assets) == {"tif", "nc"}
    for suffix, asset in item.assets.items():
        content = (folder / f"north.{suffix}").read_bytes()
        assert asset.get_absolute_href() == str(folder / f"north.{suffix}")
        assert FileExtension.ext(asset).size == len(content)
        # A multihash: SHA-256 is 0x12, its length 0x20.
        assert FileExtension.ext(asset).checksum == "1220" + hashlib.sha256(content).hexdigest()
        assert [band["name"] for band in asset.extra_fields["bands"]] == ["RED", "range_km"]
    assert item.assets["tif"].media_type == pystac.MediaType.COG


def test_a_collection_grows(maps, tmp_path: Path) -> None:
    pole = map_grid("north-stereographic", Region(50.0, 90.0, 0.0, 360.0), 200e3)
    for name, grid, time in (("a", maps.GRID, "2022-08-17T14:39:58"), ("b", pole, "2022-08-17T13:00:00")):
        content = replace(maps.planes(grid), metadata={**maps.METADATA, "start_time_utc": time})
        write_map(tmp_path / f"{name}.nc", content)
        write_stac(tmp_path / f"{name}.nc", content)
    told = read(tmp_path / "collection.json")
    check_schema(told, "collection")
    assert told["extent"]["temporal"]["interval"] == [["2022-08-17T13:00:00Z", "2022-08-17T14:39:58Z"]]
    west, south, east, north = told["extent"]["spatial"]["bbox"][0]
    assert (west, east, north) == (-180.0, 180.0, 90.0)
    assert south == pytest.approx(-60.0, abs=0.2)
    assert [link["href"] for link in told["links"] if link["rel"] == "item"] == ["./a.stac.json", "./b.stac.json"]


def test_a_mosaic_has_a_span_of_time(maps, tmp_path: Path) -> None:
    (tmp_path / "m.tif").write_bytes(b"x")
    sources = [{"start_time_utc": "2022-08-17T14:50:00"}, {"start_time_utc": "2022-08-17T14:40:00"}]
    metadata = {"sources": sources, "licence": "public domain", "software": "perijove 0.1.0"}
    item = stac_item(tmp_path / "m.tif", replace(maps.planes(), metadata=metadata, planes=()))
    check_schema(item, "item")
    assert item["properties"]["start_datetime"] == item["properties"]["datetime"] == "2022-08-17T14:40:00Z"
    assert item["properties"]["end_datetime"] == "2022-08-17T14:50:00Z"
    assert item["properties"]["license"] == "other"
    assert item["assets"]["tif"]["roles"] == ["visual"]


def test_maps_without_a_time_are_refused(maps, tmp_path: Path) -> None:
    (tmp_path / "m.tif").write_bytes(b"x")
    with pytest.raises(OptionError, match="when it was seen"):
        write_stac(tmp_path / "m.tif", replace(maps.planes(), metadata={}))
    assert [p.name for p in tmp_path.iterdir()] == ["m.tif"]


@pytest.mark.parametrize("text", ['{"type": "Catalog"}', "no JSON", "[]"])
def test_what_is_no_collection_stays(maps, tmp_path: Path, text: str) -> None:
    (tmp_path / "m.tif").write_bytes(b"x")
    (tmp_path / "collection.json").write_text(text)
    with pytest.raises(OptionError, match=r"collection\.json"):
        write_stac(tmp_path / "m.tif", maps.planes())
    assert (tmp_path / "collection.json").read_text() == text


def inside(geometry: dict[str, Any], lon: float, lat: float) -> bool:
    """Whether a place is inside, by counting crossings."""
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    for (ring,) in polygons:
        assert ring[0] == ring[-1]
        assert all(-180 <= x <= 180 and -90 <= y <= 90 for x, y in ring)
        crossings = 0
        for (x0, y0), (x1, y1) in itertools.pairwise(ring):
            if (y0 > lat) != (y1 > lat) and lon < x0 + (lat - y0) / (y1 - y0) * (x1 - x0):
                crossings += 1
        if crossings % 2:
            return True
    return False


@pytest.mark.parametrize(
    ("grid", "exact"),
    [
        (map_grid("equirectangular", GLOBE, 500e3), True),
        (map_grid("equirectangular", Region(-20.0, 30.0, 100.0, 260.0), 200e3), True),
        (map_grid("mercator", Region(-20.0, 30.0, 20.0, 90.0), 200e3), True),
        (map_grid("equal-area", Region(30.0, 50.0, 140.0, 160.0), 200e3, centre=(41.0, 150.0)), True),
        (map_grid("equal-area", Region(30.0, 50.0, 170.0, 190.0), 200e3, centre=(41.0, 180.0)), True),
        (map_grid("north-stereographic", Region(50.0, 90.0, 0.0, 360.0), 200e3), False),
        (map_grid("orthographic", GLOBE, 500e3, centre=(0.0, 90.0)), False),
    ],
)
def test_outlines(grid: MapGrid, exact: bool) -> None:
    bbox, geometry = outline(grid)
    crs = pyproj.CRS(grid.wkt)
    to_map = pyproj.Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True)
    for lon, lat in np.random.default_rng(2).uniform((-179.9, -89.9), (179.9, 89.9), (800, 2)):
        x, y = to_map.transform(lon, lat)
        column, row = (x - grid.left_m) / grid.scale_m, (grid.top_m - y) / grid.scale_m
        # Between the corners of an outline its sides are straight in degrees; 0.1 pixels allow for that.
        if min(abs(column), abs(row), abs(grid.width - column), abs(grid.height - row)) < 0.1:
            continue
        on_map = np.isfinite(x) and 0 < column < grid.width and 0 < row < grid.height
        if on_map or exact:
            assert inside(geometry, lon, lat) == on_map
        if on_map:
            west, south, east, north = bbox
            assert south <= lat <= north
            assert west <= lon <= east if west <= east else lon >= west or lon <= east


def circle(lon: float, lat: float, radius_deg: float) -> list[list[float]]:
    """A closed ring of places that are so far from another."""
    along = np.linspace(0, 2 * np.pi, 181)
    local = np.stack([np.cos(along), np.sin(along)]) * np.sin(np.radians(radius_deg))
    up = np.full_like(along, np.cos(np.radians(radius_deg)))
    tilt, turn = np.radians(90.0 - lat), np.radians(lon)
    x, y, z = local[0] * np.cos(tilt) + up * np.sin(tilt), local[1], -local[0] * np.sin(tilt) + up * np.cos(tilt)
    x, y = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
    return np.stack([np.degrees(np.arctan2(y, x)), np.degrees(np.arcsin(z))], axis=-1).tolist()


@pytest.mark.parametrize("middle", [(20.0, 30.0), (175.0, -40.0), (-178.0, 10.0), (60.0, 75.0), (-120.0, -80.0)])
def test_footprints(middle: tuple[float, float]) -> None:
    radius = 25.0
    bbox, geometry = of_polygons([[circle(*middle, radius)]])
    away = np.radians(middle)
    for lon, lat in np.random.default_rng(3).uniform((-179.9, -89.9), (179.9, 89.9), (800, 2)):
        here = np.radians([lon, lat])
        cosine = np.sin(here[1]) * np.sin(away[1]) + np.cos(here[1]) * np.cos(away[1]) * np.cos(here[0] - away[0])
        distance = np.degrees(np.arccos(cosine))
        # Sides of a polygon are straight in degrees; near a pole they leave the circle by some tenths.
        if abs(distance - radius) > 0.5:
            assert inside(geometry, lon, lat) == (distance < radius)
        if distance < radius - 0.5:
            west, south, east, north = bbox
            assert south <= lat <= north
            assert west <= lon <= east if west <= east else lon >= west or lon <= east
    whole = max(abs(middle[1]) + radius, 0) > 90
    assert (bbox[0], bbox[2]) == (-180.0, 180.0) if whole else bbox[2] - bbox[0] != 360.0


def test_a_footprint_makes_an_item(maps, tmp_path: Path) -> None:
    (tmp_path / "m.tif").write_bytes(b"x")
    item = stac_item(tmp_path / "m.tif", maps.planes(), [[circle(175.0, 10.0, 5.0)], [circle(10.0, 10.0, 5.0)]])
    check_schema(item, "item")
    assert len(item["geometry"]["coordinates"]) == 3
    assert item["bbox"][::2] == [-180.0, 180.0]


def test_view_from_above_under_the_sun(maps, tmp_path: Path) -> None:
    time = maps.METADATA["start_time_utc"]
    et = utc_to_et(time)
    x, y, z = j2000_to_jupiter(et) @ sunlight_at(et).sun_km
    lat, lon_w = float(np.degrees(np.arctan2(z, np.hypot(x, y)))), float(np.degrees(-np.arctan2(y, x)) % 360)
    # In August 2022 the Sun stood over 2 to 3 degrees north of Jupiter's equator.
    assert 1.5 < lat < 3.2
    region = Region(lat - 10, lat + 10, lon_w - 10, lon_w + 10)
    grid = map_grid("equal-area", region, 200e3, centre=(lat, lon_w))
    above = from_lat_lon(lat, lon_w)
    grid = replace(grid, seen_from_km=above * 1.5)
    (tmp_path / "m.tif").write_bytes(b"x")
    item = pystac.Item.from_dict(stac_item(tmp_path / "m.tif", maps.planes(grid)))
    view = ViewExtension.ext(item)
    # The point that angles are told of lies within some pixels of the middle: 200 km are 0.16 degrees.
    assert view.sun_elevation == pytest.approx(90.0, abs=1.0)
    assert view.incidence_angle == pytest.approx(0.0, abs=1.5)
    assert view.off_nadir == pytest.approx(0.0, abs=1.5)


def test_azimuths(maps, tmp_path: Path) -> None:
    # Seen from far south of a place at the equator, the place is north of the point below.
    grid = map_grid("equal-area", Region(-5.0, 5.0, 95.0, 105.0), 200e3, centre=(0.0, 100.0))
    grid = replace(grid, seen_from_km=from_lat_lon(-25.0, 100.0) * 3.0)
    (tmp_path / "m.tif").write_bytes(b"x")
    view = ViewExtension.ext(pystac.Item.from_dict(stac_item(tmp_path / "m.tif", maps.planes(grid))))
    assert view.azimuth is not None
    assert (view.azimuth + 180.0) % 360.0 == pytest.approx(180.0, abs=3.0)
    # The emission angle is the angle at the centre and that at the spacecraft together, but for the flattening.
    assert view.incidence_angle == pytest.approx(view.off_nadir + 25.0, abs=4.0)
