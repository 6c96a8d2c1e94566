"""How the light falls: its angles at each pixel, and the brightness and colour of even ground under them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.compose.blocks import by_rows, thinned
from perijove.geometry.ellipsoid import RADII_KM
from perijove.photometry.angles import Angles

Points = npt.NDArray[np.float64]
Plane = npt.NDArray[np.float32]
Planes = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

#: Sunlight fades over this much of the cosine of incidence instead of ending at the terminator.
_TWILIGHT: Final = 0.02
#: Ground seen or lit more obliquely than this does not tell the law.
_FIT_MU0, _FIT_MU = 0.03, 0.08
#: Cosine of emission below which the law is not continued: the limb is a haze, no surface.
_LEAST_MU: Final = 0.10
#: Latitudes of one mean brightness, degrees: belts are no illumination.
_LATITUDE_BIN_DEG: Final = 4.0
#: Pixels that are enough for a fit.
_SAMPLE: Final = 60_000
#: Where so many times more pixels are given, every second, third and so on row and column is looked at.
_DENSITY: Final = 16
#: Cosines of incidence, and of emission, between which the law's tables are linear in the logarithm.
_MU0_KNOTS: Final = (0.01, 0.04, 0.10, 0.25, 0.6)
_MU_KNOTS: Final = (0.10, 0.20, 0.35, 0.7)
#: Exponents of Lambert's law, and limits of what is believed of a fit.
_LAMBERT: Final = (1.0, 0.0, 0.0)
_POWER_RANGE: Final = ((0.5, -0.7, -2.5), (2.0, 1.2, 0.5))
#: Pulls of the fits towards Lambert's law, and of what differs from the law and of colours towards none, in the weight
#: of these parts of the pixels.
_POWER_PULL, _PULL = 2e-5, 2e-3


@dataclass(frozen=True)
class Illumination:
    """Angles of the light in a view.

    Attributes
    ----------
    mu0 : ndarray, (height, width), float32
        Cosine of incidence, negative at night; NaN in the sky.
    mu : ndarray, (height, width), float32
        Cosine of emission; NaN in the sky.
    latitude_deg : ndarray, (height, width), float32
        Planetographic; NaN in the sky.
    """

    mu0: Plane
    mu: Plane
    latitude_deg: Plane

    def __post_init__(self) -> None:
        for name in ("mu0", "mu", "latitude_deg"):
            frozen = np.asarray(getattr(self, name), np.float32).view()
            frozen.flags.writeable = False
            object.__setattr__(self, name, frozen)

    @classmethod
    def of_ground(cls, ground_km: Points, observer_km: Points, sun: Points) -> "Illumination":
        """From what a view sees, the spacecraft and the direction of the Sun.

        Parameters
        ----------
        ground_km : ndarray, (height, width, 3)
            Body-fixed; beside the ellipsoid is sky.
        observer_km, sun : ndarray, (3,)
            Body-fixed.

        Returns
        -------
        Illumination
            Good to 0.05 degrees: the spacecraft's way during the image is left out, as aberration is. Backplanes have
            it exactly.
        """
        angles = Angles.of_ground(ground_km, observer_km, sun)
        up = (ground_km / RADII_KM**2).astype(np.float32)
        latitude = np.degrees(np.arctan2(up[..., 2], np.hypot(up[..., 0], up[..., 1])))
        return cls(angles.mu0, angles.mu, np.where(np.isnan(angles.mu0), np.float32(np.nan), latitude))

    @classmethod
    def joined(cls, parts: Sequence["Illumination"]) -> "Illumination":
        """Blocks of rows, one below the other."""
        names = ("mu0", "mu", "latitude_deg")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    @cached_property
    def on_ground(self) -> Mask:
        """Where the planet is seen."""
        ground = np.asarray(np.isfinite(self.mu0) & (self.mu > 0))
        ground.flags.writeable = False
        return ground

    @property
    def sunlight(self) -> Plane:
        """Cosine of incidence that fades beyond the terminator, never 0; that of the nearest limb is not known here."""
        x = np.nan_to_num(self.mu0, nan=-1.0) / np.float32(_TWILIGHT)
        return np.asarray(_TWILIGHT * np.logaddexp(np.maximum(x, -15.0), 0.0), np.float32)

    @property
    def obliqueness(self) -> Plane:
        """Cosine of emission, never below what the law holds for."""
        return np.maximum(np.nan_to_num(self.mu, nan=_LEAST_MU), np.float32(_LEAST_MU))


@dataclass(frozen=True)
class LightLaw:
    """Brightness of even ground: mu0^incidence mu^emission (mu0 + mu)^diffuse, what differs from it, and its colour.

    Attributes
    ----------
    incidence, emission : float
        Exponents; Minnaert's law has k and k - 1.
    diffuse : float
        Exponent of mu0 + mu; the law of Lommel and Seeliger has 1, 0 and -1. Without it ground that is low in the Sun
        and seen obliquely would be too bright by factors.
    relief : ndarray, (knots of mu0 and mu,)
        Logarithm of the luminance over the power law at the knots.
    colour : ndarray, (3, knots of mu0 and mu)
        Logarithm of red, green and blue over the luminance, against those of the brightest ground.
    """

    incidence: float
    emission: float
    diffuse: float
    relief: npt.NDArray[np.float64]
    colour: npt.NDArray[np.float64]

    def logs(self, light: Illumination) -> tuple[Plane, Plane, Plane, Plane]:
        """Logarithms of the brightness, and of the colour of the light in red, green and blue, (height, width)."""

        def of(mu0: Plane, mu: Plane) -> list[Plane]:
            part = Illumination(mu0, mu, mu)
            sun, eye = part.sunlight, part.obliqueness
            at0, at = np.log(sun), np.log(eye)
            law = self.incidence * at0 + self.emission * at + self.diffuse * np.log((sun + eye) / np.float32(2.0))
            rows = [_table(row, at0, at) for row in (self.relief, *self.colour)]
            return [np.asarray(law + rows[0], np.float32), *rows[1:]]

        brightness, red, green, blue = by_rows(of, light.mu0, light.mu)
        return brightness, red, green, blue

    def brightness(self, light: Illumination) -> Plane:
        """Of even ground, against that which sees Sun and spacecraft overhead, (height, width)."""
        return np.exp(self.logs(light)[0])

    def tint(self, light: Illumination) -> Planes:
        """Colour of the light, (height, width, 3), 1 for the brightest ground."""
        return np.exp(np.stack(self.logs(light)[1:], axis=-1))


def _table(row: npt.NDArray[np.float64], log_mu0: Plane, log_mu: Plane) -> Plane:
    split = len(_MU0_KNOTS)
    by_mu0 = np.interp(log_mu0, np.log(_MU0_KNOTS), row[:split])
    return np.asarray(by_mu0 + np.interp(log_mu, np.log(_MU_KNOTS), row[split:]), np.float32)


def fit_light(planes: Planes, luminance: Plane, light: Illumination, usable: Mask) -> LightLaw:
    """Fit the law to an image, each latitude having a brightness and a colour of its own.

    Parameters
    ----------
    planes : ndarray, (height, width, 3), float32
        Linear.
    luminance : ndarray, (height, width), float32
    light : Illumination
    usable : ndarray, (height, width), bool
        What may take part: known, not saturated.

    Returns
    -------
    LightLaw
        Lambert's law without colour where there is too little ground to tell.
    """
    thin = thinned(usable.size, _DENSITY * _SAMPLE)
    planes, luminance, usable = planes[thin], luminance[thin], usable[thin]
    light = Illumination(light.mu0[thin], light.mu[thin], light.latitude_deg[thin])
    positive = usable & light.on_ground & (luminance > 0) & (planes.min(axis=-1) > 0)
    ground = positive & (light.mu0 > _FIT_MU0) & (light.mu > _FIT_MU)
    knots = len(_MU0_KNOTS) + len(_MU_KNOTS)
    if np.count_nonzero(ground) < 1000:
        return LightLaw(1.0, 0.0, 0.0, np.zeros(knots), np.zeros((3, knots)))
    pick = _picked(ground)
    angles = _powers(light.mu0.ravel()[pick], light.mu.ravel()[pick])
    bins = _latitude_columns(light.latitude_deg.ravel()[pick])
    power = _fit(angles, bins, np.log(luminance.ravel()[pick].astype(float)), (np.array(_LAMBERT), _POWER_PULL))
    power = np.clip(power, *_POWER_RANGE)
    pick = _picked(positive & (light.mu0 > 0.0))
    at = _powers(light.sunlight.ravel()[pick], light.obliqueness.ravel()[pick])
    hats = np.concatenate([_hats(at[:, 0], _MU0_KNOTS), _hats(at[:, 1], _MU_KNOTS)], axis=1)
    bins = _latitude_columns(light.latitude_deg.ravel()[pick])
    logs = np.log(luminance.ravel()[pick].astype(float))
    targets = [logs - at @ power, *(np.log(planes[..., k].ravel()[pick].astype(float)) - logs for k in range(3))]
    rows = [_fit(hats, bins, np.clip(target, -3.0, 1.5), (np.zeros(hats.shape[1]), _PULL)) for target in targets]
    return LightLaw(float(power[0]), float(power[1]), float(power[2]), *_referred(np.array(rows)))


def _powers(mu0: Plane, mu: Plane) -> npt.NDArray[np.float64]:
    """Logarithms that the exponents of the law multiply, (n, 3)."""
    mu0, mu = mu0.astype(float), mu.astype(float)
    return np.asarray(np.log(np.stack([mu0, mu, (mu0 + mu) / 2], axis=1)))


def _referred(rows: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Tables that are 0 at their last knots: relief, colour."""
    split = len(_MU0_KNOTS)
    rows = np.concatenate([rows[:, :split] - rows[:, split - 1 : split], rows[:, split:] - rows[:, -1:]], axis=1)
    return rows[0], rows[1:]


def _picked(mask: Mask) -> npt.NDArray[np.int_]:
    at = np.flatnonzero(mask)
    return at[:: max(1, len(at) // _SAMPLE)]


def _hats(at: npt.NDArray[np.float64], knots: tuple[float, ...]) -> npt.NDArray[np.float64]:
    """Linear interpolation between the knots as columns, (n, knots)."""
    return np.stack([np.interp(at, np.log(knots), row) for row in np.eye(len(knots))], axis=1)


def _latitude_columns(latitude_deg: Plane) -> npt.NDArray[np.int_]:
    at = np.floor((latitude_deg + 90.0) / _LATITUDE_BIN_DEG).astype(int)
    return np.asarray(np.unique(at, return_inverse=True)[1])


def _fit(
    columns: npt.NDArray[np.float64], bins: npt.NDArray[np.int_], values: npt.NDArray[np.float64],
    prior: tuple[npt.NDArray[np.float64], float],
) -> npt.NDArray[np.float64]:  # fmt: skip
    """Least squares with a free level in each bin, pulled towards a prior with a weight. Outliers lose theirs."""
    weight = np.ones(len(values))
    solved, pull = prior
    expected = solved
    for _ in range(3):
        total = np.maximum(np.bincount(bins, weight), 1e-9)

        def centred(
            column: npt.NDArray[np.float64], w: npt.NDArray[np.float64], t: npt.NDArray[np.float64]
        ) -> npt.NDArray[np.float64]:
            return np.asarray(column - (np.bincount(bins, w * column) / t)[bins])

        a = np.stack([centred(column, weight, total) for column in columns.T], axis=1)
        y = centred(values, weight, total)
        normal = (a * weight[:, None]).T @ a + pull * weight.sum() * np.eye(a.shape[1])
        solved = np.linalg.solve(normal, (a * weight[:, None]).T @ y + pull * weight.sum() * expected)
        off = y - a @ solved
        scale = 1.4826 * float(np.median(np.abs(off))) + 1e-9
        weight = 1.0 / (1.0 + (off / (3.0 * scale)) ** 2)
    return np.asarray(solved)
