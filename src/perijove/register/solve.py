"""The fit: least squares over all images of a pass, robust, with every physical cause as a parameter.

Every parameter has a prior of its known size, so that the covariance says honestly what the images could not tell. Of
one image alone, roll about the direction to Jupiter is the weak one: the limb of a nearly round planet hardly feels it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from perijove.errors import GeometryError
from perijove.geometry.pointing import Pointing
from perijove.geometry.winds import blown
from perijove.register.model import ImageModel, Link, Pass, own_rows, shared_rows

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

#: Below this many limb points the limb is not relied upon; a fit that leaves a larger median residual is refused.
MIN_LIMB_POINTS: Final = 200
MAX_MEDIAN_RESIDUAL_PX: Final = 1.5
#: Residuals beyond which limb points are thrown out, and ties within and between images, round after round, pixels.
_LIMB_LIMITS_PX: Final = (12.0, 4.0, 2.0)
_TIE_LIMITS_PX: Final = (4.0, 1.5, 0.75)
#: Where the limb is only predicted, points are taken to begin with that lie so near it.
_PREDICTED_LIMIT_PX: Final = 30.0
#: Ties between images are judged by their standard errors: clouds move.
_LINK_LIMITS: Final = (20.0, 6.0, 4.0)
_SOFT_LINK: Final = 2.0
#: Damped steps at most, and the fall of the sum of squares, over itself, below which a fit has come to rest.
_MAX_STEPS: Final = 40
_AT_REST: Final = 1e-7
#: What priors are narrowed to where a pointing is only to be judged.
_HELD: Final = 1e-6
_MAX_DAMPING: Final = 1e8


@dataclass(frozen=True)
class Parameter:
    """A solved quantity: its value, standard error, prior's standard error and unit."""

    value: float
    sigma: float
    prior_sigma: float
    unit: str


@dataclass(frozen=True)
class Solution:
    """The solved pointing of an image.

    Attributes
    ----------
    pointing : Pointing
    parameters : mapping of str to Parameter
        Those the image depends on.
    covariance : ndarray, (n, n)
        Of the parameters, in their order and units.
    turn_axes : ndarray, (3, 3)
        Axes of the three turns, J2000.
    spin_epoch, axis_epoch : float
        TDB from which errors of the spin rate and the drift of the axis add up.
    residual_px : ndarray, (n,)
        Of the limb points that were used, signed, positive outside the solved limb.
    residual_band : ndarray of int, (n,)
    rejected : int
        Limb points that were thrown out.
    tie_residual_px : ndarray, (n, 2)
        Of the ties that were used, along columns and rows.
    ties_rejected : int
    spin_axis : ndarray, (3,)
        J2000.
    spin_axis_sigma_rad : float
        Standard error of its worse direction.
    spin_rate_rad_s : float
    """

    pointing: Pointing
    parameters: Mapping[str, Parameter]
    covariance: Floats
    turn_axes: Floats
    spin_epoch: float
    axis_epoch: float
    residual_px: Floats
    residual_band: Integers
    rejected: int
    tie_residual_px: Floats
    ties_rejected: int
    spin_axis: Floats
    spin_axis_sigma_rad: float
    spin_rate_rad_s: float


class _Block(NamedTuple):
    """Residuals over their standard errors, as a function of some parameters.

    ``soft`` are the sizes beyond which they pull like a line, not like a square.
    """

    columns: Integers
    residuals: Callable[[Floats], Floats]
    soft: Floats


class _Fit:
    """All parameters of a pass in one vector, and the normal equations of its residuals."""

    def __init__(self, problem: Pass) -> None:
        self.problem = problem
        shared = shared_rows(problem)
        rows = list(shared)
        self.columns: list[Integers] = []
        self.names: list[list[str]] = []
        for index, image in enumerate(problem.images):
            own = own_rows(image, reference=index == 0)
            self.columns.append(np.array([*range(len(shared)), *range(len(rows), len(rows) + len(own))]))
            self.names.append([row[0] for row in (*shared, *own)])
            rows += own
        self.mean = np.array([row[1] for row in rows])
        self.sigma = np.array([row[2] for row in rows])
        self.units = [row[3] for row in rows]
        if problem.solved_row_px is not None:
            self.sigma[[not row[0].startswith("limb") for row in rows]] *= _HELD
        # What moves the limb by about a thousandth of a pixel.
        self.step = 1e-3 * np.where(np.array(self.units) == "km", self.sigma, np.minimum(self.sigma, 1e-3))
        axes, epoch = _turn_axes(problem), float(problem.images[0].et.mean())
        self.models = [
            ImageModel(image, names, axes, epoch, problem.spin_epoch)
            for image, names in zip(problem.images, self.names, strict=True)
        ]
        self.links = [_LinkModel(link, self.models) for link in problem.links]

    def local(self, x: Floats, index: int) -> Floats:
        """Parameters of one image."""
        return x[self.columns[index]]

    def equations(self, x: Floats, derivatives: bool = True) -> tuple[float, Floats, Floats]:
        """Sum of squares (soft L1 of what is measured), half its gradient, and the matrix of the normal equations."""
        off = (x - self.mean) / self.sigma
        cost, gradient, matrix = float(off @ off), off / self.sigma, np.diag(self.sigma**-2.0)
        for block in self._blocks():
            here = block.residuals(x[block.columns])
            relative2 = (here / block.soft) ** 2
            root = np.sqrt(1 + relative2)
            cost += float(np.sum(here * here * 2 / (1 + root)))
            if not derivatives or not here.size:
                continue
            jacobian = np.empty((here.size, block.columns.size))
            for j, column in enumerate(block.columns):
                ahead = x[block.columns]
                ahead[j] += self.step[column]
                jacobian[:, j] = (block.residuals(ahead) - here) / self.step[column]
            weighed = jacobian / root[:, None]
            gradient[block.columns] += weighed.T @ here
            matrix[np.ix_(block.columns, block.columns)] += weighed.T @ jacobian
        return cost, gradient, matrix

    def _blocks(self) -> Iterator["_Block"]:
        for model, columns in zip(self.models, self.columns, strict=True):
            yield _Block(columns, model.residuals, model.soft())
        for link in self.links:
            first, second = self.columns[link.link.first], self.columns[link.link.second]
            columns = np.union1d(first, second)
            places = np.searchsorted(columns, first), np.searchsorted(columns, second)
            yield _Block(columns, partial(link.residuals, places=places), np.array(_SOFT_LINK))
        yield _Block(self.columns[0], self._axis_residuals, np.array(np.inf))

    def _axis_residuals(self, v: Floats) -> Floats:
        prior = self.problem.axis_prior
        return (self.models[0].spin_axis(v) - prior.axis) / prior.sigma_rad

    def minimised(self, x: Floats) -> tuple[Floats, Floats]:
        """Levenberg-Marquardt from ``x``: where the sum of squares is least, and the normal matrix there."""
        damping = 1e-4
        cost, gradient, matrix = self.equations(x)
        for _ in range(_MAX_STEPS):
            trial = x - np.linalg.solve(matrix + damping * np.diag(np.diag(matrix)), gradient)
            reached = self.equations(trial, derivatives=False)[0]
            if reached < cost:
                fell = (cost - reached) / cost
                x = trial
                cost, gradient, matrix = self.equations(x)
                damping /= 10
                if fell < _AT_REST:
                    break
            else:
                damping *= 10
                if damping > _MAX_DAMPING:
                    break
        return x, matrix

    def reject(self, x: Floats, round_: int, *, before: bool = False) -> None:
        """Choose the limb points and ties of the next round, or, ``before`` it, of the first, by their residuals."""
        for index, model in enumerate(self.models):
            v = self.local(x, index)
            predicted = before and not model.image.limb_trusted
            limit = _PREDICTED_LIMIT_PX if predicted else _LIMB_LIMITS_PX[round_]
            model.limb_used = np.abs(model.limb_residuals(v)) < limit
            if not model.image.limb_trusted and np.count_nonzero(model.limb_used) < MIN_LIMB_POINTS:
                model.limb_used[:] = False
            model.ties_used = np.linalg.norm(model.tie_residuals(v), axis=1) < _TIE_LIMITS_PX[round_]
        for link in self.links:
            first, second = self.local(x, link.link.first), self.local(x, link.link.second)
            link.used = np.linalg.norm(link.weighed(first, second), axis=1) < _LINK_LIMITS[round_]


class _LinkModel:
    """Residuals of the ties between two images."""

    def __init__(self, link: Link, models: list[ImageModel]) -> None:
        self.link = link
        self.first, self.second = models[link.first], models[link.second]
        ties = link.ties
        self.sights_from = self.first.sights(ties.frame_a, ties.band_a, ties.x_a, ties.y_a)
        self.sights_to = self.second.sights(ties.frame_b, ties.band_b, ties.x_b, ties.y_b)
        self.used = np.ones(len(ties), bool)
        self.apart_s = self.second.middle - self.first.middle

    def weighed(self, first: Floats, second: Floats) -> Floats:
        """Residuals over their standard errors, (n, 2)."""
        ground = blown(self.first.ground(first, self.sights_from), self.apart_s)
        return self.second.offsets_px(second, ground, self.sights_to) / self.link.ties.sigma_px[:, None]

    def residuals(self, v: Floats, places: tuple[Integers, Integers]) -> Floats:
        """Of the ties that are used; ``places`` are those of either image's parameters in ``v``."""
        first, second = places
        return self.weighed(v[first], v[second])[self.used].ravel()


def _turn_axes(problem: Pass) -> Floats:
    """Axes of turns about the target, about the spin axis, and about what is square to both."""
    image = problem.images[0]
    target = -image.trajectory.state(float(image.et.mean()))[0]
    target /= np.linalg.norm(target)
    spin = image.attitude.spin_axis
    across = np.cross(spin, target)
    return np.stack([target, spin, across / np.linalg.norm(across)])


def solve(problem: Pass, begin: Sequence[Solution] = ()) -> tuple[Solution, ...]:
    """Fit the pointing of the images of a pass.

    Parameters
    ----------
    problem : Pass
    begin : sequence of Solution
        Where to begin: an earlier fit of the same images, with the same base attitudes.

    Returns
    -------
    tuple of Solution
        One for each image, in their order. Without limb points and ties the priors come back, and the covariance
        says so.

    Raises
    ------
    GeometryError
        If the limb of an image does not fit the planet.
    """
    fit = _Fit(problem)
    x = fit.mean.copy()
    for columns, solution in zip(fit.columns, begin, strict=False):
        x[columns] = [parameter.value for parameter in solution.parameters.values()]
    if begin or not all(image.limb_trusted for image in problem.images):
        fit.reject(x, 0, before=True)
    matrix = np.diag(fit.sigma**-2.0)
    for round_ in range(len(_LIMB_LIMITS_PX)):
        x, matrix = fit.minimised(x)
        for index, model in enumerate(fit.models):
            _check_limb(model, fit.local(x, index), _LIMB_LIMITS_PX[round_])
        fit.reject(x, round_)
    covariance = np.asarray(np.linalg.inv(matrix))
    if problem.solved_row_px is not None:
        # How well it is known was told with that solution.
        covariance *= np.nan
    return tuple(_solution(fit, index, x, covariance) for index in range(len(fit.models)))


def _check_limb(model: ImageModel, v: Floats, limit: float) -> None:
    residual = np.abs(model.limb_residuals(v))
    if not residual.size or not model.image.limb_trusted:
        return
    median = float(np.median(residual))
    if np.count_nonzero(residual < limit) < residual.size / 2 or median > MAX_MEDIAN_RESIDUAL_PX:
        raise GeometryError(
            f"the limb of {model.image.label.product_id} does not fit Jupiter: median residual {median:.1f} px over "
            f"{residual.size} points; check that the label belongs to the image, or give another image of "
            "the perijove with --with"
        )


def _solution(fit: _Fit, index: int, x: Floats, covariance: Floats) -> Solution:
    model, columns = fit.models[index], fit.columns[index]
    v, names = x[columns], fit.names[index]
    own = covariance[np.ix_(columns, columns)]
    sigma = np.sqrt(np.diag(own))
    axis = model.spin_axis(v)
    # A turn about an axis moves the spin axis by the sine of the angle between the two.
    lever = np.linalg.norm(np.cross(model.turn_axes, axis), axis=1)
    return Solution(
        model.pointing(v),
        {
            name: Parameter(float(v[i]), float(sigma[i]), float(fit.sigma[column]), fit.units[column])
            for i, (name, column) in enumerate(zip(names, columns, strict=True))
        },
        own,
        model.turn_axes,
        model.spin_epoch,
        model.axis_epoch,
        model.limb_residuals(v)[model.limb_used],
        model.image.limb.band[model.limb_used],
        int(np.count_nonzero(~model.limb_used)),
        model.tie_residuals(v)[model.ties_used],
        int(np.count_nonzero(~model.ties_used)),
        axis,
        float(np.max(lever * sigma[:3])),
        float(model.rate + v[model.at["spin_rate_offset"]]),
    )
