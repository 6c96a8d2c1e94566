"""The report of a pass that was solved together: how well, and how far from the kernels it began with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perijove import __version__
from perijove.archive.framelets import InputFile
from perijove.archive.label import ImageLabel
from perijove.constants import FOCAL_LENGTH_PX
from perijove.geometry.camera import spacecraft_to_camera
from perijove.geometry.ephemeris import frame_times
from perijove.geometry.kernels import OWN_PREFIX, KernelFolder, read_attitude, read_states
from perijove.geometry.orientation import j2000_to_jupiter
from perijove.geometry.pointing import Pointing
from perijove.geometry.timescale import et_to_utc
from perijove.products.kernels import ImagePointing
from perijove.products.report import (
    CREDIT,
    limb_report,
    parameter_report,
    position_error_report,
    provenance,
    tie_report,
)
from perijove.register.locate import Located

Floats = npt.NDArray[np.float64]

#: Parameters that each image has for itself.
_OWN: Final = ("start_time_offset", "frame_delay_error", "phase")


@dataclass(frozen=True)
class SolvedImage:
    """An image of a pass and its pointing.

    Attributes
    ----------
    label : ImageLabel
    inputs : tuple of InputFile
        The files that were read, the raw one first.
    located : Located
    """

    label: ImageLabel
    inputs: tuple[InputFile, ...]
    located: Located


def solve_report(images: Sequence[SolvedImage], kernels: KernelFolder | None = None) -> dict[str, Any]:
    """Quality of the images and of what they share, ready for JSON.

    Parameters
    ----------
    images : sequence of SolvedImage
        Of one fit.
    kernels : KernelFolder, optional
        Kernels that the fit began with: what they say is compared with what was solved.

    Returns
    -------
    dict
    """
    solution = images[0].located.solution
    return {
        "perijove": images[0].label.orbit,
        "credit": CREDIT,
        "software": f"perijove {__version__}",
        "spin": {
            "axis_prior": images[0].located.axis_source,
            "axis_j2000": solution.spin_axis.tolist(),
            "axis_sigma_deg": float(np.degrees(solution.spin_axis_sigma_rad)),
            "rate_rad_s": solution.spin_rate_rad_s,
        },
        "parameters": {name: parameter_report(p) for name, p in solution.parameters.items() if name not in _OWN},
        "images": [_image_report(image, kernels) for image in images],
    }


def _image_report(image: SolvedImage, kernels: KernelFolder | None) -> dict[str, Any]:
    label, solution = image.label, image.located.solution
    own = {name: parameter_report(p) for name, p in solution.parameters.items() if name in _OWN}
    told = provenance(label, image.inputs)
    return {
        "product": told["product"],
        "title": told["title"],
        "inputs": told["inputs"],
        "mid_time_utc": et_to_utc(float(solution.pointing.et.mean())),
        "position_source": image.located.trajectory.source,
        "attitude_source": image.located.attitude_source,
        "parameters": own,
        "limb": {"points": image.located.limb_points, **limb_report(label, solution)},
        "ties": tie_report(solution),
        "position_error": position_error_report(solution),
        "from_kernels": kernel_difference(label, solution.pointing, kernels) if kernels else None,
        "warnings": list(image.located.warnings),
    }


def kernel_difference(label: ImageLabel, pointing: Pointing, kernels: KernelFolder) -> dict[str, Any]:
    """How far a solved pointing lies from what kernels say, at the middle of the image.

    Returns
    -------
    dict
        ``trajectory``: the SPK's name, and the solved position less the SPK's, radial, along track and normal, km.
        ``attitude``: the CK's name, by how much the boresight was moved, pixels of the image, and the camera was turned
        about it, degrees. None where no kernel covers the image.
    """
    return {
        "trajectory": _position_difference(label, pointing, kernels),
        "attitude": _attitude_difference(label, pointing, kernels),
    }


def _position_difference(label: ImageLabel, pointing: Pointing, kernels: KernelFolder) -> dict[str, Any] | None:
    read = read_states(kernels, times := pointing.et)
    if read and _is_own(read[2].name):
        read = read_states(kernels, times := frame_times(label))
    if read is None:
        return None
    # Body-fixed: our own kernels hold what was solved at the times of the label, and Jupiter turned back.
    k = pointing.mid_frame
    fixed = j2000_to_jupiter(times[k])
    position, velocity = fixed @ read[0][k], fixed @ read[1][k]
    apart = pointing.position_fixed_km[k] - position
    radial = position / np.linalg.norm(position)
    normal = np.cross(radial, velocity)
    normal /= np.linalg.norm(normal)
    names = ("radial_km", "along_track_km", "normal_km")
    axes = (radial, np.cross(normal, radial), normal)
    return {
        "source": read[2].name,
        **{name: float(apart @ axis) for name, axis in zip(names, axes, strict=True)},
        "distance_km": float(np.linalg.norm(apart)),
    }


def _attitude_difference(label: ImageLabel, pointing: Pointing, kernels: KernelFolder) -> dict[str, Any] | None:
    read = read_attitude(kernels, times := pointing.et)
    if read and _is_own(read[2].name):
        read = read_attitude(kernels, times := frame_times(label))
        # They are for readers who do not follow the charge over the rows.
        pointing = ImagePointing.of(label, pointing).pointing
    if read is None:
        return None
    camera = j2000_to_jupiter(times) @ read[0] @ spacecraft_to_camera().T
    turn = np.swapaxes(camera, 1, 2) @ np.swapaxes(pointing.camera_from_jupiter, 1, 2)
    moved = np.hypot(turn[:, 0, 2], turn[:, 1, 2]) * FOCAL_LENGTH_PX / label.sampling_factor
    about = np.degrees(np.arctan2(turn[:, 1, 0] - turn[:, 0, 1], turn[:, 0, 0] + turn[:, 1, 1]))
    return {
        "source": read[2].name,
        "boresight_px": float(np.median(moved)),
        "about_boresight_deg": float(np.median(about)),
    }


def _is_own(name: str) -> bool:
    return name.lower().startswith(OWN_PREFIX)


def accuracy_told(report: Mapping[str, Any]) -> list[str]:
    """What the report says of accuracy, as paragraphs for the comments of kernels."""
    form = "  {:25} {:>10} {:>10} {:>10} {:>10}"
    table = [form.format("product", "position", "position", "limb", "ties"), form.format("", "km", "px", "px", "px")]
    for image in report["images"]:
        error = image["position_error"] or {}
        numbers = [
            (error.get("median_km"), 2),
            (error.get("median_px"), 3),
            (image["limb"]["residual_median_px"], 3),
            (image["ties"]["residual_median_px"], 3),
        ]
        told = ["-" if number is None else f"{number:.{digits}f}" for number, digits in numbers]
        table.append(form.format(image["product"], *told))
    return [
        "Standard error to be expected of the position of what a pixel shows, on the ground and in pixels of the "
        "image, median; and median residuals of the limb points and of the ties between the bands:",
        "",
        *table,
    ]
