"""Taking light out and putting it in."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perijove.errors import OptionError
from perijove.photometry.angles import Angles
from perijove.photometry.models import MODELS
from perijove.photometry.photometry import FADE_MU, FADE_MU0, Photometry, sunlight, trust

BANDS = ("RED", "METHANE")


def law(name: str = "minnaert") -> Photometry:
    """A law whose parameters are off those at which a fit begins."""
    model = MODELS[name]
    red = tuple(start + 0.5 * spread for start, spread in zip(model.start, model.spread, strict=True))
    methane = tuple(start - 0.5 * spread for start, spread in zip(model.start, model.spread, strict=True))
    red, methane = (tuple(np.clip(p, model.lowest, model.highest)) for p in (red, methane))
    return Photometry(name, {"RED": red, "METHANE": methane}, {"images": ["made"]}, {"RED": {"made": 1.25}})


def everywhere() -> Angles:
    """All cosines, and sky in the first corner."""
    mu0, mu = np.meshgrid(np.linspace(-1, 1, 401), np.linspace(-1, 1, 201))
    mu0[0, 0] = mu[0, 0] = np.nan
    return Angles(mu0, mu, np.full_like(mu0, 80.0))


@pytest.mark.parametrize("name", sorted(MODELS))
def test_light_goes_in_and_out(name: str) -> None:
    angles, rng = everywhere(), np.random.default_rng(1)
    albedo = rng.uniform(0.1, 0.9, (*angles.mu0.shape, 2)).astype(np.float32)
    flat, weight = law(name).flattened(law(name).lit(albedo, BANDS, angles), BANDS, angles)
    known = weight > 0
    # Wherever anything is trusted the way there and back is one of float32: some 1e-7 a step.
    np.testing.assert_allclose(flat[known], albedo[known], rtol=5e-6)
    assert known.mean() > 0.15


@pytest.mark.parametrize("name", sorted(MODELS))
def test_nothing_explodes(name: str) -> None:
    angles = everywhere()
    flat, weight = law(name).flattened(np.ones((*angles.mu0.shape, 2), np.float32), BANDS, angles)
    # At the lowest cosines no law is fainter than a few times Lambert's there.
    assert np.nanmax(flat) < 4.0 / FADE_MU0[0]
    assert np.all(weight[np.nan_to_num(angles.mu0, nan=-1) <= FADE_MU0[0]] == 0)
    assert np.all(weight[np.nan_to_num(angles.mu, nan=-1) <= FADE_MU[0]] == 0)
    high = (angles.mu0 >= FADE_MU0[1]) & (angles.mu >= FADE_MU[1])
    assert np.all(weight[high] == 1)
    assert np.isnan(flat[0, 0]).all()


def test_trust_fades_smoothly() -> None:
    cosine = np.linspace(-0.1, 1.0, 1101, dtype=np.float32)
    for planes in ((cosine, np.ones_like(cosine)), (np.ones_like(cosine), cosine)):
        weight = trust(Angles(*planes, np.zeros_like(cosine)))
        steps = np.diff(weight)
        assert (steps >= 0).all()
        # 0.15 of the cosine are 150 steps: a cubic's steepest is 1.5 times their mean.
        assert steps.max() < 1.6 / 150


def test_night_is_black_and_dawn_is_smooth() -> None:
    mu0 = np.linspace(-1, 1, 4001, dtype=np.float32)
    angles = Angles(mu0, np.full_like(mu0, 0.5), np.full_like(mu0, 90.0))
    shaded = law().lit(np.ones((len(mu0), 2), np.float32), BANDS, angles)
    assert (shaded[mu0 < -0.05] == 0).all()
    assert (np.diff(shaded[:, 0]) >= -1e-7).all()
    assert np.diff(shaded[:, 0]).max() < 0.002
    assert (shaded[mu0 > 0.01] > 0).all()
    np.testing.assert_allclose(sunlight(mu0)[mu0 > 0.04], mu0[mu0 > 0.04])


def test_beyond_the_horizon_nothing_is_seen() -> None:
    angles = Angles(*(np.array([value], np.float32) for value in (0.7, -0.1, 30.0)))
    assert np.isnan(law().lit(np.ones((1, 2), np.float32), BANDS, angles)).all()


def test_a_value_by_hand_and_the_gain_of_an_image() -> None:
    angles = Angles(*(np.array([value], np.float32) for value in (0.6, 0.5, 40.0)))
    photometry = Photometry("minnaert", {"RED": (0.9,)}, {}, {"RED": {"one": 1.25}})
    flat, weight = photometry.flattened(np.array([[0.3]], np.float32), ("RED",), angles)
    assert float(flat[0, 0]) == pytest.approx(0.3 / (0.6**0.9 * 0.5**-0.1), rel=1e-6)
    assert weight.tolist() == [1.0]
    matched, _ = photometry.flattened(np.array([[0.3]], np.float32), ("RED",), angles, image="one")
    assert float(matched[0, 0]) == pytest.approx(float(flat[0, 0]) / 1.25, rel=1e-6)
    other, _ = photometry.flattened(np.array([[0.3]], np.float32), ("RED",), angles, image="another")
    assert float(other[0, 0]) == float(flat[0, 0])


def test_values_are_left_as_they_were() -> None:
    values = np.full((3, 2), 0.5, np.float32)
    angles = Angles(*(np.full(3, value, np.float32) for value in (0.5, 0.5, 60.0)))
    law().flattened(values, BANDS, angles)
    law().lit(values, BANDS, angles)
    assert (values == 0.5).all()


def test_a_band_without_law() -> None:
    angles = Angles.from_above((1,))
    with pytest.raises(OptionError, match="of RED, METHANE, not of BLUE"):
        law().flattened(np.ones((1, 1), np.float32), ("BLUE",), angles)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_file_holds_it_all(name: str, tmp_path: Path) -> None:
    path = law(name).save(tmp_path / "law.photometry.json")
    assert Photometry.load(path) == law(name)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"format": "GeoJSON"}, "no file of fitted photometry"),
        ({"version": 2}, "version 2 of the file is not 1"),
        ({"colour": "red"}, "beyond what belongs there: colour"),
        ({"model": "phong"}, "no photometric model 'phong'"),
        ({"parameters": {"RED": {"kk": 0.9}}}, "parameters of RED must be k; got"),
        ({"parameters": {"RED": {"k": "0.9"}}}, "k must be a number; got '0.9'"),
        ({"parameters": {"RED": {"k": True}}}, "k must be a number; got True"),
        ({"parameters": {"RED": {"k": 9.0}}}, "k = 9 is not between"),
        ({"parameters": [0.9]}, "parameters must be an object"),
        ({"gains": {"RED": {"made": 0.0}}}, "gains must be positive"),
        ({"gains": {"RED": 1.0}}, "gains of RED must be an object of numbers"),
    ],
)
def test_bad_files_are_told(change: dict[str, Any], told: str, tmp_path: Path) -> None:
    path = law().save(tmp_path / "law.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(OptionError, match=told) as error:
        Photometry.load(path)
    assert str(path) in str(error.value)


def test_a_file_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "law.json"
    with pytest.raises(OptionError, match="cannot read"):
        Photometry.load(path)
    path.write_bytes(b"\xff\xd8 no text")
    with pytest.raises(OptionError, match="no file of fitted photometry"):
        Photometry.load(path)
    path.write_text('{"format": "perijove photometry", "version": 1}')
    with pytest.raises(OptionError, match="lacks, or has beyond what belongs there: gains, model, parameters, report"):
        Photometry.load(path)
    path.write_text(json.dumps({**law().content, "parameters": {"RED": {"k": float("nan")}}}))
    with pytest.raises(OptionError, match="must be a number"):
        Photometry.load(path)
