"""Images matched and laid together, against a ground that is known."""

import numpy as np
import pytest

from perijove.compose.mosaic import Layer, match
from perijove.compose.mosaic_footprint import footprint
from perijove.compose.mosaic_gains import Overlap, agreements, fit_gains, overlaps
from perijove.compose.mosaic_kernel import CLIPPED, LEAST_WEIGHT, WINNER_POWER
from perijove.compose.mosaic_weights import age_weight, border_weight, reduced, view_weight
from perijove.project.grid import MapGrid, Region, map_grid

STEP, CELLS = 8, (40, 60)
SHAPE = (STEP * CELLS[0], STEP * CELLS[1])
BANDS = ("RED", "GREEN")


def ground() -> np.ndarray:
    """Clouds of all sizes in two bands."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    wide = 0.4 + 0.1 * np.sin(x / 70) * np.cos(y / 55)
    fine = 0.03 * np.sin(x / 2.1 + y / 3.0)
    return np.stack([wide + fine, 0.8 * wide - fine], axis=-1).astype(np.float32)


def image(
    columns: tuple[int, int],
    gain: float = 1.0,
    quality: float = 1.0,
    light: float = 1.0,
    values: np.ndarray | None = None,
) -> tuple[Layer, np.ndarray]:
    """What an image shows that sees columns of the ground, with an error of its gain, and its pixels."""
    seen = np.full((*SHAPE, 2), np.nan, np.float32)
    part = slice(*columns)
    truth = ground() if values is None else values
    seen[:, part] = truth[:, part] * np.float32(gain * light)
    means, known = reduced(seen, STEP)
    means = means / np.float32(light)
    there = known.min(axis=-1) >= 0.5
    means[~there] = np.nan
    weight = np.float32(quality) * border_weight(there, 200.0)
    factor = np.full(means.shape, 1 / light, np.float32)
    reach, limits = np.ones(CELLS, np.float32), np.full(2, np.inf, np.float32)
    return Layer(BANDS, means, factor, weight, reach, limits), seen


def drawn(images: list[tuple[Layer, np.ndarray]], side: int = SHAPE[1]) -> np.ndarray:
    mosaic = match([layer for layer, _ in images], BANDS, STEP)
    out = np.full((*SHAPE, 4), np.nan, np.float32)
    for top in range(0, SHAPE[0], side):
        for left in range(0, SHAPE[1], side):
            rows, columns = slice(top, min(top + side, SHAPE[0])), slice(left, min(left + side, SHAPE[1]))
            tile = mosaic.tile(rows, columns)
            needed, spare = mosaic.touched(rows, columns)
            for number in (*needed, *(spare if len(needed) < len(images) else ())):
                values = images[number][1][rows, columns]
                tile.lay(number, values, np.isfinite(values).astype(np.float32))
            out[rows, columns] = tile.planes()
    return out


def test_one_image_comes_out_as_it_is() -> None:
    out = drawn([image((0, 300), light=0.5)])
    # Sums of single precision.
    np.testing.assert_allclose(out[:, :300, :2], ground()[:, :300], atol=2e-6)
    assert np.isnan(out[:, 300:]).all()
    assert set(np.unique(out[:, :300, 3])) == {1.0}


def test_gains_are_found_and_leave_no_step() -> None:
    out = drawn([image((0, 300), 1.04), image((180, 480), 1 / 1.04)])
    # The pull towards no gain is worth a thousandth of this.
    np.testing.assert_allclose(out[..., :2], ground(), rtol=1e-3)
    # Wherever the source changes, a pixel is no further from the next than on the ground itself.
    error = out[..., 0] / ground()[..., 0]
    assert np.abs(np.diff(error, axis=1)).max() < 5e-4
    assert set(np.unique(out[..., 3])) == {1.0, 2.0}
    assert (np.diff(out[..., 3], axis=1) >= 0).all()


def test_a_slope_that_no_gain_takes_away_makes_no_seam() -> None:
    tilt = np.linspace(0.97, 1.03, SHAPE[1], dtype=np.float32)[:, None]
    out = drawn([image((0, 300)), image((180, 480), values=ground() * tilt)])
    error = out[..., 0] / ground()[..., 0]
    # Up to 3 % between the images go over in 120 pixels, nowhere by 0.5 % from one to the next.
    assert np.abs(np.diff(error, axis=1)).max() < 2e-3
    assert np.abs(error - 1).max() < 0.0301


def test_detail_is_that_of_the_better_image() -> None:
    """Clouds that stand elsewhere in the other image are not drawn twice."""
    moved = np.roll(ground(), 5, axis=1)
    out = drawn([image((0, 480)), image((0, 480), quality=0.2, values=moved)])
    fine = out[..., 0] - ground()[..., 0]
    inner = fine[:, 24:-24]
    # 0.2 to the eighth of the detail; low frequencies are mixed, and move by five pixels of the wide waves.
    assert np.abs(np.diff(inner, axis=1)).max() < 1e-3


def test_tiles_join_exactly() -> None:
    images = [
        image((0, 300), 1.03),
        image((180, 480)),
        image((100, 400), quality=0.6, values=ground() * np.float32(1.02)),
    ]
    np.testing.assert_array_equal(drawn(images, 480), drawn(images, 96))


def test_gaps_are_filled_by_the_other_image() -> None:
    images = [image((0, 480)), image((0, 480), quality=0.4)]
    images[0][1][100:110, 200:215] = np.nan
    out = drawn(images)
    np.testing.assert_allclose(out[..., :2], ground(), atol=1e-5)
    assert (out[100:110, 200:215, 3] == 2).all()
    assert (out[90, 190:230, 3] == 1).all()


def test_clipped_pixels_give_way() -> None:
    clipped = np.minimum(ground(), np.float32(0.45))
    first, pixels = image((0, 480), values=clipped)
    images = [(Layer(BANDS, *first_planes(first), np.full(2, 0.45, np.float32)), pixels), image((0, 480), quality=0.5)]
    out = drawn(images)
    bright = ground()[..., 0] > 0.46
    assert bright.any()
    assert (out[bright][:, 3] == 2).all()
    assert (out[~bright & (ground()[..., 0] < 0.449)][:, 3] == 1).all()


def first_planes(layer: Layer) -> tuple[np.ndarray, ...]:
    return layer.values, layer.factor, layer.weight, layer.reach


def test_where_an_image_must_not_be_used_it_is_not() -> None:
    layer, pixels = image((0, 480))
    reach = np.broadcast_to(np.linspace(-1, 1, CELLS[1], dtype=np.float32), CELLS)
    out = drawn([(Layer(BANDS, layer.values, layer.factor, layer.weight, reach, layer.limits), pixels)])
    # The margin crosses 0 half way between two cells: a straight border, not one of cells.
    np.testing.assert_array_equal(np.isfinite(out[..., 0]), np.broadcast_to(np.arange(480) >= 240, SHAPE))


def test_bands_of_different_images() -> None:
    colour, pixels = image((0, 300))
    planes = (colour.values[..., :1], colour.factor[..., :1], colour.weight, colour.reach)
    methane = Layer(("METHANE",), *planes, colour.limits[:1])
    mosaic = match([colour, methane], (*BANDS, "METHANE"), STEP)
    tile = mosaic.tile(slice(0, 320), slice(0, 480))
    tile.lay(0, pixels, np.isfinite(pixels).astype(np.float32))
    only = pixels[..., :1].copy()
    only[:, 200:] = np.nan
    tile.lay(1, only, np.isfinite(only).astype(np.float32))
    out = tile.planes()
    np.testing.assert_allclose(out[:, :300, :2], ground()[:, :300], atol=2e-6)
    np.testing.assert_allclose(out[:, :200, 2], ground()[:, :200, 0], atol=2e-6)
    assert np.isnan(out[:, 200:, 2]).all()
    assert np.isnan(mosaic.gains[0, 2])


def test_the_kernel_is_what_plain_arrays_say() -> None:
    """Bilinear planes, the eighth power and the mean, written out with arrays."""
    images = [image((0, 300), 1.03), image((180, 480), quality=0.8)]
    mosaic = match([layer for layer, _ in images], BANDS, STEP)

    def fine(plane: np.ndarray) -> np.ndarray:
        at = [(np.arange(n) + 0.5) / STEP - 0.5 for n in SHAPE]
        low = [np.floor(a).astype(int) for a in at]
        part = [(a - i).astype(np.float32) for a, i in zip(at, low, strict=True)]
        rows, columns = ([np.clip(i + k, 0, n - 1) for k in (0, 1)] for i, n in zip(low, plane.shape, strict=True))
        upper, lower = (
            plane[np.ix_(r, columns[0])] * (1 - part[1]) + plane[np.ix_(r, columns[1])] * part[1] for r in rows
        )
        return upper * (1 - part[0])[:, None] + lower * part[0][:, None]

    total, mass = np.zeros((2, *SHAPE))
    for ready, (_, pixels) in zip(mosaic._layers, images, strict=True):
        seen = np.isfinite(pixels).all(axis=-1) & (fine(ready.coarse[..., 5]) > 0)
        power = np.where(seen, np.maximum(fine(ready.coarse[..., 4]), LEAST_WEIGHT).astype(float) ** WINNER_POWER, 0)
        detail = np.nan_to_num(pixels[..., 1]) * fine(ready.coarse[..., 1]) - fine(ready.coarse[..., 3])
        total, mass = total + power * detail, mass + power
    expected = total / mass + fine(mosaic._common[..., 1])
    np.testing.assert_allclose(drawn(images)[..., 1], expected, atol=5e-6)
    assert CLIPPED < 1


def test_gains_of_a_chain() -> None:
    rng = np.random.default_rng(1)
    true = np.array([1.05, 0.97, 1.0 / (1.05 * 0.97)])
    shared = []
    for first, second in ((0, 1), (1, 2)):
        log = np.log(true[second] / true[first]) + 0.02 * rng.standard_normal(4000)
        # A tenth of the cells shows clouds that came or went.
        log[:400] += 0.5
        shared.append(Overlap(first, second, -log, np.ones(4000)))
    found = fit_gains([1, 1, 1], shared)
    # Of a ratio with gains g1 / g2 the images have 1 / g: outliers shift a Cauchy mean by a fifth of the scatter.
    np.testing.assert_allclose(found * true, (found * true).mean(), rtol=0.006)
    assert np.prod(found) == pytest.approx(1.0)
    told = agreements(found, shared)
    assert all(abs(each.after - 1) < abs(each.before - 1) for each in told)
    assert all(each.scatter == pytest.approx(0.02, rel=0.3) for each in told)


def test_gains_without_overlap_and_of_a_mosaic() -> None:
    assert fit_gains([1, 1], []).tolist() == [1.0, 1.0]
    shared = [Overlap(0, 1, np.full(5000, np.log(1.1)), np.ones(5000))]
    found = fit_gains([9, 1], shared)
    assert found[1] / found[0] == pytest.approx(1.1, rel=2e-3)
    assert found[0] ** 9 * found[1] == pytest.approx(1.0)


def test_overlaps_know_what_is_known() -> None:
    one, other = np.full((2, 4, 4), 0.5, np.float32)
    one[0], other[:, 0] = np.nan, -1.0
    weight = np.ones((4, 4), np.float32)
    (found,) = overlaps([one, other], [weight, weight])
    assert len(found.log_ratio) == 9
    assert overlaps([one, other], [weight, 0 * weight]) == []


def test_weight_of_a_border() -> None:
    inside = np.zeros((60, 80), bool)
    inside[10:, :50] = True
    weight = border_weight(inside, 200.0)
    assert weight[40, 5] == pytest.approx(1.0, abs=1e-3)
    assert (np.diff(weight[40, 25:55]) <= 0).all()
    assert 0 < weight[40, 51] < 1e-5
    assert (weight[:, 53:] == 0).all()
    # The map's own edge is no border.
    assert weight[59, 5] == pytest.approx(weight[45, 5], abs=1e-3)
    inside = np.roll(inside, 15, axis=1)
    around = border_weight(np.roll(inside, 40, axis=1), 200.0, wraps=True)
    np.testing.assert_allclose(np.roll(around, -40, axis=1), border_weight(inside, 200.0), atol=1e-6)


def test_weights_of_views_and_age() -> None:
    mu, near = np.array([1.0, 0.5, 0.2, 0.05, -0.1], np.float32), np.full(5, 1e5, np.float32)
    weight = view_weight(mu, near, 7e-4, 50.0)
    assert (np.diff(weight) < 0)[:3].all()
    assert (weight[3:] == 0).all()
    assert age_weight(3600) > age_weight(7200)


def test_footprint_is_the_outline() -> None:
    grid: MapGrid = map_grid("equirectangular", Region(-60.0, 60.0, 20.0, 140.0), 1.0e6)
    seen = np.zeros((grid.height, grid.width), bool)
    seen[20:80, 30:110] = True
    seen[40:55, 60:80] = False
    ((outer, hole),) = footprint(seen, grid)
    assert outer[0] == outer[-1]
    lon, lat = np.array(outer).T
    x, y = grid.left_m / 1e6, grid.top_m / 1e6
    per_degree = np.radians(71.492)
    # To the outermost cells' centres.
    assert lon.min() == pytest.approx((x + 30.5) / per_degree, abs=1.0)
    assert lat.max() == pytest.approx((y - 20.5) / per_degree, abs=1.0)
    assert len(hole) > 4
    assert footprint(np.zeros((5, 5), bool), grid) == []
