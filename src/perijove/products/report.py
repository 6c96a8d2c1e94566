"""The report beside a product: what was read, how it was pointed, how good that is."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perijove import __version__
from perijove.archive.framelets import InputFile
from perijove.archive.inputs import hash_file
from perijove.archive.label import ImageLabel
from perijove.errors import KernelError
from perijove.geometry.ellipsoid import above
from perijove.geometry.kernels import KernelFolder
from perijove.geometry.timescale import et_to_utc
from perijove.project.grid import MapGrid
from perijove.project.view import View
from perijove.register.locate import Located
from perijove.register.position_error import position_error
from perijove.register.solve import Parameter, Solution
from perijove.story.credit import Credit

#: Of image data that nobody has worked on.
CREDIT: Final = Credit().line()
#: No kernel is larger, bytes.
_KERNEL_LIMIT: Final = 1 << 34


def provenance(label: ImageLabel, inputs: Sequence[InputFile], credit: Credit | None = None) -> dict[str, Any]:
    """Who made it from what: product, credit, software, inputs with their hashes."""
    credit = credit or Credit()
    return {
        "product": str(label.product_id),
        "title": label.title,
        "credit": credit.line(),
        "licence": str(credit.licence),
        "processing": [step.processor for step in credit.steps],
        "software": f"perijove {__version__}",
        "inputs": _files(inputs),
    }


def beside(kernels: KernelFolder | None, calibration: Any, others: Sequence[InputFile]) -> dict[str, Any]:
    """What else an image was made from, as far as there was something.

    Parameters
    ----------
    kernels : KernelFolder or None
    calibration : CalibrationSet or None
    others : sequence of InputFile
        Files of images that it was solved with.
    """
    paths = (*kernels.lsk, *kernels.sclk, *kernels.spk, *kernels.ck) if kernels else ()
    found = {
        "kernels": _files([hash_file(path, _KERNEL_LIMIT, KernelError) for path in paths]),
        "calibration_set": f"{Path(calibration.source).name}: {calibration.description}" if calibration else None,
        "solved_with": _files(others),
    }
    return {key: told for key, told in found.items() if told}


def _files(inputs: Sequence[InputFile]) -> list[dict[str, str]]:
    return [{"file": entry.path.name, "sha256": entry.sha256} for entry in inputs]


def geometry_report(label: ImageLabel, located: Located) -> dict[str, Any]:
    """Pointing and its quality, ready for JSON."""
    solution = located.solution
    pointing = solution.pointing
    tilt = np.degrees(np.arccos(np.clip(solution.spin_axis @ pointing.earth, -1.0, 1.0)))
    middle = pointing.mid_frame
    lat, lon, altitude = above(pointing.position_fixed_km[middle])
    return {
        "mid_time_utc": et_to_utc(float(pointing.et.mean())),
        "position": {
            "source": located.trajectory.source,
            "kernel_offset_along_track_s": located.trajectory.label_offset_s,
            "distance_to_label_km": located.trajectory.label_distance_km,
            "range_to_centre_km": float(np.linalg.norm(pointing.position_km[middle])),
            "altitude_km": float(altitude),
            "sub_spacecraft_lat_graphic_deg": float(lat),
            "sub_spacecraft_lon_w_sys3_deg": float(lon),
        },
        "attitude": {
            "source": located.attitude_source,
            "spin_axis_prior": located.axis_source,
            "spin_axis_j2000": solution.spin_axis.tolist(),
            "spin_axis_sigma_deg": np.degrees(solution.spin_axis_sigma_rad),
            "spin_axis_from_earth_deg": tilt,
            "spin_rate_rad_s": solution.spin_rate_rad_s,
        },
        "parameters": {name: parameter_report(p) for name, p in solution.parameters.items()},
        "limb": {"points": located.limb_points, **limb_report(label, solution)},
        "ties": tie_report(solution),
        "position_error": position_error_report(solution),
        "warnings": list(located.warnings),
    }


def parameter_report(parameter: Parameter) -> dict[str, Any]:
    """A solved quantity."""
    return {
        "value": parameter.value,
        "sigma": parameter.sigma,
        "prior_sigma": parameter.prior_sigma,
        "unit": parameter.unit,
    }


def limb_report(label: ImageLabel, solution: Solution) -> dict[str, Any]:
    """How well the solved limb runs through the points that were found."""
    residual = np.abs(solution.residual_px)
    return {
        "rejected": solution.rejected,
        **_spread(residual),
        "residual_median_px_by_band": {
            band: float(np.median(residual[solution.residual_band == k]))
            for k, band in enumerate(label.bands)
            if np.any(solution.residual_band == k)
        },
    }


def tie_report(solution: Solution) -> dict[str, Any]:
    """How well the bands of an image lie upon one another."""
    residual = np.linalg.norm(solution.tie_residual_px, axis=1)
    return {"ties": len(residual) + solution.ties_rejected, "rejected": solution.ties_rejected, **_spread(residual)}


def position_error_report(solution: Solution) -> dict[str, float] | None:
    """The standard error to be expected of ground points; None where the image shows no ground."""
    error = position_error(solution)
    return None if error is None else asdict(error)


def _spread(residual: npt.NDArray[np.float64]) -> dict[str, float | None]:
    return {
        "residual_median_px": float(np.median(residual)) if residual.size else None,
        "residual_p95_px": float(np.percentile(residual, 95)) if residual.size else None,
    }


def map_report(grid: MapGrid) -> dict[str, Any]:
    """A map's grid as data."""
    return {
        "crs": grid.wkt,
        "latitudes": f"planeto{grid.latitudes}",
        "longitudes": "System III; eastings grow to the east",
        "scale_km_per_px": grid.scale_m / 1e3,
        "transform": list(grid.transform),
        "width": grid.width,
        "height": grid.height,
    }


def view_report(view: View | MapGrid) -> dict[str, Any]:
    """A view as data: enough to turn any pixel into a line of sight, or that of a map into a place."""
    if isinstance(view, MapGrid):
        return {"projection": view.projection, **map_report(view)}
    unit = "km" if view.projection == "orthographic" else "rad"
    return {
        "projection": view.projection,
        "width": view.width,
        "height": view.height,
        f"scale_{unit}_per_px": view.scale,
        "centre_px": list(view.centre),
        "origin_km": view.origin_km.tolist(),
        "axes_right_down_forward": view.axes.tolist(),
        "frame": "IAU_JUPITER at mid-image",
        "north_angle_deg_clockwise_from_up": view.north_angle_deg(),
    }
