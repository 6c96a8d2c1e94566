"""Expected counts and stated uncertainties against a truth that the tests draw themselves."""

from collections.abc import Callable

import numpy as np
import pytest

from perijove.archive.framelets import FrameletStack
from perijove.calibrate.noise import sigma_by_dn
from perijove.calibrate.quality import Quality
from perijove.calibrate.radiance import white_dn
from perijove.calibrate.repair import Repairs
from perijove.calibrate.stack import calibrate

Make = Callable[..., FrameletStack]
DISTANCE = 7.4172e8
#: Without removal of noise, which would leave less than is stated.
PLAIN = Repairs(noise="off")

# Table values of the square-root-like mode, segment by segment from the interface specification.
LEVELS = np.concatenate(
    [
        np.arange(0, 23),
        np.arange(23, 63, 2),
        np.arange(63, 247, 4),
        np.arange(247, 1007, 8),
        np.arange(1007, 1407, 16),
        np.arange(1407, 2880, 32),
    ]
)


def rounded(counts: np.ndarray) -> np.ndarray:
    """Codes of the first table values that are not below."""
    return np.minimum(np.searchsorted(LEVELS, counts), 255).astype(np.uint8)


def exposed(signal_dn: np.ndarray, noise_factor: float, dark_dn: float, seed: int) -> np.ndarray:
    """Codes with 16 electrons a count and a read noise of 16.6 electrons times a factor; dark columns see nothing."""
    rng = np.random.default_rng(seed)
    lit = signal_dn.copy()
    lit[..., :23] = lit[..., 1631:] = 0.0
    read = rng.normal(0.0, 16.6 / 16.0 * noise_factor, lit.shape)
    counts = rng.poisson(lit * 16.0) / 16.0 + read + dark_dn
    return rounded(np.clip(np.rint(counts), 0, 4095))


def ramp(band: str, top: float, frames: int = 6) -> np.ndarray:
    """I/F that rises along the columns from 0.02, the same in all frames."""
    row = np.linspace(0.02, top, 1648)
    return np.broadcast_to(row, (frames, 1, 128, 1648)) * white_dn(band, 0.0032, DISTANCE, 44)


@pytest.mark.parametrize("band", ["BLUE", "GREEN", "RED"])
def test_expected_counts_leave_no_bias(band: str, make_stack: Make) -> None:
    signal = ramp(band, 0.6)
    result = calibrate(make_stack(exposed(signal, 1.0, 1.0, 1), bands=(band,)), repairs=PLAIN)
    white = white_dn(band, 0.0032, DISTANCE, 44)
    good = result.quality == 0
    error = np.where(good, result.i_over_f * white - signal, np.nan)
    # Ten parts of the ramp, 120,000 pixels of a noise of up to 14 DN each: 0.04 DN of chance, 0.1 of dark level. The
    # table values themselves lie up to 7.5 above the mean of what they stand for.
    parts = [float(np.nanmean(part)) for part in np.array_split(error[..., 40:1600], 10, axis=-1)]
    np.testing.assert_allclose(parts, 0.0, atol=0.25)


@pytest.mark.parametrize("band", ["BLUE", "GREEN", "RED"])
@pytest.mark.parametrize(("noise_factor", "dark_dn"), [(1.0, 4.0), (2.5, 45.0)])
def test_residuals_are_as_large_as_stated(band: str, noise_factor: float, dark_dn: float, make_stack: Make) -> None:
    signal = ramp(band, 0.6)
    codes = exposed(signal, noise_factor, dark_dn, 2)
    result = calibrate(make_stack(codes, bands=(band,)), repairs=PLAIN, sigma=True)
    assert result.sigma is not None
    good = result.quality == 0
    truth = signal / white_dn(band, 0.0032, DISTANCE, 44)
    residual = np.where(good, (result.i_over_f - truth) / result.sigma, np.nan)
    for part in np.array_split(residual[..., 40:1600], 6, axis=-1):
        low, high = np.nanpercentile(part, [15.87, 84.13])
        # Stated too large by the flat's 0.3 %, which this truth has not: up to 8 % at the bright end.
        assert 0.9 < (high - low) / 2 < 1.1


def test_sigma_says_what_is_not_known(make_stack: Make) -> None:
    signal = np.array(ramp("GREEN", 0.6))
    codes = exposed(signal, 1.0, 1.0, 3)
    codes[1] = 0
    codes[2, 0, 40:50, 700:720] = 255
    result = calibrate(make_stack(codes), sigma=True)
    assert result.sigma is not None
    np.testing.assert_array_equal(np.isnan(result.sigma), np.isnan(result.i_over_f))
    clipped = (result.quality & Quality.SATURATED) > 0
    assert clipped[2, 0, 45, 710]
    assert np.isinf(result.sigma[clipped]).all()
    known = np.isfinite(result.i_over_f) & ~clipped
    assert (result.sigma[known] > 0).all()
    assert np.isfinite(result.sigma[known]).all()
    with pytest.raises(ValueError, match="read-only"):
        result.sigma[0, 0, 0, 0] = 1.0


def test_sigma_is_not_made_unasked(make_stack: Make) -> None:
    assert calibrate(make_stack(exposed(ramp("GREEN", 0.6), 1.0, 1.0, 4))).sigma is None


def test_sigma_grows_with_the_flat() -> None:
    noise = np.full(2001, 3.0, np.float32)
    known = sigma_by_dn(noise, 10.0, 0.004)
    # 3 DN and 0.4 % of 990 DN above dark.
    assert known[1000] == pytest.approx(np.hypot(3.0, 3.96), rel=1e-3)
    assert known[5] == pytest.approx(3.0, rel=1e-3)


def test_dither_fills_the_ranges_and_repeats(make_stack: Make) -> None:
    signal = ramp("RED", 0.6)
    stack = make_stack(exposed(signal, 1.0, 1.0, 5), bands=("RED",))
    plain = calibrate(stack, repairs=Repairs.none())
    first, again, other = (calibrate(stack, repairs=Repairs.none(), dither_seed=seed) for seed in (7, 7, 8))
    np.testing.assert_array_equal(first.i_over_f, again.i_over_f)
    assert (first.i_over_f != other.i_over_f).any()
    moved = (first.i_over_f - plain.i_over_f)[0, 0, :, 900:1000] * white_dn("RED", 0.0032, DISTANCE, 44)
    # 620 to 700 counts: codes are 8 wide. Spread evenly: standard deviation 8 / sqrt(12), here of 12,800 pixels.
    assert np.abs(moved).max() <= 4.01
    assert moved.std() == pytest.approx(8 / np.sqrt(12), rel=0.05)
    assert len(np.unique(first.i_over_f[0, 0, :, 900:1000])) > 100 * len(np.unique(plain.i_over_f[0, 0, :, 900:1000]))


@pytest.mark.parametrize(("black", "level"), [("framelet", [0.0, 0.0]), ("image", [-6.0, 6.0]), ("off", [14.0, 26.0])])
def test_black_level_can_be_chosen(black: str, level: list[float], make_stack: Make) -> None:
    dark = np.repeat([14.0, 14.0, 20.0, 20.0, 26.0, 26.0], 1)
    signal = np.zeros((6, 1, 128, 1648))
    codes = np.concatenate([exposed(signal[i : i + 1], 1.0, dark[i], 10 + i) for i in range(6)])
    result = calibrate(make_stack(codes), repairs=Repairs.none(), black=black)  # type: ignore[arg-type]
    white = white_dn("GREEN", 0.0032, DISTANCE, 44)
    means = result.i_over_f[..., 100:1500].mean(axis=(1, 2, 3)) * white
    # 180,000 pixels of a noise of one or two counts, dark columns 4096: 0.03; a trimmed mean of codes, 0.1.
    np.testing.assert_allclose(means[[0, -1]], level, atol=0.2)
