"""Laws of limb darkening: what each is by definition, and what light demands of all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perijove.errors import OptionError
from perijove.photometry.models import DEFAULT_MODEL, MODELS, Model, model_named

COSINE = np.linspace(0.05, 1.0, 20)
MU0, MU = (plane.ravel() for plane in np.meshgrid(COSINE, COSINE))
PHASE = np.full_like(MU0, 70.0)
#: Laws that are symmetric in the ways of light by their definition; the polynomial need not be.
RECIPROCAL = ("lambert", "lommel-seeliger", "lunar-lambert", "minnaert", "hapke")


def some_parameters(model: Model, part: float) -> tuple[float, ...]:
    return tuple(low + part * (high - low) for low, high in model.bounds)


def test_the_default_is_a_model() -> None:
    assert model_named(DEFAULT_MODEL).name == DEFAULT_MODEL


@given(st.sampled_from(sorted(MODELS)), st.floats(0.02, 0.98))
def test_one_under_sun_and_observer_overhead_and_positive_elsewhere(name: str, part: float) -> None:
    model = MODELS[name]
    parameters = some_parameters(model, part)
    one = np.ones(1)
    assert model.function(one, one, 0.0 * one, parameters) == pytest.approx(1.0, abs=1e-12)
    brightness = model.function(MU0, MU, PHASE, parameters)
    assert np.all(np.isfinite(brightness))
    # Lunar-Lambert with a negative part would be dark at grazing emission; its bounds keep it from that elsewhere.
    assert np.all(brightness > 0) or name == "lunar-lambert"


@pytest.mark.parametrize("name", RECIPROCAL)
def test_light_goes_either_way(name: str) -> None:
    model = MODELS[name]
    parameters = some_parameters(model, 0.6)
    # Helmholtz: brightness over mu0 is the same if Sun and observer change places.
    there = model.function(MU0, MU, PHASE, parameters) / MU0
    back = model.function(MU, MU0, PHASE, parameters) / MU
    np.testing.assert_allclose(there, back, rtol=1e-12)


def test_the_laws_by_hand() -> None:
    np.testing.assert_allclose(MODELS["lambert"].function(MU0, MU, PHASE, ()), MU0)
    np.testing.assert_allclose(MODELS["lommel-seeliger"].function(MU0, MU, PHASE, ()), 2 * MU0 / (MU0 + MU))
    np.testing.assert_allclose(MODELS["minnaert"].function(MU0, MU, PHASE, (0.8,)), MU0**0.8 / MU**0.2)
    mixed = MODELS["lunar-lambert"].function(MU0, MU, PHASE, (0.25,))
    np.testing.assert_allclose(mixed, 0.5 * MU0 / (MU0 + MU) + 0.75 * MU0)


def test_the_polynomial_begins_as_minnaerts_law() -> None:
    told = MODELS["polynomial"].function(MU0, MU, PHASE, (0.8, -0.2, 0.0, 0.0, 0.0, 0.0))
    np.testing.assert_allclose(told, MU0**0.8 * MU**-0.2)
    x, y = np.log(MU0), np.log(MU)
    told = MODELS["polynomial"].function(MU0, MU, PHASE, (0.8, -0.2, 0.1, -0.05, 0.03, 0.02))
    np.testing.assert_allclose(np.log(told), 0.8 * x - 0.2 * y + 0.1 * x**2 - 0.05 * x * y + 0.03 * y**2 + 0.02 * x**3)


def test_hapke_without_absorption_is_brighter_at_the_limb_than_with_it() -> None:
    law = MODELS["hapke"].function
    grazing = np.array([0.2])
    # Chandrasekhar's H of dark grains is nearly 1: single scattering, Lommel and Seeliger's law.
    dark = law(grazing, grazing, 0 * grazing, (0.05, 0.0))
    assert dark == pytest.approx(1.0, abs=0.05)
    # Many times scattered light comes out as from Lambert's surface, nearly.
    assert law(grazing, grazing, 0 * grazing, (0.9999, 0.0)) < 0.5


def test_what_a_law_cannot_have_is_refused() -> None:
    with pytest.raises(OptionError, match=r"k = 3 is not between 0\.4 and 1\.4"):
        MODELS["minnaert"].checked((3.0,))
    with pytest.raises(OptionError, match="parameters k; got 2 numbers"):
        MODELS["minnaert"].checked((0.9, 0.9))
    with pytest.raises(OptionError, match=r"no photometric model 'phong'.*minnaert"):
        model_named("phong")
