"""Calibration of the real images: what must go goes, what must stay stays."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from perijove.archive.framelets import read_framelets
from perijove.calibrate.calibration_set import load_calibration
from perijove.calibrate.decompand import companding_table, decompand
from perijove.calibrate.quality import Quality
from perijove.calibrate.radiance import white_dn
from perijove.calibrate.stack import CalibratedStack, calibrate
from perijove.calibrating import calibrate_set
from perijove.pipeline import open_image
from perijove.project.overlap import unclipped_pairs

COLOUR = ("JNCE_2022186_43C00078_V01", "JNCE_2022229_44C00029_V01", "JNCE_2022229_44C00032_V01")
METHANE = "JNCE_2022229_44M00040_V01"


def _raw_dn(folder: Path, product: str) -> np.ndarray:
    return decompand(read_framelets(folder / "raw" / f"{product}-raw.png").dn, "SQROOT").astype(np.float32)


def _calibrated_dn(folder: Path, product: str) -> tuple[CalibratedStack, np.ndarray]:
    """Calibrated framelets, and the same in counts."""
    result = calibrate(read_framelets(folder / "raw" / f"{product}-raw.png"))
    label = result.label
    white = [white_dn(band, label.exposure_s, label.solar_distance_km, label.orbit) for band in label.bands]
    return result, result.i_over_f * np.array(white, np.float32)[:, None, None]


def _outliers(dn: np.ndarray, brightest: float) -> int:
    """Pixels 6 sigma above their 5 x 5 median, where that median is below a level."""
    count = 0
    for framelet in dn.reshape(-1, *dn.shape[-2:]):
        active = np.ascontiguousarray(np.nan_to_num(framelet[2:-2, 30:1620]))
        level = cv2.medianBlur(active, 5)
        # Read noise 1.04 counts, 16 electrons per count, codes about sqrt(counts) / 4 wide.
        sigma = np.sqrt(1.1 + np.maximum(level, 0.0) * (1.0 / 16.0 + 1.0 / 192.0))
        count += int(((active - level > 6.0 * sigma) & (level < brightest)).sum())
    return count


@pytest.mark.parametrize("mode", ["SQROOT", "LIN1", "LIN8", "LIN16"])
def test_companding_tables(real_data: Path, mode: str) -> None:
    published = json.loads((real_data / "reference" / "companding.json").read_text())
    np.testing.assert_array_equal(companding_table(mode), published[mode])


@pytest.mark.parametrize(("product", "remaining"), [*((name, 0.05) for name in COLOUR), (METHANE, 0.01)])
def test_speckles_leave_sky_and_twilight(real_data: Path, product: str, remaining: float) -> None:
    _, dn = _calibrated_dn(real_data, product)
    before, after = _outliers(_raw_dn(real_data, product), 60.0), _outliers(dn, 60.0)
    # 5 % of them may stay: weak ones that a scene of the same sharpness could have made.
    assert before > 1000
    assert after < remaining * before


@pytest.mark.parametrize("product", COLOUR)
def test_clouds_stay(real_data: Path, product: str) -> None:
    result, _ = _calibrated_dn(real_data, product)
    dn = _raw_dn(real_data, product)
    hit = (result.quality & Quality.COSMIC) > 0
    sky = hit[:, :, 2:126, 30:1620][dn[:, :, 2:126, 30:1620] < 5.0]
    bright = np.stack([[cv2.blur(f, (9, 9)) for f in frame] for frame in dn]) > 250.0
    # Radiation does not care where the light is: fewer pixels stand out of clouds than would of the dark, of
    # which less than 1 % are hit. More than 0.1 % in bright clouds would be clouds.
    assert hit[bright].mean() < 1e-3
    assert hit.mean() < 0.01
    assert sky.mean() < 0.01
    assert np.isfinite(result.i_over_f).all()


def test_the_moon_stays(real_data: Path) -> None:
    result, _ = _calibrated_dn(real_data, COLOUR[2])
    # The crescent passes red, green and blue in frames 0, 1 and 3.
    for frame, band, lines, samples in (
        (0, 2, slice(52, 63), slice(446, 452)),
        (1, 1, slice(92, 102), slice(447, 453)),
        (3, 0, slice(18, 29), slice(449, 453)),
    ):
        flags = result.quality[frame, band, lines, samples]
        assert not (flags & (Quality.COSMIC | Quality.REPAIRED)).any()


def test_hot_pixels_move_with_tdi(real_data: Path) -> None:
    # The pixel at line 25, sample 851 of blue covers as many lines as there are stages: 1, 2, 6.
    for product, stages in zip(COLOUR[::-1], (1, 2, 6), strict=True):
        result, dn = _calibrated_dn(real_data, product)
        hot = (result.quality[5, 0, 20:40, 851] & Quality.HOT) > 0
        assert np.flatnonzero(hot).tolist() == list(range(5, 5 + stages))
        raw = _raw_dn(real_data, product)[:, 0, 25 : 25 + stages, 851]
        assert np.median(raw) > 20.0
        assert abs(np.median(dn[:, 0, 25 : 25 + stages, 851])) < 3.0


def test_clipping_of_the_overexposed_image(real_data: Path) -> None:
    result, _ = _calibrated_dn(real_data, COLOUR[0])
    saturated = ((result.quality & Quality.SATURATED) > 0).mean(axis=(0, 2, 3))
    # Red and green lose a good part of the disc (itself 8 % of the framelets), blue nothing.
    assert saturated[0] == 0.0
    assert 0.01 < saturated[1] < 0.05
    assert 0.01 < saturated[2] < 0.06


@pytest.mark.parametrize("product", COLOUR[1:])
def test_flat_removes_dust(real_data: Path, product: str) -> None:
    stack = read_framelets(real_data / "raw" / f"{product}-raw.png")
    calibration = load_calibration(real_data / "calibration")
    flat = calibrate(stack, calibration).i_over_f
    dn = _raw_dn(real_data, product)
    # A mote in red: its depth against the columns on either side.
    mote, beside = (slice(107, 110), slice(359, 362)), (slice(107, 110), np.r_[350:354, 367:371])
    lit = [frame for frame, values in enumerate(dn[:, 2]) if values[beside].min() > 60.0]

    def depth(stack: np.ndarray) -> float:
        return float(np.median([stack[f, 2][mote].mean() / stack[f, 2][beside].mean() for f in lit]) - 1.0)

    assert len(lit) >= 3
    assert depth(dn) < -0.4
    # The clouds themselves differ by a few per cent over 10 pixels.
    assert abs(depth(flat)) < 0.05


def test_published_files_give_sane_planes(real_data: Path) -> None:
    calibration = load_calibration(real_data / "calibration")
    for band in ("BLUE", "GREEN", "RED"):
        flat = calibration.flat[band]
        assert flat.min() >= 0.3
        assert flat.max() < 1.3
        assert calibration.bad_pixel[band].sum() < 100
        # Hot pixels of perijove 28: tens of counts, as in the images of perijoves 43 and 44.
        assert 20.0 < calibration.dark[band].max() < 100.0


@pytest.mark.parametrize(
    ("product", "band", "before", "after"),
    [
        # What framelets over the same ground differ by, in pieces of 64 columns: at most a third is left, and in colour
        # not more than 0.5 %, of which pixels that lie half a pixel off make some tenths.
        (COLOUR[2], "RED", 0.009, 0.004),
        (COLOUR[2], "BLUE", 0.008, 0.005),
        (METHANE, "METHANE", 0.06, 0.02),
    ],
)
def test_framelets_agree_where_they_share_ground(
    real_data: Path, product: str, band: str, before: float, after: float
) -> None:
    image = open_image(real_data / "raw" / f"{product}-raw.png")
    pointing = image.located.solution.pointing

    def step(stack: CalibratedStack) -> float:
        pairs = unclipped_pairs(stack, pointing, (band,))[band]
        key = pairs.edge * 64 + pairs.sample.astype(int) // 64
        ratio = np.log(pairs.value_b / pairs.value_a)
        pieces = [ratio[key == one] for one in np.unique(key)]
        return float(np.median([abs(np.median(piece)) for piece in pieces if len(piece) >= 6]))

    assert step(image.unlevelled) > before
    assert step(image.calibrated) < after
    assert any(band in note and "same ground" in note for note in image.calibrated.notes)


@pytest.mark.parametrize(
    ("one", "other", "bands"),
    [
        (COLOUR[2], COLOUR[1], ("BLUE", "GREEN", "RED")),
        # A month before. Blue does not keep: its slope is another at the other perijove.
        (COLOUR[2], COLOUR[0], ("GREEN", "RED")),
    ],
)
def test_a_set_of_one_image_flattens_another(
    real_data: Path, tmp_path: Path, one: str, other: str, bands: tuple[str, ...]
) -> None:
    calibrate_set([real_data / "raw" / f"{one}-raw.png"], tmp_path / "set", orbits=(40, 48))
    path = real_data / "raw" / f"{other}-raw.png"
    plain = open_image(path, self_calibration=False)
    pointing = plain.located.solution.pointing
    stack = read_framelets(path)

    def step(result: CalibratedStack, band: str) -> float:
        pairs = unclipped_pairs(result, pointing, (band,))[band]
        return abs(float(np.median(np.log(pairs.value_b / pairs.value_a))))

    levelled = calibrate(stack, load_calibration(tmp_path / "set"))
    for band in bands:
        assert step(levelled, band) < 0.5 * step(plain.calibrated, band)


def test_dust_found_in_an_image_is_that_of_a_published_flat(real_data: Path, tmp_path: Path) -> None:
    raw = real_data / "raw" / f"{COLOUR[2]}-raw.png"
    calibrate_set([raw], tmp_path / "set")
    label = read_framelets(raw).label
    made = load_calibration(tmp_path / "set").applying_to(label)
    published = load_calibration(real_data / "calibration")
    # Motes of the lit part of this image, by band, line and sample.
    for band, line, sample in (("GREEN", 59, 33), ("GREEN", 91, 454), ("BLUE", 46, 215), ("RED", 97, 135)):
        near = slice(line - 3, line + 4), slice(sample - 3, sample + 4)
        beside = np.median(published.flat[band][line - 3 : line + 4, sample - 15 : sample + 16])
        expected = published.flat[band][near].min() / beside
        assert expected < 0.9
        assert made.flat[band][near].min() == pytest.approx(expected, abs=0.04)
