"""The parameters of a law, from what images show.

The ground is not even, so its brightness is left free: piece by piece where several images see the same ground, and by
belt of latitude elsewhere. What is fitted is how the logarithm of I/F changes with the angles within a piece or a belt.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perijove.errors import OptionError
from perijove.photometry.angles import Angles
from perijove.photometry.models import DEFAULT_MODEL, Model, model_named
from perijove.photometry.photometry import Photometry, trust
from perijove.photometry.samples import Samples, bands_of

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

#: Latitudes that share one brightness, degrees.
_BELT_DEG: Final = 2.0
#: Rounds in which outliers lose weight, and how many standard deviations off they have lost half of it.
_ROUNDS, _OUTLIER = 5, 3.0
#: Steps of derivatives, over the width of the bounds.
_STEP: Final = 1e-4
#: Steps of a fit, and over the spread of a parameter, one that ends it.
_STEPS, _CLOSE = 12, 1e-3
#: Logarithm of the gain of an image against the others of its pass: what is expected, and the most.
_GAIN_SPREAD, _MOST_GAIN = 0.03, 0.2
#: Samples that are enough to tell anything, and about as many as are used: every second piece, every third one.
_LEAST_SAMPLES, _MOST_SAMPLES = 300, 60_000
#: Errors of samples within so many degrees of the globe are taken as one.
_TILE_DEG: Final = 10.0


@dataclass(frozen=True)
class _Data:
    """All samples of one band: (n,) each."""

    log_value: Floats
    angles: Angles
    trusted: Floats
    group: Indices
    seen_twice: npt.NDArray[np.bool_]
    tile: Indices
    image: Indices

    @property
    def measurements(self) -> int:
        """Tiles of all images."""
        return len(np.unique(self.tile * (self.image.max() + 1) + self.image))


def fit_samples(samples: Sequence[Samples], model: str = DEFAULT_MODEL) -> Photometry:
    """Fit a law to images of one pass.

    Parameters
    ----------
    samples : sequence of Samples
        One of each image.
    model : str
        One of `perijove.photometry.models.MODELS`.

    Returns
    -------
    Photometry
        Gains of the images are fitted along, about a geometric mean of 1. Its report tells, by band, the standard
        errors of the parameters, ``scatter_percent`` of ground that is seen once about the mean of its belt,
        ``overlap_scatter_percent`` of ground that is seen twice about its mean, and how many pieces of ground there
        were.

    Raises
    ------
    OptionError
        There is no such model, no image, or too little ground in daylight to tell.
    """
    law = model_named(model)
    if not samples:
        raise OptionError("there is no image to fit photometry to: give at least one")
    parameters, gains, told = {}, {}, {}
    for band in bands_of(samples):
        data = _joined(samples, band)
        if len(data.log_value) < _LEAST_SAMPLES:
            raise OptionError(
                f"{len(data.log_value)} pieces of {band} ground in daylight are too few to fit photometry: "
                "take images that see more of the planet, or a law that was fitted to others"
            )
        parameters[band], found, told[band] = _fit_band(data, law)
        gains[band] = {samples[image].name: gain for image, gain in found.items()}
    return Photometry(law.name, parameters, {"images": [part.name for part in samples], "bands": told}, gains)


def _joined(samples: Sequence[Samples], band: str) -> _Data:
    """The usable samples of a band of all images."""
    rows = []
    for number, part in enumerate(samples):
        if band not in part.bands:
            continue
        value = part.values[:, part.bands.index(band)]
        weight = trust(part.angles).astype(float)
        with np.errstate(invalid="ignore"):
            good = (value > 0) & (weight > 0)
        columns = (
            value, part.angles.mu0, part.angles.mu, part.angles.phase_deg, weight,
            part.piece, part.lat_graphic_deg, part.lon_w_sys3_deg, np.full(len(value), number),
        )  # fmt: skip
        rows.append(np.stack([np.asarray(column, float)[good] for column in columns]))
    table = np.concatenate(rows, axis=1)
    # All images keep the same pieces.
    table = table[:, table[5] % max(1, round(table.shape[1] / _MOST_SAMPLES)) == 0]
    value, mu0, mu, phase, weight, piece, lat, lon, image = table
    _, index, times = np.unique(piece, return_inverse=True, return_counts=True)
    twice = times[index] > 1
    belt = np.floor((lat + 90.0) / _BELT_DEG)
    # Pieces have numbers from 0 on, belts get negative ones.
    _, group = np.unique(np.where(twice, piece, -1.0 - belt), return_inverse=True)
    tile = np.floor((lat + 90.0) / _TILE_DEG) * 1000 + np.floor(lon * np.cos(np.radians(lat)) / _TILE_DEG)
    _, tiles = np.unique(tile, return_inverse=True)
    return _Data(np.log(value), Angles(mu0, mu, phase), weight, group, twice, tiles, image.astype(np.int64))


def _fit_band(data: _Data, law: Model) -> tuple[tuple[float, ...], dict[int, float], dict[str, Any]]:
    """Parameters, gains by image and report of one band."""
    images = np.unique(data.image)
    # One image has no gain against others.
    gained = images if len(images) > 1 else images[:0]
    problem = _Problem.of(data, law, gained)
    solved, weight = problem.start, data.trusted.copy()
    for _ in range(_ROUNDS):
        if len(solved):
            solved = problem.solved(solved, weight)
        weight = _weights(data, problem.residuals(solved, weight))
    off = problem.residuals(solved, weight)
    count = len(law.parameters)
    errors = problem.errors(solved, weight)[:count]
    gains = {int(image): float(np.exp(gain)) for image, gain in zip(gained, solved[count:], strict=True)}
    report = {"uncertainty": dict(zip(law.parameters, errors, strict=True)), **_scatter(data, off)}
    return tuple(float(value) for value in solved[:count]), gains, report


@dataclass(frozen=True)
class _Problem:
    """What is solved for one band: the parameters of a law, then the logarithms of the gains of images."""

    data: _Data
    law: Model
    gained: Indices
    start: Floats
    spread: Floats
    lowest: Floats
    highest: Floats

    @classmethod
    def of(cls, data: _Data, law: Model, gained: Indices) -> "_Problem":
        """With what is expected of law and gains."""
        expected = {"start": 0.0, "spread": _GAIN_SPREAD, "lowest": -_MOST_GAIN, "highest": _MOST_GAIN}
        columns = {name: np.array([*getattr(law, name), *[gain] * len(gained)]) for name, gain in expected.items()}
        return cls(data, law, gained, **columns)

    def solved(self, guess: Floats, weight: Floats) -> Floats:
        """Least squares within the bounds by Gauss and Newton's steps, with what is expected as further data."""
        from scipy.optimize import lsq_linear

        # A tile of clouds in an image is one measurement, however many samples it holds.
        off = self.residuals(guess, weight)
        pull = float(weight @ (off * off)) / self.data.measurements / self.spread**2
        parameters = guess
        for _ in range(_STEPS):
            off, jacobian = self.residuals(parameters, weight), self.slopes(parameters, weight)
            root = np.linalg.cholesky((jacobian * weight[:, None]).T @ jacobian + np.diag(pull)).T
            downhill = -(jacobian.T @ (weight * off) + pull * (parameters - self.start))
            bounds = (self.lowest - parameters, self.highest - parameters)
            step = lsq_linear(root, np.linalg.solve(root.T, downhill), bounds=bounds).x
            cost = self._cost(parameters, weight, pull)
            while self._cost(parameters + step, weight, pull) > cost and np.any(np.abs(step) > _CLOSE * self.spread):
                step = step / 2
            parameters = np.clip(parameters + step, self.lowest, self.highest)
            if np.all(np.abs(step) < _CLOSE * self.spread):
                break
        return parameters

    def _cost(self, parameters: Floats, weight: Floats, pull: Floats) -> float:
        parameters = np.clip(parameters, self.lowest, self.highest)
        off, away = self.residuals(parameters, weight), parameters - self.start
        return float(weight @ (off * off) + pull @ (away * away))

    def residuals(self, parameters: Floats, weight: Floats) -> Floats:
        """Logarithms of I/F over the law and the gain, less the mean of each group."""
        return _centred(self.data.log_value - self._log_model(parameters), self.data.group, weight)

    def _log_model(self, parameters: Floats) -> Floats:
        angles, count = self.data.angles, len(self.law.parameters)
        planes = (angles.mu0.astype(float), angles.mu.astype(float), angles.phase_deg.astype(float))
        told = np.log(self.law.function(*planes, tuple(parameters[:count])))
        if len(self.gained):
            told = told + parameters[count:][np.searchsorted(self.gained, self.data.image)]
        return np.asarray(told)

    def slopes(self, parameters: Floats, weight: Floats) -> Floats:
        """Derivatives of the residuals by the parameters, (n, parameter)."""
        here = self._log_model(parameters)
        columns = []
        for index in range(len(self.law.parameters)):
            moved = parameters.copy()
            step = _STEP * (self.highest[index] - self.lowest[index])
            moved[index] += step if moved[index] + step <= self.highest[index] else -step
            columns.append((self._log_model(moved) - here) / (moved[index] - parameters[index]))
        columns += [(self.data.image == image).astype(float) for image in self.gained]
        return np.stack([-_centred(column, self.data.group, weight) for column in columns], axis=1)

    def errors(self, solved: Floats, weight: Floats) -> list[float]:
        """Standard errors of the parameters; clouds that lie near each other are taken as one sample."""
        if not len(solved):
            return []
        off, jacobian = self.residuals(solved, weight), self.slopes(solved, weight)
        normal = (jacobian * weight[:, None]).T @ jacobian
        scores = np.stack([np.bincount(self.data.tile, column * weight * off) for column in jacobian.T], axis=1)
        inverse = np.linalg.pinv(normal, hermitian=True, rcond=1e-9)
        return [float(value) for value in np.sqrt(np.diag(inverse @ (scores.T @ scores) @ inverse))]


def _centred(column: Floats, group: Indices, weight: Floats) -> Floats:
    total = np.maximum(np.bincount(group, weight), 1e-12)
    return np.asarray(column - (np.bincount(group, weight * column) / total)[group])


def _weights(data: _Data, off: Floats) -> Floats:
    """Weights of the next round: ground that is seen twice scatters less, and counts more."""
    weight = data.trusted.copy()
    for kind in (data.seen_twice, ~data.seen_twice):
        if kind.any():
            sigma = max(_sigma(off[kind], data.trusted[kind]), 1e-3)
            weight[kind] /= sigma**2 * (1.0 + (off[kind] / (_OUTLIER * sigma)) ** 2)
    return weight


def _sigma(off: Floats, weight: Floats) -> float:
    """Standard deviation by the weighted median of the distances."""
    order = np.argsort(np.abs(off))
    total = np.cumsum(weight[order])
    return float(1.4826 * np.abs(off)[order][np.searchsorted(total, total[-1] / 2)])


def _scatter(data: _Data, off: Floats) -> dict[str, Any]:
    """How far ground is from its mean, percent, and how much of it there is."""
    sure = data.trusted > 0.5
    once, twice = sure & ~data.seen_twice, sure & data.seen_twice
    # Of two values about their mean each is off by less than they are from the truth.
    degrees = np.bincount(data.group[twice], minlength=1) if twice.any() else np.zeros(1, int)
    free = np.sqrt(degrees / np.maximum(degrees - 1, 1))[data.group[twice]] if twice.any() else np.zeros(0)
    return {
        "scatter_percent": 100.0 * _sigma(off[once], data.trusted[once]) if once.any() else None,
        "overlap_scatter_percent": 100.0 * _sigma(off[twice] * free, data.trusted[twice]) if twice.any() else None,
        "pieces": int(np.count_nonzero(~data.seen_twice) + len(np.unique(data.group[data.seen_twice]))),
        "pieces_seen_twice": len(np.unique(data.group[data.seen_twice])),
    }
