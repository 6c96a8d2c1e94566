"""A planet whose truth is known, drawn ray by ray into framelets, and plain projections to compare with."""

import dataclasses
import json
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from perijove.archive.label import ImageLabel
from perijove.archive.product_id import ProductId
from perijove.geometry.camera import Camera, spacecraft_to_camera, tdi_shift_px
from perijove.geometry.ephemeris import (
    Trajectory,
    direction_from_jupiter,
    frame_times,
    mid_time,
    trajectory_from_label,
)
from perijove.geometry.pointing import Pointing
from perijove.geometry.rotation import frame_with_z, rotation_about, rotation_vector_matrix

C_KM_S = 299792.458
RADII = np.array([71492.0, 71492.0, 66854.0])
SPIN_RAD_S = np.radians(870.536) / 86400.0
BANDS = ("BLUE", "GREEN", "RED")
#: Half-light height of the limb above 1 bar that the model gives each band, km.
HAZE_KM = {"BLUE": 150.0, "GREEN": 140.0, "RED": 130.0, "METHANE": 160.0}
SPIN_RATE_RAD_S = 0.2077
ALBEDO = {"BLUE": 0.35, "GREEN": 0.5, "RED": 0.55, "METHANE": 0.1}

Albedo = Callable[[np.ndarray, np.ndarray], np.ndarray]


def make_label(**changes: Any) -> ImageLabel:
    """Label of a summed colour image of the whole disc, 135,000 km above the north."""
    label = ImageLabel(
        product_id=ProductId.parse("JNCE_2022229_44C00001_V01"),
        start_time="2022-08-17T13:16:10.000",
        bands=BANDS,
        frames=13,
        interframe_delay_s=0.373,
        exposure_s=0.0064,
        tdi_stages=2,
        sampling_factor=2,
        bit_mode="SQROOT",
        compression="",
        pixel_scale="codes",
        target="JUPITER",
        orbit=44,
        solar_distance_km=7.417e8,
        altitude_km=135000.0,
        sub_spacecraft_lat_graphic_deg=38.0,
        sub_spacecraft_lon_w_sys3_deg=281.0,
        methane_distortion_y_px=None,
        title="made",
        rationale="",
        source_product_id="",
    )
    return dataclasses.replace(label, **changes)


@dataclass(frozen=True)
class Mounting:
    """What departs from the frames kernel and from the label: radians, full-resolution rows, seconds."""

    twist: float = 0.0002
    cone: float = -0.0005
    principal_row: float = -27.0
    start_s: float = 0.008


@dataclass(frozen=True)
class Scene:
    """An image and its truth."""

    label: ImageLabel
    trajectory: Trajectory
    pointing: Pointing
    axis: np.ndarray
    turn: np.ndarray
    values: np.ndarray


def tilted_axis(label: ImageLabel, tilt_deg: float, towards_deg: float) -> np.ndarray:
    """Axis that stands ``tilt_deg`` off the Earth, in a direction counted from Jupiter's north."""
    earth = direction_from_jupiter("Earth", mid_time(label))
    east = np.cross([0.0, 0.0, 1.0], earth)
    east /= np.linalg.norm(east)
    north = np.cross(earth, east)
    angle = np.radians(towards_deg)
    about = np.cross(earth, np.cos(angle) * north + np.sin(angle) * east)
    return rotation_vector_matrix(np.radians(tilt_deg) * about) @ earth


def fly(
    label: ImageLabel, axis: np.ndarray, mounting: Mounting | None = None
) -> tuple[Trajectory, Pointing, np.ndarray]:
    """Trajectory of the label, pointing of a steady spin that sweeps over the planet, and the turn."""
    mounting = mounting or Mounting()
    trajectory = trajectory_from_label(label)
    middle = mid_time(label)
    et = frame_times(label) + mounting.start_s
    to_camera = spacecraft_to_camera(mounting.twist, mounting.cone)
    boresight = to_camera.T @ [0.0, 0.0, 1.0]
    phase = -np.arctan2(boresight[1], boresight[0]) + 0.03
    turn = frame_with_z(axis, -trajectory.state(middle)[0]) @ rotation_about("z", phase)
    attitude = turn @ rotation_about("z", SPIN_RATE_RAD_S * (et - middle)) @ to_camera.T
    position, velocity = trajectory.state(et)
    cameras = {
        band: Camera.in_flight(band, label.sampling_factor, principal_row_px=mounting.principal_row).with_rows_shifted(
            tdi_shift_px(label.tdi_stages)
        )
        for band in label.bands
    }
    sun, earth = (direction_from_jupiter(body, middle) for body in ("Sun", "Earth"))
    return trajectory, Pointing(et, attitude, position, velocity, sun, earth, cameras), turn


def clouds(lat_deg: np.ndarray, lon_deg: np.ndarray) -> np.ndarray:
    """Smooth relative albedo around 1: belts, and waves down to three degrees."""
    lat, lon = np.radians(lat_deg), np.radians(lon_deg)
    return (
        1.0
        + 0.12 * np.sin(11 * lat + 0.4)
        + 0.08 * np.sin(40 * lat + 6 * np.sin(3 * lon))
        + 0.08 * np.cos(30 * lon * np.cos(lat) + 9 * lat)
        + 0.05 * np.sin(70 * lon * np.cos(lat) - 33 * lat + 1)
    )


def even(lat_deg: np.ndarray, _: np.ndarray) -> np.ndarray:
    """Albedo without features."""
    return np.ones_like(lat_deg)


def _rays(pointing: Pointing, band: str, frame: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """True directions of pixels, body-fixed, not normalised to better than the aberration."""
    seen = pointing.cameras[band].directions(x, y)
    return seen @ pointing.camera_from_jupiter[frame] - pointing.aberration_fixed[frame]


def _depth(origin: np.ndarray, rays: np.ndarray, height_km: float) -> np.ndarray:
    """Positive where rays enter the ellipsoid raised by a height: the discriminant over its first term."""
    so, sd = origin / (RADII + height_km), rays / (RADII + height_km)
    a, b = np.sum(sd * sd, axis=-1), sd @ so
    return b * b / a - (so @ so - 1.0)


def limb_distance_px(
    pointing: Pointing, band: str, frame: int, x: np.ndarray, y: np.ndarray, height_km: float | None = None
) -> np.ndarray:
    """Distance of pixel coordinates from the model's limb, positive outside, to first order."""
    height = HAZE_KM[band] if height_km is None else height_km
    origin = pointing.position_fixed_km[frame]

    def depth(dx: float, dy: float) -> np.ndarray:
        return _depth(origin, _rays(pointing, band, frame, x + dx, y + dy), height)

    gradient = np.hypot(depth(0.5, 0) - depth(-0.5, 0), depth(0, 0.5) - depth(0, -0.5))
    return -depth(0, 0) / gradient


def true_limb(pointing: Pointing, frames: int, shape: tuple[int, int], step: int = 16) -> dict[str, np.ndarray]:
    """Points exactly on the model's limb: arrays frame, band, x, y, outward, by Newton's method."""
    lines, samples = shape
    rows: list[np.ndarray] = []
    for index, band in enumerate(pointing.cameras):
        for frame in range(frames):
            y, x = (a.ravel() for a in np.mgrid[4:lines:8, 16:samples:step] + 0.5)
            for _ in range(8):
                with np.errstate(invalid="ignore", divide="ignore"):
                    away = limb_distance_px(pointing, band, frame, x, y)
                    gx = limb_distance_px(pointing, band, frame, x + 0.5, y) - away
                    gy = limb_distance_px(pointing, band, frame, x, y + 0.5) - away
                    length = np.hypot(gx, gy)
                    ux, uy = gx / length, gy / length
                near = np.isfinite(away) & np.isfinite(length) & (np.abs(away) < step)
                x, y, ux, uy, away = (a[near] for a in (x, y, ux, uy, away))
                x, y = x - away * ux, y - away * uy
            inside = (x > 13) & (x < samples - 3) & (y > 1) & (y < lines - 1) & (np.abs(away) < 1e-4)
            count = np.count_nonzero(inside)
            both = np.full(count, frame), np.full(count, index)
            rows.append(np.column_stack([*both, x[inside], y[inside], ux[inside], uy[inside]]))
    table = np.concatenate(rows)
    whole = table[:, :2].astype(np.int64)
    return {"frame": whole[:, 0], "band": whole[:, 1], "x": table[:, 2], "y": table[:, 3], "outward": table[:, 4:]}


def _brightness(
    pointing: Pointing, band: str, frame: int, xy: tuple[np.ndarray, np.ndarray], albedo: Albedo
) -> np.ndarray:
    """I/F along lines of sight: albedo times cosine of incidence, 0 in the sky and at night."""
    origin = pointing.position_fixed_km[frame]
    rays = _rays(pointing, band, frame, *xy)
    so, sd = origin / RADII, rays / RADII
    a, b, c = np.sum(sd * sd, axis=-1), sd @ so, so @ so - 1.0
    # Rays that pass through the haze alone show the ground below their nearest point.
    root = np.sqrt(np.maximum(b * b - a * c, 0.0))
    point = origin + ((-b - root) / a)[..., None] * rays
    normal = point / RADII**2
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    travel = np.linalg.norm(point - origin, axis=-1) / C_KM_S
    lat = np.degrees(np.arctan2(normal[..., 2], np.hypot(normal[..., 0], normal[..., 1])))
    lon_w = np.degrees(-np.arctan2(point[..., 1], point[..., 0]) - SPIN_RAD_S * travel)
    sunlight = np.clip(normal @ pointing.sun_fixed, 0.0, None)
    inside = _depth(origin, rays, HAZE_KM[band]) > 0
    return np.where(inside, ALBEDO[band] * albedo(lat, lon_w) * sunlight, 0.0)


def render(label: ImageLabel, pointing: Pointing, albedo: Albedo = clouds, noise: float = 0.002) -> np.ndarray:
    """Framelets in I/F, (frame, band, line, sample), float32; pixels on the limb average 36 rays."""
    lines, samples = 128 // label.sampling_factor, 1632 // label.sampling_factor
    y, x = np.mgrid[:lines, :samples] + 0.5
    parts = (np.arange(6) + 0.5) / 6 - 0.5
    out = np.random.default_rng(44).normal(0.0, noise, (label.frames, len(label.bands), lines, samples))
    for frame in range(label.frames):
        for index, band in enumerate(label.bands):
            sight = limb_distance_px(pointing, band, frame, x[::8, ::8], y[::8, ::8])
            if sight.min() > 10.0:
                continue
            distance = limb_distance_px(pointing, band, frame, x, y)
            whole, edge = distance < -1.0, np.abs(distance) <= 1.0
            light = np.zeros(x.shape)
            light[whole] = _brightness(pointing, band, frame, (x[whole], y[whole]), albedo)
            ex = x[edge][:, None, None] + parts
            ey = y[edge][:, None, None] + parts[:, None]
            light[edge] = _brightness(pointing, band, frame, np.broadcast_arrays(ex, ey), albedo).mean(axis=(1, 2))
            out[frame, index] += light
    return out.astype(np.float32)


def make_scene(
    tilt_deg: float = 0.05,
    towards_deg: float = 30.0,
    albedo: Albedo = clouds,
    mounting: Mounting | None = None,
    **changes: Any,
) -> Scene:
    """Image of the planet from a spacecraft whose axis stands off the Earth."""
    label = make_label(**changes)
    axis = tilted_axis(label, tilt_deg, towards_deg)
    trajectory, pointing, turn = fly(label, axis, mounting)
    values = render(label, pointing, albedo)
    values.flags.writeable = False
    return Scene(label, trajectory, pointing, axis, turn, values)


def project(pointing: Pointing, band: str, ground_km: np.ndarray) -> np.ndarray:
    """Pixel coordinates of ground points in every frame, (frame, ..., 2), by the camera model alone."""
    observer = pointing.position_fixed_km[pointing.mid_frame]
    distance = np.linalg.norm(ground_km - observer, axis=-1)
    angle = SPIN_RAD_S / C_KM_S * distance
    # Where the point stood, in the body-fixed axes of reception, when its light left.
    x, y, z = np.moveaxis(ground_km, -1, 0)
    stood = np.stack([x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle), z], axis=-1)
    out = np.empty((pointing.frames, *ground_km.shape[:-1], 2))
    for frame in range(pointing.frames):
        sight = stood - pointing.position_fixed_km[frame]
        unit = sight / np.linalg.norm(sight, axis=-1, keepdims=True)
        seen = (unit + pointing.aberration_fixed[frame]) @ pointing.camera_from_jupiter[frame].T
        out[frame] = np.stack(pointing.cameras[band].pixels(seen), axis=-1)
    return out


def disc_grid(scene: Scene, band: str, step: int = 24) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ground points that pixels of the band truly saw: frame (n,), pixel (n, 2), ground (n, 3)."""
    lines, samples = scene.values.shape[2:]
    frame, y, x = np.meshgrid(
        np.arange(scene.label.frames), np.arange(4.5, lines - 4, 8), np.arange(20.5, samples - 10, step), indexing="ij"
    )
    frame, pixel = frame.ravel(), np.column_stack([x.ravel(), y.ravel()])
    ground = scene.pointing.ground(band, frame, pixel[:, 0], pixel[:, 1])
    hit = np.isfinite(ground[:, 0])
    return frame[hit], pixel[hit], ground[hit]


# Files as the mission's site has them.


def png8(pixels: np.ndarray) -> bytes:
    """8-bit grey PNG."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = np.zeros((pixels.shape[0], pixels.shape[1] + 1), np.uint8)
    rows[:, 1:] = pixels
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows.tobytes(), 1)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


#: Counts at the upper ends of the intervals of the square-root-like companding (SIS, appendix C).
LEVELS = np.concatenate(
    [
        np.arange(0, 23),
        np.arange(23, 63, 2),
        np.arange(63, 247, 4),
        np.arange(247, 1007, 8),
        np.arange(1007, 1407, 16),
        np.arange(1407, 2880, 32),
    ]
)


def expose(values: np.ndarray, white_dn: Mapping[str, float], bands: tuple[str, ...]) -> np.ndarray:
    """Codes of an exposure of I/F planes; a count of dark level, shot and read noise."""
    white = np.array([white_dn[band] for band in bands])[:, None, None]
    rng = np.random.default_rng(17)
    # Dark columns at either side see nothing.
    dark = np.zeros(values.shape)
    active = slice(12, 815)
    dark[..., active] = np.maximum(values[..., active], 0.0)
    counts = rng.poisson(dark * white * 16.0) / 16.0 + rng.normal(1.0, 1.04, values.shape)
    counts = np.clip(np.rint(counts), 0, 2879)
    return np.searchsorted(LEVELS, counts).astype(np.uint8)


def json_label(label: ImageLabel, samples: int) -> dict[str, Any]:
    """Keywords of the mission's JSON for a label."""
    return {
        "COMPRESSION_TYPE": "HUFFMAN",
        "EXPOSURE_DURATION": f"{1000 * label.exposure_s} <ms>",
        "FILE_NAME": f"{label.product_id}-raw.png",
        "FILTER_NAME": list(label.bands),
        "INTERFRAME_DELAY": f"{label.interframe_delay_s} <s>",
        "JNO:TDI_STAGES_COUNT": label.tdi_stages,
        "LINES": label.frames * len(label.bands) * 128 // label.sampling_factor,
        "LINE_PREFIX_BYTES": 0,
        "LINE_SAMPLES": samples,
        "LINE_SUFFIX_BYTES": 0,
        "ORBIT_NUMBER": label.orbit,
        "PRODUCT_ID": str(label.product_id),
        "RATIONALE_DESC": "made",
        "SAMPLE_BITS": 8,
        "SAMPLE_BIT_MODE_ID": label.bit_mode,
        "SAMPLE_TYPE": "UNSIGNED_INTEGER",
        "SAMPLING_FACTOR": label.sampling_factor,
        "SOLAR_DISTANCE": f"{label.solar_distance_km} <km>",
        "SPACECRAFT_ALTITUDE": f"{label.altitude_km} <km>",
        "START_TIME": label.start_time,
        "SUB_SPACECRAFT_LATITUDE": str(label.sub_spacecraft_lat_graphic_deg),
        "SUB_SPACECRAFT_LONGITUDE": str(label.sub_spacecraft_lon_w_sys3_deg),
        "TARGET_NAME": label.target,
        "TITLE": label.title,
    }


def write_image_set(folder: Path, scene: Scene, white_dn: Mapping[str, float]) -> Path:
    """Raw PNG with its label beside it, as downloaded."""
    codes = expose(scene.values, white_dn, scene.label.bands)
    path = folder / f"{scene.label.product_id}-raw.png"
    path.write_bytes(png8(codes.reshape(-1, codes.shape[-1])))
    label = json_label(scene.label, codes.shape[-1])
    (folder / "10001-Metadata.json").write_text(json.dumps(label))
    return path
