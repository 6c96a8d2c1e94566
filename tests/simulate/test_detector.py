"""The simulated detector: noise, defects, TDI, companding."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perijove.archive.label import ImageLabel
from perijove.calibrate.decompand import companding_table, decompand
from perijove.calibrate.radiance import white_dn
from perijove.constants import FOCAL_LENGTH_PX
from perijove.errors import OptionError
from perijove.simulate.defects import bloom, hot_pattern
from perijove.simulate.detector import compand, expose, smear_kernels
from perijove.simulate.era import ERAS, Era, era
from perijove.simulate.flyby import SimulatedImage

SPIN = 0.2077
CLEAN = ERAS["clean"]


@pytest.fixture
def label(first: SimulatedImage) -> ImageLabel:
    # One stage, a linear bit mode and no loss: counts can be read from codes.
    lossless = dataclasses.replace(first.label, bit_mode="LIN1", compression="HUFFMAN")
    return dataclasses.replace(lossless, frames=8, tdi_stages=1, exposure_s=0.0032)


def flat_light(label: ImageLabel, dn: float, band: str = "GREEN") -> np.ndarray:
    white = white_dn(band, label.exposure_s, label.solar_distance_km, label.orbit)
    return np.full((label.frames, 1, 128, 1648), dn / white, np.float32)


def one(label: ImageLabel, **changes: Any) -> ImageLabel:
    return dataclasses.replace(label, bands=("GREEN",), **changes)


@pytest.mark.parametrize("dn", [20.0, 100.0, 200.0])
def test_level_and_noise(dn: float, label: ImageLabel) -> None:
    codes = expose(flat_light(label, dn), one(label), SPIN, CLEAN, 3).codes[:, 0, :, 23:1631].astype(float)
    # 1.6 million pixels: means to 0.01 DN, deviations to 0.2 %; a count of dark level.
    assert codes.mean() == pytest.approx(dn + 1.0, abs=0.05)
    sigma = np.sqrt((16.6 / 16.3) ** 2 + dn / 16.3 + 1 / 12)
    assert codes.std() == pytest.approx(sigma, rel=0.01)


def test_dark_columns(label: ImageLabel) -> None:
    codes = expose(flat_light(label, 200.0), one(label), SPIN, CLEAN, 3).codes[:, 0].astype(float)
    for part in (codes[..., :23], codes[..., 1631:]):
        assert part.mean() < 2.0
    assert codes[..., 23:1631].min() > 100


def test_lossy_compression_raises_codes() -> None:
    counts = np.arange(100, 2700, dtype=np.uint16)
    raised = compand(counts, "SQROOT", "INTEGER COSINE TRANSFORM").astype(float)
    plain = compand(counts, "SQROOT", "HUFFMAN").astype(float)
    # Measured on real images: 0.75 %; between whole codes, so that each may be off by half a code for either rounding.
    assert np.abs(raised / 1.0075 - plain).max() <= 1.0
    assert np.mean(raised / plain) == pytest.approx(1.0075, abs=0.0005)
    assert compand(np.arange(24, dtype=np.uint16), "SQROOT", "INTEGER COSINE TRANSFORM").tolist() == list(range(24))


@given(st.lists(st.integers(0, 4095), min_size=1, max_size=50))
def test_companding_is_inverse(counts: list[int]) -> None:
    for mode in ("SQROOT", "LIN1", "LIN8", "LIN16"):
        dn = np.array(counts, np.uint16)
        codes = compand(dn, mode)
        table = companding_table(mode)
        back = decompand(codes, mode)
        inside = dn <= table[-1]
        off = table.astype(int)[None, :] - dn.astype(int)[:, None]
        if mode == "SQROOT":
            # The first level that is not below: of the levels that are not, none is closer.
            gap = np.where(off >= 0, off, 9999).min(axis=1)
            assert np.array_equal((back.astype(int) - dn)[inside], gap[inside])
        else:
            # The nearest level: no other one is closer.
            gap = np.abs(off).min(axis=1)
            assert np.array_equal(np.abs(back.astype(int) - dn)[inside], gap[inside])
        assert np.array_equal(compand(table, mode), np.arange(256))


def test_hot_pixels_smear_down(label: ImageLabel) -> None:
    spotted = Era("spotted", hot_pixels=30, hot_dn=(100.0, 101.0))
    images = {}
    for stages in (1, 6):
        exposed = one(label, tdi_stages=stages)
        images[stages] = expose(flat_light(label, 0.0), exposed, SPIN, spotted, 3)
    single = images[1].hot[0]
    assert np.count_nonzero(single) > 20
    for row, column in np.argwhere(single):
        # As seen in real images: a pixel hot in row h shows in rows h to h + N - 1, at full amplitude.
        levels = images[6].codes[:, 0, row : row + 6, column].astype(float).mean(axis=0)
        assert np.all(levels > 80)
    rows, columns = np.nonzero(single)
    before = images[6].codes[:, 0, np.maximum(rows - 1, 0), columns].astype(float).mean(axis=0)
    assert np.median(before) < 3
    assert not images[6].hot[..., :23].any()


def test_tdi_smear() -> None:
    rows, columns = smear_kernels(1, SPIN)
    at = np.arange(len(rows)) - len(rows) // 2
    assert rows.sum() == pytest.approx(1.0, abs=1e-6)
    assert rows @ at == pytest.approx(0.0, abs=1e-6)
    # With the pixel itself, sinc(1/2), the calibration report's 0.47 at the Nyquist frequency.
    assert columns @ np.cos(np.pi * at) * 2 / np.pi == pytest.approx(0.47, abs=0.03)
    # 64 stages at 1.95 rpm: the scene falls behind by 2 rows, evenly about mid-exposure.
    spin = 1.95278 * 2 * np.pi / 60
    behind = 63 * (1 - FOCAL_LENGTH_PX * spin * 0.0032)
    rows, columns = smear_kernels(64, spin)
    at = np.arange(len(rows)) - len(rows) // 2
    assert behind == pytest.approx(1.95, abs=0.05)
    assert rows @ at == pytest.approx(0.0, abs=0.01)
    variance = rows @ at**2 - (rows @ at) ** 2
    # Optics, and shifts by parts of a pixel that are interpolated: 1/6 on average.
    assert variance == pytest.approx(0.145 + 1 / 6 + behind**2 / 12, abs=0.03)


def test_the_smear_reaches_the_image(label: ImageLabel) -> None:
    # A bright line of the scene at mid-exposure becomes broad and stays where it is.
    scene = flat_light(label, 0.0)
    white = white_dn("GREEN", 0.2048, label.solar_distance_km, label.orbit)
    scene[:, :, 60] = 100.0 / white
    slow = expose(scene, one(label, tdi_stages=64, exposure_s=0.2048), 0.2045, CLEAN, 1).codes[:, 0, :, 30:1600]
    profile = slow.astype(float).mean(axis=(0, 2)) - 1.0
    centre = np.average(np.arange(50, 71), weights=np.maximum(profile[50:71], 0.0))
    assert centre == pytest.approx(60.0, abs=0.15)
    weights = np.maximum(profile[50:71], 0.0) / np.maximum(profile[50:71], 0.0).sum()
    spread = weights @ (np.arange(50, 71) - centre) ** 2
    behind = 63 * (1 - FOCAL_LENGTH_PX * 0.2045 * 0.0032)
    # Optics and interpolation as above; rounding of codes lifts the faint ends.
    assert spread > 0.145 + 1 / 6 + behind**2 / 12


def test_blooming() -> None:
    signal = np.zeros((20, 3), np.float32)
    signal[10, 1] = 5000.0
    bloom(signal, 2400.0)
    assert signal[11, 1] == pytest.approx(1300.0)
    assert signal[9, 1] > 0
    assert not signal[:, [0, 2]].any()


def test_summing(label: ImageLabel) -> None:
    """Means of four pixels: half the noise, the same light; a hot pixel is a fourth as hot."""
    summed = one(label, sampling_factor=2)
    light = np.ascontiguousarray(flat_light(label, 100.0)[:, :, :64, :816])
    codes = expose(light, summed, SPIN, CLEAN, 3).codes[:, 0, :, 12:815].astype(float)
    assert codes.mean() == pytest.approx(101.0, abs=0.05)
    assert codes.std() == pytest.approx(np.sqrt(((16.6 / 16.3) ** 2 + 100.0 / 16.3) / 4 + 1 / 12), rel=0.01)
    spotted = Era("spotted", hot_pixels=30, hot_dn=(100.0, 101.0))
    full = expose(flat_light(label, 0.0), one(label, tdi_stages=6), SPIN, spotted, 3)
    half = expose(0 * light, one(label, tdi_stages=6, sampling_factor=2), SPIN, spotted, 3)
    row, column = np.argwhere(full.hot[0])[0]
    # The second line of six holds both lines of the column.
    level = half.codes[:, 0, row // 2 + 1, column // 2].astype(float).mean()
    assert level == pytest.approx(1.0 + 50.0, abs=2.0)
    assert half.hot[0, row // 2 : (row + 5) // 2 + 1, column // 2].all()


def test_eras(label: ImageLabel) -> None:
    light = flat_light(label, 50.0)
    clean, mid, late = (expose(light, one(label), SPIN, ERAS[name], 3) for name in ("clean", "pj30", "pj56"))
    assert not clean.hot.any()
    assert not clean.cosmic.any()
    assert not clean.lost.any()
    assert np.all(clean.flat == 1)
    assert 40 < np.count_nonzero(mid.hot) < 80
    assert np.count_nonzero(late.hot) > 300
    assert np.count_nonzero(late.cosmic) > np.count_nonzero(mid.cosmic) > 0
    assert mid.flat.min() < 0.95
    columns = [e.codes[:, 0].astype(float).mean(axis=(0, 1))[30:1600] for e in (mid, late)]
    # Black level up by 44 counts, columns scattered by ten.
    assert np.median(columns[1]) - np.median(columns[0]) == pytest.approx(44.0, abs=3.0)
    assert np.std(columns[1]) == pytest.approx(10.0, rel=0.25)
    assert np.std(columns[0]) < 3.0


def test_a_limb_is_left_in_methane_at_perijove_56(label: ImageLabel) -> None:
    """Jupiter in methane, I/F 0.05 (Karkoschka 1994), against the sky: what the eye sees of the limb, and noise."""
    methane = dataclasses.replace(label, bands=("METHANE",), tdi_stages=32, exposure_s=0.1024, bit_mode="SQROOT")
    light = np.zeros((label.frames, 1, 128, 1648), np.float32)
    light[:, :, 64:] = 0.05
    counts = decompand(expose(light, methane, SPIN, ERAS["pj56"], 3).codes, "SQROOT")[:, 0, :, 30:1600].astype(float)
    sky, disc = counts[:, 20:60], counts[:, 68:108]
    step = np.median(disc) - np.median(sky)
    # Deviation of sky pixels, hot ones left aside, which stripes and noise make up.
    noise = 1.4826 * np.median(np.abs(sky - np.median(sky)))
    assert step > 3 * noise
    # It is a bad image all the same: the camera of perijove 30 has a quarter of this noise.
    young = decompand(expose(light, methane, SPIN, ERAS["pj30"], 3).codes, "SQROOT")[:, 0, 20:60, 30:1600]
    assert noise > 4 * np.std(young[young < np.percentile(young, 95)])


def test_lost_data(label: ImageLabel) -> None:
    lossy = dataclasses.replace(CLEAN, lost_blocks=0.01, missing_framelets=0.3)
    exposure = expose(flat_light(label, 100.0), one(label), SPIN, lossy, 3)
    assert np.all(exposure.codes[exposure.lost] == 0)
    whole = exposure.lost.all(axis=(2, 3))
    assert 0 < np.count_nonzero(whole) < label.frames
    share = exposure.lost[~whole].mean()
    assert share == pytest.approx(0.01, rel=0.4)


def test_the_same_seed_gives_the_same_image(label: ImageLabel) -> None:
    light = flat_light(label, 60.0)
    a, b, c = (expose(light, one(label), SPIN, ERAS["pj56"], seed) for seed in (1, 1, 2))
    assert np.array_equal(a.codes, b.codes)
    assert not np.array_equal(a.codes, c.codes)
    assert not np.array_equal(a.hot, c.hot)
    assert not a.codes.flags.writeable


def test_hot_pixels_stay_through_a_flyby() -> None:
    rng = [np.random.default_rng(4) for _ in range(2)]
    one_stage, many = (hot_pattern((128, 1648), ERAS["pj30"], n, r) for n, r in zip((1, 32), rng, strict=True))
    assert np.all(many[one_stage > 0] > 0)


def test_unknown_era() -> None:
    with pytest.raises(OptionError, match="there is no era 'pj99'; choose one of clean, pj30, pj56"):
        era("pj99")
