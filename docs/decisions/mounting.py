"""What the images say about the camera's mounting: a twist, or another row of the optical axis.

Usage: ``python docs/decisions/mounting.py RAW...``. Each image is solved three times from its limb alone: with the
frames kernel's mounting as it is, with a free twist, and with a free twist and a free row of the optical axis.
"""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

import perijove
from perijove.geometry.camera import PRINCIPAL_ROW_PX, Camera
from perijove.project.resample import Framelets, gather
from perijove.project.view import spacecraft_view
from perijove.register import locate, model
from perijove.register.locate import Knowledge, locate_by_limb

CASES = {
    "kernel": {"PRINCIPAL_ROW_PX": 0.0, "PRINCIPAL_ROW_SIGMA_PX": 1e-3, "MOUNTING_TWIST_SIGMA_RAD": 1e-6},
    "free twist": {"PRINCIPAL_ROW_PX": 0.0, "PRINCIPAL_ROW_SIGMA_PX": 1e-3, "MOUNTING_TWIST_SIGMA_RAD": 0.02},
    "free twist and row": {"PRINCIPAL_ROW_PX": 0.0, "PRINCIPAL_ROW_SIGMA_PX": 100.0, "MOUNTING_TWIST_SIGMA_RAD": 0.02},
}


def shift_across(reference: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Mean shift (rows, columns) of one plane against another over their well-lit part, by least squares."""
    import cv2

    known = np.isfinite(reference) & np.isfinite(other)
    known &= reference > 0.2 * np.nanpercentile(reference, 95)
    known = cv2.erode(known.astype(np.uint8), np.ones((25, 25))) > 0
    planes = []
    for plane in (reference, other):
        filled = np.nan_to_num(plane)
        coarse = np.maximum(cv2.GaussianBlur(filled, (0, 0), 8.0), 1e-9)
        planes.append(cv2.GaussianBlur(filled, (0, 0), 1.2) / coarse - 1.0)
    rows, columns = np.gradient((planes[0] + planes[1]) / 2)
    design = np.stack([rows[known], columns[known]], axis=1)
    return np.linalg.lstsq(design, (planes[0] - planes[1])[known], rcond=None)[0]


def cameras_with_row(row_px: float) -> Callable[..., dict[str, Camera]]:
    """What gives the cameras of an image, their optical axis as many rows from the kernel's."""
    adopted = model.cameras_of

    def cameras(*image: Any) -> dict[str, Camera]:
        moved = row_px - PRINCIPAL_ROW_PX
        return {band: camera.with_principal_row(moved) for band, camera in adopted(*image).items()}

    return cameras


def main(paths: list[str]) -> None:
    """Print a table, a line an image and case."""
    print("image case; limb px; twist 1e-4 rad; row px; axis from Earth deg; R-G and B-G (rows, columns) px")
    adopted = model.cameras_of
    for path in paths:
        image = perijove.open(path)
        values = image.calibrated.i_over_f
        for name, constants in CASES.items():
            for constant, value in constants.items():
                setattr(model, constant, value)
            model.cameras_of = adopted
            model.cameras_of = locate.cameras_of = cameras_with_row(constants["PRINCIPAL_ROW_PX"])
            _, solution = locate_by_limb(image.label, values, Knowledge())
            twist, row = (solution.parameters[key] for key in ("mounting_twist", "principal_row"))
            tilt = np.degrees(np.arccos(np.clip(solution.spin_axis @ solution.pointing.earth, -1, 1)))
            view = spacecraft_view(solution.pointing)
            drawn, _ = gather(view.ground(), Framelets.of(values, image.label.bands, solution.pointing))
            bands = [drawn[..., image.label.bands.index(band)] for band in ("RED", "GREEN", "BLUE")]
            red, blue = shift_across(bands[1], bands[0]), shift_across(bands[1], bands[2])
            print(
                f"{image.label.product_id.image_key[8:]}  {name:20s} {np.median(np.abs(solution.residual_px)):6.3f}"
                f"  {twist.value * 1e4:7.1f} +- {twist.sigma * 1e4:4.1f}  {row.value:7.1f} +- {row.sigma:4.1f}"
                f"  {tilt:8.2f} +- {np.degrees(solution.spin_axis_sigma_rad):4.2f}"
                f"  {red[0]:+6.2f} {red[1]:+6.2f}  {blue[0]:+6.2f} {blue[1]:+6.2f}"
            )


if __name__ == "__main__":
    main(sys.argv[1:])
