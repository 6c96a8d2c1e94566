"""The matching kernel on patches whose displacement is known, and against a plain reference."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.optimize import minimize

from perijove.register.match import FOUND_COLUMNS, match_kernel
from perijove.register.patches import BLUR, HALF_U, HALF_V
from perijove.register.ties import _metric_and_trends

LINES, SAMPLES = 80, 160
SHIFT = (1.37, -0.61)
#: Small turn, stretch and bend from the first plane to the second, about the middle of the first.
CHART = np.array([[80.5, 0.98, 0.03, 1e-5, 0.0, 0.0], [40.5, -0.03, 1.01, 0.0, 2e-5, 0.0]])
WINDOW = np.array([0, SAMPLES, 0, LINES])


def waves(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Sum of waves 5 to 40 pixels long in all directions."""
    rng = np.random.default_rng(5)
    length, angle, phase = rng.uniform(5, 40, 40), rng.uniform(0, np.pi, 40), rng.uniform(0, 2 * np.pi, 40)
    kx, ky = 2 * np.pi / length * np.cos(angle), 2 * np.pi / length * np.sin(angle)
    # Clouds are fainter the smaller they are.
    return sum(0.0005 * n * np.cos(a * x + b * y + c) for n, a, b, c in zip(length, kx, ky, phase, strict=True))


def carried(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.einsum("xc,c...->x...", CHART, np.stack([np.ones_like(u), u, v, u * u, u * v, v * v]))


def planes(noise: float = 0.0, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Two framelets: the second sees what the first does, carried by the chart and shifted, darker, on a slope."""
    y, x = np.mgrid[:LINES, :SAMPLES] + 0.5
    first = 0.4 + waves(x - 80.5, y - 40.5)
    u, v = x - 80.5, y - 40.5
    # The offset (u, v) in the first that is seen at (x, y): fixed-point inversion of the chart.
    for _ in range(30):
        at = carried(u, v)
        u, v = u - (at[0] - x), v - (at[1] - y)
    second = 0.1 + 0.7 * waves(u - SHIFT[0], v - SHIFT[1]) + 0.0004 * x
    rng = np.random.default_rng(seed)
    return tuple((plane + noise * rng.standard_normal(plane.shape)).astype(np.float32) for plane in (first, second))


def match(first: np.ndarray, second: np.ndarray, search: int = 3) -> np.ndarray:
    """Displacement, covariance and correlation of the patch in the middle."""
    out = np.full((1, FOUND_COLUMNS), np.nan)
    metric, trends = _metric_and_trends()
    for plane in (first, second):
        plane.flags.writeable = False
    match_kernel(
        first[None, None], second[None, None], np.stack([WINDOW, WINDOW]), np.zeros((1, 4), int),
        np.array([[80.5, 40.5]]), CHART[None], np.ones(1), np.full((1, 2), BLUR), search, metric, trends, out,
    )  # fmt: skip
    return out[0]


def test_displacement_without_noise() -> None:
    found = match(*planes())
    # The Catmull-Rom cubic is off by some per cent for waves of five pixels, the shortest there are.
    np.testing.assert_allclose(found[:2], SHIFT, atol=0.01)
    assert found[5] > 0.995


def test_errors_are_as_large_as_stated() -> None:
    found = np.array([match(*planes(0.008, seed)) for seed in range(40)])
    assert np.isfinite(found).all()
    errors = found[:, :2] - SHIFT
    stated = np.sqrt(found[:, [2, 4]])
    # Forty trials tell their spread to 8 %; noise is white here, but blurred before it is weighed: up to half more.
    ratio = errors.std(axis=0) / stated.mean(axis=0)
    assert np.all((ratio > 0.6) & (ratio < 1.6))
    # A fifth of the scatter of one trial is more than the mean of forty may be off.
    assert np.all(np.abs(errors.mean(axis=0)) < 0.6 * errors.std(axis=0))


def test_least_squares_agree_with_a_plain_reference() -> None:
    """The same cost with other tools: spline interpolation, projections by lstsq, a simplex."""
    first, second = planes(0.0005)
    t_u, t_v = np.arange(-HALF_U, HALF_U + 1.0), np.arange(-HALF_V, HALF_V + 1.0)
    v, u = np.meshgrid(t_v, t_u, indexing="ij")
    soft = [gaussian_filter(plane.astype(float), BLUR, truncate=4) for plane in (first, second)]
    template = map_coordinates(soft[0], [40.0 + v, 80.0 + u], order=3)
    weights = np.sqrt((1 - (u / (HALF_U + 1)) ** 2) * (1 - (v / (HALF_V + 1)) ** 2))

    def high(plane: np.ndarray) -> np.ndarray:
        surroundings = gaussian_filter(plane, 2.0, mode="constant", radius=5)
        share = gaussian_filter(np.ones_like(plane), 2.0, mode="constant", radius=5)
        return (weights * (plane - surroundings / share)).ravel()

    trends = [np.ones_like(u), u, v, u * u, u * v, v * v]
    regressors = np.stack([high(plane) for plane in (template, *trends)], axis=-1)

    def cost(shift: np.ndarray) -> float:
        x, y = carried(u + shift[0], v + shift[1])
        seen = high(map_coordinates(soft[1], [y - 0.5, x - 0.5], order=3))
        return float(np.sum((seen - regressors @ np.linalg.lstsq(regressors, seen, rcond=None)[0]) ** 2))

    best = minimize(cost, SHIFT, method="Nelder-Mead", options={"xatol": 1e-4, "fatol": 1e-12}).x
    # Interpolation, and gradients of one plane instead of both, make some thousandths of a pixel at so little noise.
    np.testing.assert_allclose(match(first, second)[:2], best, atol=0.01)


def test_small_gaps_are_bridged_and_large_ones_refused() -> None:
    first, second = planes()
    for plane in (first, second):
        plane[38::9, 70::11] = np.nan
    # Stand-ins for one pixel in a hundred, off by the contrast over a pixel.
    np.testing.assert_allclose(match(first, second)[:2], SHIFT, atol=0.05)
    second = second.copy()
    second[36:46, 76:86] = np.nan
    assert np.isnan(match(first, second)).all()


@pytest.mark.parametrize("what", ["noise", "negative", "flat"])
def test_what_does_not_match_is_not_found(what: str) -> None:
    first, second = planes()
    if what == "noise":
        second = np.random.default_rng(3).standard_normal(second.shape).astype(np.float32)
    elif what == "negative":
        second = -second
    else:
        second[:] = 0.3
    found = match(first, second)
    assert np.isnan(found).all() or found[5] < 0.5


def test_beyond_the_search_nothing_is_found() -> None:
    # The best step is 1 by -1: on the rim of a search of one step it might be only the nearest to a better one.
    assert np.isnan(match(*planes(), search=1)).all()
