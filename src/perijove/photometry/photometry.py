"""Pictures without their light, and in another light: a law with the parameters of each band."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perijove.errors import OptionError
from perijove.photometry.angles import Angles
from perijove.photometry.models import model_named

Plane = npt.NDArray[np.float32]
Planes = npt.NDArray[np.float32]

#: Cosines of incidence and of emission below which no law is followed, and from which it is fully trusted.
FADE_MU0: Final = (0.05, 0.20)
FADE_MU: Final = (0.08, 0.25)
#: Sunlight sets between these cosines of incidence, of either sign.
_TWILIGHT: Final = 0.03
_FORMAT: Final = "perijove photometry"
_VERSION: Final = 1


@dataclass(frozen=True)
class Photometry:
    """How the brightness of even ground depends on the light.

    Attributes
    ----------
    model : str
        One of `perijove.photometry.models.MODELS`.
    parameters : mapping of str to tuple of float
        By band.
    report : mapping
        From what it was fitted and how well it fits, as JSON has it.
    gains : mapping of str to mapping of str to float
        By band and product id, how bright an image is against the others that were fitted with it.
    """

    model: str
    parameters: Mapping[str, tuple[float, ...]]
    report: Mapping[str, Any] = field(default_factory=dict)
    gains: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        law = model_named(self.model)
        checked = {band: law.checked(tuple(numbers)) for band, numbers in self.parameters.items()}
        object.__setattr__(self, "parameters", MappingProxyType(checked))
        frozen = {band: MappingProxyType(dict(table)) for band, table in self.gains.items()}
        object.__setattr__(self, "gains", MappingProxyType(frozen))
        object.__setattr__(self, "report", MappingProxyType(dict(self.report)))

    def flattened(
        self, values: Planes, bands: Sequence[str], angles: Angles, *, image: str | None = None
    ) -> tuple[Planes, Plane]:
        """Take the light out: values as they are under Sun and observer overhead.

        Parameters
        ----------
        values : ndarray, (..., band)
            I/F.
        bands : sequence of str
            Names along the last axis.
        angles : Angles, (...)
        image : str, optional
            Product id: if the law was fitted to this image among others, its gain against them is taken out, too.

        Returns
        -------
        values : ndarray, (..., band), float32
            I/F at incidence 0 and emission 0. Towards limb and terminator the law stands still at its last trusted
            value, so that nothing grows beyond bounds. NaN in the sky and where values are.
        weight : ndarray, (...), float32
            How far that is to be trusted: 1, less from 78 degrees of incidence or 76 of emission on, 0 from 87 and 85
            on and in the sky.

        Raises
        ------
        OptionError
            There is no law of a band.
        """
        mu0 = np.maximum(angles.mu0, np.float32(FADE_MU0[0]))
        mu = np.maximum(angles.mu, np.float32(FADE_MU[0]))
        flat = np.array(values, np.float32)
        for index, band in enumerate(bands):
            gain = np.float32(self.gains.get(band, {}).get(image or "", 1.0))
            flat[..., index] /= self._brightness(band, mu0, mu, angles.phase_deg) * gain
        return flat, trust(angles)

    def lit(self, values: Planes, bands: Sequence[str], angles: Angles) -> Planes:
        """Light ground from any Sun, as any observer sees it: the inverse of `flattened`.

        Parameters
        ----------
        values : ndarray, (..., band)
            I/F at incidence 0 and emission 0.
        bands : sequence of str
            Names along the last axis.
        angles : Angles, (...)

        Returns
        -------
        ndarray, (..., band), float32
            I/F; it fades to 0 about the terminator, and is 0 at night. NaN in the sky, beyond the horizon and where
            values are.

        Raises
        ------
        OptionError
            There is no law of a band.
        """
        sun = sunlight(angles.mu0)
        mu0 = np.maximum(sun, np.float32(FADE_MU0[0]))
        mu = np.maximum(angles.mu, np.float32(FADE_MU[0]))
        fade = np.minimum(sun / np.float32(FADE_MU0[0]), np.float32(1.0))
        fade = np.where(angles.mu > 0, fade, np.float32(np.nan))
        shaded = np.array(values, np.float32)
        for index, band in enumerate(bands):
            shaded[..., index] *= self._brightness(band, mu0, mu, angles.phase_deg) * fade
        return shaded

    def _brightness(self, band: str, mu0: Plane, mu: Plane, phase_deg: Plane) -> Plane:
        if band not in self.parameters:
            known = ", ".join(self.parameters) or "no band"
            raise OptionError(f"the photometry is of {known}, not of {band}: fit it to images that have {band}")
        law = model_named(self.model)
        return np.asarray(law.function(mu0, mu, phase_deg, self.parameters[band]), np.float32)

    @property
    def content(self) -> dict[str, Any]:
        """What its file holds."""
        names = model_named(self.model).parameters
        table = {band: dict(zip(names, numbers, strict=True)) for band, numbers in self.parameters.items()}
        gains = {band: dict(by_image) for band, by_image in self.gains.items()}
        head = {"format": _FORMAT, "version": _VERSION, "model": self.model}
        return {**head, "parameters": table, "gains": gains, "report": dict(self.report)}

    def save(self, path: str | Path) -> Path:
        """Write it as JSON.

        Raises
        ------
        OptionError
            The place cannot be written to.
        """
        from perijove.files import replacing

        path = Path(path)
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(self.content, indent=2, allow_nan=False) + "\n", encoding="utf-8")
        return path

    @classmethod
    def load(cls, path: str | Path) -> "Photometry":
        """Read what `save` wrote.

        Raises
        ------
        OptionError
            It cannot be read, is something else, or says what no law can have.
        """
        path = Path(path)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise OptionError(
                f"cannot read {path}: {error.strerror}; give a file of perijove photometry fit"
            ) from error
        except ValueError as error:
            raise OptionError(f"{path} is no file of fitted photometry: {error}; fit it again") from error
        try:
            return cls._of(content)
        except OptionError as error:
            raise OptionError(f"{path}: {error}") from error

    @classmethod
    def _of(cls, content: Any) -> "Photometry":
        wanted = {"format", "version", "model", "parameters", "gains", "report"}
        if not isinstance(content, dict) or content.get("format") != _FORMAT:
            raise OptionError("this is no file of fitted photometry: give one that perijove photometry fit wrote")
        if content.get("version") != _VERSION:
            raise OptionError(f"version {content.get('version')!r} of the file is not {_VERSION}: fit it again")
        if set(content) != wanted:
            odd = ", ".join(sorted(set(content) ^ wanted))
            raise OptionError(f"the file lacks, or has beyond what belongs there: {odd}; fit it again")
        for name in ("parameters", "gains", "report"):
            if not isinstance(content[name], dict):
                raise OptionError(f"{name} must be an object; got {content[name]!r}")
        names = model_named(str(content["model"])).parameters
        table = {
            band: tuple(_numbers(f"the parameters of {band}", told, names).values())
            for band, told in content["parameters"].items()
        }
        gains = {band: _numbers(f"the gains of {band}", told) for band, told in content["gains"].items()}
        if any(not gain > 0 for by_image in gains.values() for gain in by_image.values()):
            raise OptionError("gains must be positive; fit it again")
        return cls(str(content["model"]), table, content["report"], gains)


def _numbers(what: str, told: Any, names: Sequence[str] | None = None) -> dict[str, float]:
    """Numbers by name from a file, in the order of the names."""
    if not isinstance(told, dict) or (names is not None and set(told) != set(names)):
        wanted = "an object of numbers" if names is None else ", ".join(names) or "none"
        raise OptionError(f"{what} must be {wanted}; got {told!r}")
    for name, number in told.items():
        if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
            raise OptionError(f"{what}: {name} must be a number; got {number!r}")
    return {name: float(told[name]) for name in (told if names is None else names)}


def trust(angles: Angles) -> Plane:
    """How far a law is to be trusted: 1 high above limb and terminator, 0 at them and in the sky, (...)."""
    parts = [_step(angles.mu0, FADE_MU0), _step(angles.mu, FADE_MU)]
    return np.asarray(parts[0] * parts[1], np.float32)


def sunlight(mu0: Plane) -> Plane:
    """Cosine of incidence that fades to 0 just beyond the terminator instead of ending at it, (...)."""
    near = np.clip(mu0, -_TWILIGHT, _TWILIGHT)
    return np.asarray(np.where(mu0 > _TWILIGHT, mu0, (near + _TWILIGHT) ** 2 / (4.0 * _TWILIGHT)), np.float32)


def _step(cosine: Plane, ends: tuple[float, float]) -> Plane:
    """From 0 at the first end to 1 at the second, with level ends; 0 for NaN."""
    t = np.clip((np.nan_to_num(cosine, nan=-1.0) - ends[0]) / (ends[1] - ends[0]), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t), np.float32)
