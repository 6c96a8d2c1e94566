"""What the images ask of the camera model: corrections that limb and ties favour, and with what significance.

Usage: ``python docs/decisions/camera.py RAW...``, images of one perijove. They are solved together; then the camera is
changed a little either way, one number at a time, and solved again: the parabola through the sums of squares tells the
best value and its standard error. Values are in the units of the table, from the camera as it is adopted.
"""

import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np

import perijove
from perijove.archive.label import ImageLabel
from perijove.calibrate.quality import Quality
from perijove.geometry.camera import TDI_NUMBERINGS, Camera
from perijove.register import bundle, locate, model
from perijove.register import solve as solver
from perijove.register.bundle import Observation, locate_pass
from perijove.register.locate import Knowledge

Change = Callable[[Camera, float], Camera]


def of_band(wanted: str, change: Change) -> Change:
    """A change of one band only."""
    return lambda camera, amount: change(camera, amount) if camera.band == wanted else camera


def scaled(camera: Camera, amount: float) -> Camera:
    """Change the focal length by a part of itself."""
    return replace(camera, focal_length_px=camera.focal_length_px * (1 + amount))


def across(camera: Camera, amount: float) -> Camera:
    """Move the centre of distortion along the columns."""
    return replace(camera, cx_px=camera.cx_px + amount)


def along(camera: Camera, amount: float) -> Camera:
    """Move the centre of distortion along the rows."""
    return replace(camera, cy_px=camera.cy_px + amount)


def bent(camera: Camera, amount: float) -> Camera:
    """Change the first coefficient of distortion by a part of itself."""
    return replace(camera, k1=camera.k1 * (1 + amount))


CHANGES: dict[str, tuple[Change, float]] = {
    "column, all bands (px)": (across, 1.0),
    "k1, all bands (parts)": (bent, 0.01),
    "focal length, all bands (parts)": (scaled, 1e-3),
    **{f"scale of {band} (parts)": (of_band(band, scaled), 5e-5) for band in ("RED", "BLUE")},
    **{f"column of {band} (px)": (of_band(band, across), 0.03) for band in ("RED", "BLUE")},
    **{f"row of {band} (px)": (of_band(band, along), 0.03) for band in ("RED", "BLUE")},
}


def observation(path: str) -> Observation:
    """An image, clipped pixels unknown."""
    image = perijove.open(path)

    def values() -> np.ndarray:
        calibrated = image.calibrated
        saturated = (calibrated.quality & np.uint8(Quality.SATURATED)) > 0
        return np.where(saturated, np.float32(np.nan), calibrated.i_over_f)

    return Observation(image.label, values)


def last_fit(paths: list[str]) -> tuple[model.Pass, tuple[solver.Solution, ...]]:
    """The last problem that solving the images leads to, and its solutions."""
    fits = []

    def kept(problem: model.Pass, begin: tuple[solver.Solution, ...] = ()) -> tuple[solver.Solution, ...]:
        fits.append((problem, solver.solve(problem, begin)))
        return fits[-1][1]

    bundle.solve = locate.solve = kept
    observations = [observation(path) for path in paths]
    locate_pass(observations, Knowledge(labels=tuple(o.label for o in observations)))
    return fits[-1]


def sum_of_squares(
    problem: model.Pass, begin: tuple[solver.Solution, ...], change: Change | None = None, amount: float = 0.0
) -> float:
    """Least sum of squares with a changed camera, limb points and ties chosen as before."""
    adopted = model.cameras_of

    def changed(label: ImageLabel, numbering: str = TDI_NUMBERINGS[0]) -> dict[str, Camera]:
        return {band: change(camera, amount) for band, camera in adopted(label, numbering).items()}

    if change is not None:
        model.cameras_of = changed
    try:
        fit = solver._Fit(problem)
        x = fit.mean.copy()
        for columns, solution in zip(fit.columns, begin, strict=True):
            x[columns] = [parameter.value for parameter in solution.parameters.values()]
        fit.reject(x, 2)
        return fit.equations(fit.minimised(x)[0], derivatives=False)[0]
    finally:
        model.cameras_of = adopted


def main(paths: list[str]) -> None:
    """Print residuals of the ties by pair of bands, and a row a change of the camera."""
    problem, solutions = last_fit(paths)
    shared = solutions[0].parameters
    for name in ("mounting_twist", "mounting_cone", "principal_row"):
        print(f"{name}: {shared[name].value:.3g} +- {shared[name].sigma:.2g} {shared[name].unit}")
    for image, solution in zip(problem.images, solutions, strict=True):
        limb, ties = np.abs(solution.residual_px), np.hypot(*solution.tie_residual_px.T)
        seen = f"ties {np.median(ties):.3f} px of {ties.size}" if ties.size else "no ties"
        print(f"{image.label.product_id}: limb {np.median(limb):.3f} px of {limb.size}, {seen}")
    least = sum_of_squares(problem, solutions)
    print(f"{'change':34} {'best':>10} {'error':>9} {'gain':>7}")
    for name, (change, unit) in CHANGES.items():
        more, less = (sum_of_squares(problem, solutions, change, sign * unit) for sign in (1, -1))
        curvature, slope = (more + less) / 2 - least, (more - less) / 2
        best, error = -slope / (2 * curvature) * unit, unit / np.sqrt(max(curvature, 1e-12))
        print(f"{name:34} {best:10.2g} {error:9.2g} {slope**2 / 4 / curvature:7.1f}")
    for numbering in TDI_NUMBERINGS:
        images = tuple(replace(image, tdi_numbering=numbering) for image in problem.images)
        gain = least - sum_of_squares(replace(problem, images=images), solutions)
        print(f"rows numbered by {numbering:17} {'':>20} {gain:7.1f}")


if __name__ == "__main__":
    main(sys.argv[1:])
