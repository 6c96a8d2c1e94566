"""A simulated flyby on disk: raw framelets, labels, kernels and the truth."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from perijove.archive.label import ImageLabel
from perijove.calibrate.decompand import decompand
from perijove.calibrate.radiance import new_camera_white_dn
from perijove.errors import OptionError
from perijove.files import replacing
from perijove.products.raster import write_json
from perijove.simulate.detector import Exposure, expose
from perijove.simulate.era import era as era_of
from perijove.simulate.flyby import Flyby, SimulatedImage, plan_flyby
from perijove.simulate.labels import DESCRIPTION, framelet_shape, mission_metadata, pds3_label, rdr_label
from perijove.simulate.scene import Scenery, render

Format = Literal["mission", "edr", "rdr"]
Progress = Callable[[str], None]

FORMATS: Final = ("mission", "edr", "rdr")
#: RDR value of a white Lambert surface that faces the Sun (SIS 4.3.1.3).
_RDR_WHITE: Final = 10000.0


def _silent(_: str) -> None:
    """Report no progress."""


def simulate_flyby(
    folder: str | Path,
    perijove: int = 44,
    images: int = 12,
    seed: int = 0,
    *,
    era: str = "pj30",
    format: Format = "mission",  # noqa: A002 - the field's word
    planet: Scenery | None = None,
    flyby: Flyby | None = None,
    kernels: bool = True,
    backplanes: bool = False,
    predicted_offset_s: float = 0.0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Simulate a flyby and write it as the mission would, with its truth beside it.

    Parameters
    ----------
    folder : path
        Made if it does not exist; files of the same names are replaced.
    perijove, images, seed
        As for `plan_flyby`.
    era : str
        "clean", "pj30" or "pj56".
    format : {"mission", "edr", "rdr"}
        Raw PNG with Metadata.json; or PDS3 IMG with LBL.
    planet : Scenery, optional
        The procedural one of the seed by default, its clouds followed from the perijove.
    flyby : Flyby, optional
        A flyby that is planned already, instead of perijove, images and seed.
    kernels : bool
        Whether to write SPICE kernels to ``kernels``.
    backplanes : bool
        Whether to write the true backplanes of each image beside it.
    predicted_offset_s : float
        Where not zero, the kernels are those of a prediction, so many seconds late: see `write_kernels`.
    progress : callable, optional
        Told what is done next.

    Returns
    -------
    dict
        ``images``, ``kernels``: paths written; ``truth``: path of ``truth.json``.

    Raises
    ------
    OptionError
        If an option is unknown or the folder cannot be written to.
    """
    if format not in FORMATS:
        raise OptionError(f"there is no format {format!r}; choose one of {', '.join(FORMATS)}")
    defects = era_of(era)
    tell = progress or _silent
    folder = Path(folder)
    flyby = flyby or plan_flyby(perijove, images, seed)
    scenery = planet or _procedural(seed, flyby.perijove_et)
    written, truths = [], []
    for image in flyby.images:
        label = image.label
        tell(f"simulating {label.product_id}")
        light = render(scenery, image.pointing, label.bands, *framelet_shape(label.sampling_factor))
        exposure = expose(light, label, flyby.spin.rate_rad_s, defects, seed)
        written.append(_write_image(folder, label, exposure, format))
        truths.append({**_image_truth(image), **_counts(exposure), "file": written[-1].name})
        if backplanes:
            from perijove.simulate.backplanes import write_true_backplanes

            truths[-1]["backplanes"] = write_true_backplanes(folder, image).name
    result: dict[str, Any] = {"images": written, "kernels": [], "truth": folder / "truth.json"}
    if kernels:
        from perijove.simulate.kernels import write_kernels

        tell("writing kernels")
        result["kernels"] = write_kernels(folder / "kernels", flyby, predicted_offset_s)
    options = {"perijove": flyby.perijove, "seed": seed, "era": era, "predicted_offset_s": predicted_offset_s}
    write_json(result["truth"], {"description": DESCRIPTION, **options, **_flyby_truth(flyby), "images": truths})
    return result


def _procedural(seed: int, epoch_et: float) -> Scenery:
    from perijove.simulate.planet import Planet

    return Planet(seed, epoch_et=epoch_et)


def _write_image(folder: Path, label: ImageLabel, exposure: Exposure, kind: Format) -> Path:
    codes = exposure.codes.reshape(-1, exposure.codes.shape[-1])
    if kind == "mission":
        path = folder / f"{label.product_id}-raw.png"
        _write_png(path, codes)
        # Web numbers of the mission have five digits as well; these begin with the perijove.
        number = f"{label.orbit:02d}{label.product_id.number:03d}"
        with replacing(folder / f"{number}-Metadata.json") as temporary:
            temporary.write_text(json.dumps(mission_metadata(label), indent=2) + "\n", encoding="utf-8")
        return path
    data = codes.tobytes()
    if kind == "rdr":
        data = reflectance(exposure.codes, label).astype(">u2").tobytes()
        label = rdr_label(label)
    path = folder / f"{label.product_id}.IMG"
    with replacing(path) as temporary:
        temporary.write_bytes(data)
    digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
    with replacing(path.with_suffix(".LBL")) as temporary:
        temporary.write_bytes(pds3_label(label, digest).encode("ascii"))
    return path


def reflectance(codes: npt.NDArray[np.uint8], label: ImageLabel) -> npt.NDArray[np.uint16]:
    """RDR values of codes: 10,000 times the I/F that the new camera would have seen, (frame, band, line, sample)."""
    counts = decompand(codes, label.bit_mode)
    white = [new_camera_white_dn(band, label.exposure_s, label.solar_distance_km) for band in label.bands]
    scale = _RDR_WHITE / np.array(white)[:, None, None]
    return np.clip(np.rint(counts * scale), 0, np.iinfo(np.uint16).max).astype(np.uint16)


def _write_png(path: Path, codes: npt.NDArray[np.uint8]) -> None:
    import imagecodecs

    with replacing(path) as temporary:
        temporary.write_bytes(bytes(imagecodecs.png_encode(np.ascontiguousarray(codes), level=3)))


def _flyby_truth(flyby: Flyby) -> dict[str, Any]:
    spin, mounting = flyby.spin, flyby.mounting
    return {
        "perijove_et": flyby.perijove_et,
        "trajectory": flyby.trajectory.source,
        "label_late_s": flyby.label_late_s,
        "spin": {
            "axis_j2000": spin.axis,
            "rate_rad_s": spin.rate_rad_s,
            "epoch_et": spin.epoch,
            "despun_to_j2000": spin.turn,
            "nutation_rad": spin.nutation_rad,
            "nutation_phase_rad": spin.nutation_phase_rad,
        },
        "mounting": {
            "twist_rad": mounting.twist_rad,
            "cone_rad": mounting.cone_rad,
            "principal_row_px": mounting.principal_row_px,
        },
    }


def _image_truth(image: SimulatedImage) -> dict[str, Any]:
    pointing = image.pointing
    return {
        "product_id": str(image.label.product_id),
        "start_time": image.label.start_time,
        "start_jitter_s": image.start_jitter_s,
        "delay_error_s": image.delay_error_s,
        "et": pointing.et,
        "spacecraft_to_j2000_quaternions_wxyz": [_quaternion(m) for m in image.spacecraft_to_j2000],
        "position_j2000_km": pointing.position_km,
        "velocity_j2000_km_s": pointing.velocity_km_s,
        "sun_j2000": pointing.sun,
        "earth_j2000": pointing.earth,
    }


def _counts(exposure: Exposure) -> dict[str, Any]:
    return {
        "hot_pixels": int(np.count_nonzero(exposure.hot)),
        "cosmic_pixels": int(np.count_nonzero(exposure.cosmic)),
        "lost_pixels": int(np.count_nonzero(exposure.lost)),
    }


def _quaternion(matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Unit quaternion of a rotation matrix, scalar first and not negative."""
    from scipy.spatial.transform import Rotation

    return np.asarray(Rotation.from_matrix(matrix).as_quat(canonical=True, scalar_first=True))
