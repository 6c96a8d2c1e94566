"""Laws of limb darkening: brightness of even ground against that under Sun and observer overhead.

Every law is 1 at incidence 0, emission 0, phase 0. They hold for cosines that are not small; `Photometry` keeps them
off limb and terminator.

Sources: Lommel-Seeliger and Minnaert as in Hapke, *Theory of Reflectance and Emittance Spectroscopy*, 2nd ed. (2012),
chapters 8 and 12; Hapke's reflectance of a semi-infinite medium, ibid., chapter 8 (single scattering by the particles'
law, many times scattered light as from isotropic ones, with the rational approximation of Chandrasekhar's H). The
polynomial expands the logarithm in those of both cosines to the second order, Minnaert's law being the first, with a
third-order term for the twilight, which is brighter than powers of mu0.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perijove.errors import OptionError

Values = npt.NDArray[Any]
Law = Callable[[Values, Values, Values, tuple[float, ...]], Values]


@dataclass(frozen=True)
class Model:
    """A law with free parameters.

    Attributes
    ----------
    name : str
    about : str
        The law in words and letters.
    parameters : tuple of str
        Names.
    start, spread : tuple of float
        What is expected of a cloudy planet before any data, and the standard deviation of that.
    lowest, highest : tuple of float
        Bounds.
    function : callable
        ``function(mu0, mu, phase_deg, parameters)``: brightness relative to mu0 = mu = 1, phase 0.
    """

    name: str
    about: str
    parameters: tuple[str, ...]
    start: tuple[float, ...]
    spread: tuple[float, ...]
    lowest: tuple[float, ...]
    highest: tuple[float, ...]
    function: Law

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:
        """Lowest and highest value of each parameter."""
        return tuple(zip(self.lowest, self.highest, strict=True))

    def checked(self, parameters: tuple[float, ...]) -> tuple[float, ...]:
        """The parameters, if the law can have them.

        Raises
        ------
        OptionError
            Another number of them, or one beyond its bounds.
        """
        if len(parameters) != len(self.parameters):
            wanted = ", ".join(self.parameters) or "none"
            raise OptionError(f"{self.name} has the parameters {wanted}; got {len(parameters)} numbers")
        for name, value, (low, high) in zip(self.parameters, parameters, self.bounds, strict=True):
            if not low <= value <= high:
                raise OptionError(f"{self.name}: {name} = {value:g} is not between {low:g} and {high:g}; fit it again")
        return tuple(float(value) for value in parameters)


def lambert(mu0: Values, mu: Values, _phase_deg: Values, _parameters: tuple[float, ...]) -> Values:
    """mu0, from wherever one looks.

    Examples
    --------
    >>> float(lambert(0.5, 0.2, 60.0, ()))
    0.5
    """
    return mu0 + 0.0 * mu


def lommel_seeliger(mu0: Values, mu: Values, _phase_deg: Values, _parameters: tuple[float, ...]) -> Values:
    """2 mu0 / (mu0 + mu): single scattering.

    Examples
    --------
    >>> float(lommel_seeliger(0.5, 0.5, 0.0, ()))
    1.0
    """
    return np.asarray(2.0 * mu0 / (mu0 + mu))


def lunar_lambert(mu0: Values, mu: Values, _phase_deg: Values, parameters: tuple[float, ...]) -> Values:
    """L of Lommel-Seeliger's law and the rest of Lambert's (McEwen 1991, Icarus 92:298)."""
    (part,) = parameters
    return mu0 * (2.0 * part / (mu0 + mu) + (1.0 - part))


def minnaert(mu0: Values, mu: Values, _phase_deg: Values, parameters: tuple[float, ...]) -> Values:
    """mu0^k mu^(k - 1).

    Examples
    --------
    >>> float(minnaert(0.25, 0.5, 0.0, (0.5,)))
    0.7071067811865476
    """
    (k,) = parameters
    return np.power(mu0, k) * np.power(mu, k - 1.0)


def polynomial(mu0: Values, mu: Values, _phase_deg: Values, parameters: tuple[float, ...]) -> Values:
    """exp(a x + b y + c x^2 + d x y + e y^2 + f x^3), where x and y are the logarithms of mu0 and mu."""
    a, b, c, d, e, f = parameters
    x, y = np.log(mu0), np.log(mu)
    return np.asarray(np.exp(x * (a + d * y + x * (c + x * f)) + y * (b + e * y)))


def hapke(mu0: Values, mu: Values, phase_deg: Values, parameters: tuple[float, ...]) -> Values:
    """A deep cloud of isotropic multiple scattering under single scattering by Henyey and Greenstein's law."""
    albedo, asymmetry = parameters
    gamma = np.sqrt(1.0 - albedo)

    def bright(cos_i: Values, cos_e: Values, cos_phase: Values) -> Values:
        many = _chandrasekhar(cos_i, gamma) * _chandrasekhar(cos_e, gamma) - 1.0
        # Light that goes on has the scattering angle 180 degrees less the phase.
        once = (1.0 - asymmetry**2) / (1.0 + 2.0 * asymmetry * cos_phase + asymmetry**2) ** 1.5
        return np.asarray(cos_i / (cos_i + cos_e) * (once + many))

    above = np.ones(())
    return np.asarray(bright(mu0, mu, np.cos(np.radians(phase_deg))) / bright(above, above, above))


def _chandrasekhar(cosine: Values, gamma: float) -> Values:
    return np.asarray((1.0 + 2.0 * cosine) / (1.0 + 2.0 * cosine * gamma))


_ALL: Final = (
    Model("lambert", "mu0", (), (), (), (), (), lambert),
    Model("lommel-seeliger", "2 mu0 / (mu0 + mu)", (), (), (), (), (), lommel_seeliger),
    Model("lunar-lambert", "mu0 (2 L / (mu0 + mu) + 1 - L)", ("L",), (0.2,), (0.3,), (-0.5,), (1.5,), lunar_lambert),
    Model("minnaert", "mu0^k mu^(k - 1)", ("k",), (0.95,), (0.1,), (0.4,), (1.4,), minnaert),
    Model(
        "polynomial",
        "exp(a x + b y + c x^2 + d x y + e y^2 + f x^3), x = ln mu0, y = ln mu",
        ("a", "b", "c", "d", "e", "f"),
        (0.95, -0.05, 0.0, 0.0, 0.0, 0.0),
        (0.15, 0.15, 0.1, 0.1, 0.1, 0.05),
        (0.0, -1.0, -1.0, -1.0, -1.0, -0.3),
        (2.0, 1.0, 1.0, 1.0, 1.0, 0.3),
        polynomial,
    ),
    Model(
        "hapke",
        "mu0 / (mu0 + mu) (p(phase) + H(mu0) H(mu) - 1), over its value under Sun and observer overhead",
        ("w", "g"),
        (0.98, 0.2),
        (0.1, 0.3),
        (0.05, -0.7),
        (0.9999, 0.8),
        hapke,
    ),
)
#: Laws by name.
MODELS: Final[Mapping[str, Model]] = MappingProxyType({model.name: model for model in _ALL})
#: What is taken where nobody chooses.
DEFAULT_MODEL: Final = "polynomial"


def model_named(name: str) -> Model:
    """A law by its name.

    Raises
    ------
    OptionError
        There is none of that name.
    """
    if name not in MODELS:
        raise OptionError(f"there is no photometric model {name!r}; choose one of {', '.join(MODELS)}")
    return MODELS[name]
