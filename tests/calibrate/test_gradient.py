import numpy as np
import pytest

from perijove.calibrate.gradient import Gradient, Pairs, fit_gradient


def _pairs(slope: float, tilt: float = 0.0, edges: int = 20, noise: float = 0.01, seed: int = 3) -> Pairs:
    """Ground shared by framelets of a camera whose response is exp(slope y), y from -1 to 1 along the lines."""
    rng = np.random.default_rng(seed)
    edge, sample, line = (
        part.ravel() for part in np.meshgrid(np.arange(edges), np.arange(40.0, 1600.0, 12.0), [4.0, 7.0, 10.0, 13.0])
    )
    ground = rng.uniform(50.0, 500.0, len(edge))
    steepness = slope + tilt * (sample - 824.0) / 824.0
    line_b = line + 114.0

    def seen(at: np.ndarray) -> np.ndarray:
        return ground * np.exp(steepness * (at - 64.0) / 64.0 + noise * rng.normal(size=len(at)))

    return Pairs(edge.astype(np.int64), sample, line, line_b, seen(line), seen(line_b))


@pytest.mark.parametrize("slope", [-0.017, 0.005, 0.043])
def test_a_gradient_is_recovered(slope: float) -> None:
    found = fit_gradient(_pairs(slope))
    # 2,600 pieces of 20 pairs of 1.4 % noise leave 0.01 %.
    assert found.mean == pytest.approx(slope, abs=2e-4)
    expected = np.exp(slope * (np.arange(128) + 0.5 - 64.0) / 64.0)
    np.testing.assert_allclose(found.plane()[:, 800], expected, atol=1e-3)


def test_a_gradient_that_depends_on_the_column_is_recovered() -> None:
    plane = fit_gradient(_pairs(0.02, tilt=0.015)).plane()
    for column in (120, 824, 1500):
        slope = 0.02 + 0.015 * (column + 0.5 - 824.0) / 824.0
        # Cells of 128 columns of 40 pieces each: 0.05 %.
        assert np.log(plane[127, column] / plane[0, column]) == pytest.approx(2 * slope * 127 / 128, abs=2e-3)


def test_the_order_of_the_two_framelets_does_not_matter() -> None:
    pairs = _pairs(0.02)
    turned = Pairs(pairs.edge, pairs.sample, pairs.line_b, pairs.line_a, pairs.value_b, pairs.value_a)
    assert fit_gradient(turned).mean == pytest.approx(fit_gradient(pairs).mean, rel=1e-9)


def test_a_tenth_of_wrong_edges_is_borne() -> None:
    pairs = _pairs(0.02)
    wrong = pairs.value_b * np.where(pairs.edge < 2, 1.5, 1.0)
    found = fit_gradient(Pairs(pairs.edge, pairs.sample, pairs.line_a, pairs.line_b, pairs.value_a, wrong))
    # Huber's weights let a tenth of outliers shift the mean by some tenths of their scatter, which is 0.4 %.
    assert found.mean == pytest.approx(0.02, abs=2e-3)


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_found_where_nothing_is(seed: int) -> None:
    found = fit_gradient(_pairs(0.0, seed=seed))
    assert not found.columns
    assert (found.plane() == 1.0).all()


def test_what_edges_disagree_about_is_not_found() -> None:
    pairs = _pairs(0.0)
    swing = 0.2 * np.random.default_rng(1).normal(size=20)
    value_b = pairs.value_b * np.exp(swing[pairs.edge])
    assert not fit_gradient(Pairs(pairs.edge, pairs.sample, pairs.line_a, pairs.line_b, pairs.value_a, value_b)).columns


def test_absurd_and_scarce() -> None:
    assert not fit_gradient(_pairs(0.2)).columns
    assert not fit_gradient(_pairs(0.02, edges=2)).columns
    assert not fit_gradient(Pairs.joined([])).columns


def test_edges_of_different_images_stay_apart() -> None:
    joined = Pairs.joined([_pairs(0.02, edges=3), _pairs(0.02, edges=4)])
    assert len(np.unique(joined.edge)) == 7
    assert fit_gradient(joined).mean == pytest.approx(0.02, abs=1e-3)


def test_summed_framelets_see_the_mean_of_four() -> None:
    whole = Gradient((24.0, 1630.0), (0.05, 0.02))
    summed = whole.plane(64, 824, 2)
    squares = whole.plane().reshape(64, 2, 824, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(summed, squares, rtol=1e-5)


def test_a_slope_that_changes_along_the_image_is_followed_where_asked() -> None:
    pairs = _pairs(0.03)
    change = 0.012 * np.sin(pairs.edge / 6.0)
    # Half a framelet is 64 lines; the two lines are 114 apart.
    value_b = pairs.value_b * np.exp(change * 114.0 / 64.0)
    turned = Pairs(pairs.edge, pairs.sample, pairs.line_a, pairs.line_b, pairs.value_a, value_b)
    found = fit_gradient(turned, along=True)
    assert found.frames
    for edge in (3, 9, 15):
        # Between the frames that share it: the plane of either is half a frame away, where the slope differs by 0.001.
        slope = np.log(found.plane(frame=edge)[127, 824] / found.plane(frame=edge)[0, 824]) * 64.0 / 127.0
        assert slope == pytest.approx(0.03 + 0.012 * np.sin(edge / 6.0), abs=0.003)
    assert not fit_gradient(turned).frames


def test_what_other_images_showed_is_taken_where_it_explains_the_steps() -> None:
    few = _pairs(0.0, edges=5, noise=0.001)
    # Their mean is -0.0018, but none of them tells what the other four would say.
    steps = np.array([0.0033, -0.0030, -0.0002, -0.0018, -0.0075])[few.edge] * 114.0 / 64.0
    pairs = Pairs(few.edge, few.sample, few.line_a, few.line_b, few.value_a, few.value_b * np.exp(steps))
    alone, told = fit_gradient(pairs), fit_gradient(pairs, usual=-0.0022)
    assert not alone.columns
    assert not fit_gradient(pairs, usual=0.02).columns
    assert told.slopes == (-0.0022,)
    assert told.mean == -0.0022


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_taken_from_other_images_where_there_are_no_steps(seed: int) -> None:
    assert not fit_gradient(_pairs(0.0, seed=seed), along=True, usual=-0.0065).columns
