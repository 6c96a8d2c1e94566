"""Flats, darks and bad pixels of a detector whose truth is known, under clouds that move on from frame to frame."""

import dataclasses
import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pytest

from perijove.archive.framelets import FrameletStack
from perijove.calibrate.build import BandResult, SetBuilder, widened
from perijove.calibrate.calibration_set import CalibrationSet, SetPlane
from perijove.calibrate.decompand import companding_table
from perijove.calibrate.gradient import Pairs
from perijove.calibrate.stack import calibrate
from perijove.errors import CalibrationError

FRAMES, LINES, SAMPLES, STEP = 18, 128, 1648, 115
#: First frame without sky.
LIT = 6
#: Well inside the photoactive columns and away from the ends of framelets.
INSIDE = np.s_[6:122, 60:1590]
MOTES = ((40, 300, 6.0, 0.25), (90, 700, 4.0, 0.15), (70, 1200, 8.0, 0.10))
HOT = {(20, 150): 45.0, (64, 820): 90.0, (100, 1400): 30.0}
DEAD = (55, 500)

Exposed = Callable[..., FrameletStack]
#: Half the logarithmic change of the response from the first to the last line.
SLOPE = 0.04


@dataclass(frozen=True)
class Chip:
    """What is the detector's own: response, counts that hot pixels add."""

    flat: np.ndarray
    hot: np.ndarray


def chip_of(slope: float = 0.0, column_gain: float = 0.003) -> Chip:
    """Columns, motes, hot pixels, a dead one, and a change along the lines by +- slope."""
    y, x = np.mgrid[:LINES, :SAMPLES]
    flat = np.ones((LINES, SAMPLES)) * (1.0 + column_gain * np.random.default_rng(8).standard_normal(SAMPLES))
    for line, sample, radius, depth in MOTES:
        flat *= 1.0 - depth * np.exp(-((((x - sample) ** 2 + (y - line) ** 2) / radius**2) ** 2))
    flat *= np.exp(slope * (y + 0.5 - LINES / 2) / (LINES / 2))
    hot = np.zeros((LINES, SAMPLES))
    for place, amount in HOT.items():
        hot[place] = amount
    flat[DEAD] = 0.02
    return Chip(flat, hot)


@functools.lru_cache(maxsize=2)
def clouds(seed: int) -> np.ndarray:
    """A strip of the planet of which each framelet sees a piece, DN: dark sky first, then clouds of many sizes."""
    rng = np.random.default_rng(seed)
    lines = STEP * (FRAMES - 1) + LINES
    strip = np.full((lines, SAMPLES), 600.0)
    for size, contrast in ((40.0, 0.12), (12.0, 0.04), (4.0, 0.02)):
        texture = cv2.GaussianBlur(rng.standard_normal(strip.shape), (0, 0), size)
        strip *= 1.0 + contrast * texture / texture.std()
    strip[: LIT * STEP] = 0.0
    return strip


def framelets(strip: np.ndarray) -> np.ndarray:
    return np.stack([strip[STEP * k : STEP * k + LINES] for k in range(FRAMES)])


@pytest.fixture(scope="module")
def exposed(synthetic: Any) -> Exposed:
    levels = companding_table("SQROOT")

    def of(chip: Chip, seed: int, **changes: Any) -> FrameletStack:
        counts = framelets(clouds(seed)) * chip.flat + chip.hot
        counts[:, :, :23] = counts[:, :, 1631:] = 0.0
        rng = np.random.default_rng(seed + 1000)
        # 16 electrons a count; read noise 16.6 electrons.
        counts += np.sqrt(np.maximum(counts, 0.0) / 16.0 + 1.08) * rng.standard_normal(counts.shape)
        codes = (np.searchsorted(levels, np.clip(np.rint(counts), 0, 2879), side="right") - 1).astype(np.uint8)
        codes.flags.writeable = False
        given = {"bands": ("GREEN",), "frames": FRAMES, "sampling_factor": 1, "tdi_stages": 1} | changes
        return FrameletStack(synthetic.make_label(**given), codes[:, None], ())

    return of


def shared(chip: Chip, seed: int) -> Pairs:
    """Ground that consecutive framelets share, exactly where it is."""
    seen = framelets(clouds(seed)) * chip.flat
    parts = []
    for edge in range(LIT, FRAMES - 1):
        line, sample = (a.ravel() for a in np.mgrid[2 : LINES - STEP : 2, 40:1600:10])
        a, b = seen[edge + 1, line, sample], seen[edge, line + STEP, sample]
        parts.append(np.stack([np.full(line.shape, edge), sample, line + 0.5, line + STEP + 0.5, a, b]))
    edge_of, *columns = np.concatenate(parts, axis=1)
    return Pairs(edge_of.astype(np.int64), *columns)


@dataclass(frozen=True)
class Learned:
    """What two images of a chip told, and what it is."""

    chip: Chip
    planes: tuple[SetPlane, ...]
    result: BandResult

    def __getitem__(self, kind: str) -> np.ndarray:
        (plane,) = (plane.plane for plane in self.planes if plane.kind == kind)
        return plane


def learned_from(*images: tuple[FrameletStack, Pairs | None], chip: Chip) -> Learned:
    builder = SetBuilder()
    for stack, pairs in images:
        builder.add(stack, pairs and {"GREEN": pairs})
    planes, (result,) = builder.build()
    return Learned(chip, planes, result)


@pytest.fixture(scope="module")
def learned(exposed: Exposed) -> Learned:
    chip = chip_of(SLOPE)
    return learned_from(*((exposed(chip, seed), shared(chip, seed)) for seed in (1, 2)), chip=chip)


def test_a_set_of_some_images_flattens_another(exposed: Exposed, learned: Learned) -> None:
    other = exposed(learned.chip, 3)
    truth = framelets(clouds(3))[LIT:]

    def response(calibration: CalibrationSet | None) -> np.ndarray:
        """What is left of the chip: median over frames of what is seen over what is there."""
        seen = calibrate(other, calibration).i_over_f[LIT:, 0]
        return np.asarray(np.median(seen / truth, axis=0)[INSIDE])

    before = response(None)
    after = response(CalibrationSet("", "", choices=learned.planes))
    lines_before, lines_after = (np.median(each, axis=1) for each in (before, after))
    assert lines_before[-1] / lines_before[0] == pytest.approx(np.exp(SLOPE * 115 / 64), abs=0.01)
    # Pairs are without noise; the columns' gain is the same in both.
    assert lines_after[-1] / lines_after[0] == pytest.approx(1.0, abs=0.004)
    columns_before, columns_after = (np.median(each, axis=0) for each in (before, after))
    # 12 lit frames of 116 lines leave 0.03 % of noise, and about 0.1 % of clouds.
    assert columns_before.std() / columns_before.mean() == pytest.approx(0.003, abs=0.0005)
    assert columns_after.std() / columns_after.mean() < 0.0015


def test_motes_are_found_with_their_depth(learned: Learned) -> None:
    along = np.exp(SLOPE * (np.arange(LINES) + 0.5 - LINES / 2) / (LINES / 2))
    small = learned["flat"] / along[:, None]
    for line, sample, _, depth in MOTES:
        core = np.s_[line - 1 : line + 2, sample - 1 : sample + 2]
        # Clouds of 2 % at 4 px, seen in some 20 frames, move a mean by 0.5 %; surroundings reach into the widest mote.
        assert small[core].mean() == pytest.approx(1.0 - depth, abs=0.025)


def test_clouds_make_no_response(exposed: Exposed) -> None:
    even = Chip(np.ones((LINES, SAMPLES)), np.zeros((LINES, SAMPLES)))
    found = learned_from((exposed(even, 4), None), chip=even)
    assert np.abs(found["flat"][INSIDE] - 1.0).max() < 0.01
    assert found.result.dust_pixels == 0
    assert not found["dark"].any()
    assert not found["bad_pixel"].any()


def test_hot_and_dead_pixels_are_found(learned: Learned) -> None:
    for place, amount in HOT.items():
        # Read in the dark: noise of 1 count over some frames, and codes 4 wide at 90 DN.
        assert learned["dark"][place] == pytest.approx(amount, abs=3.0)
    assert learned.result.hot_pixels == len(HOT)
    assert learned["bad_pixel"][DEAD]
    assert learned["flat"][DEAD] == pytest.approx(1.0, abs=SLOPE)
    assert learned.result.bad_pixels == learned["bad_pixel"].sum() < 5


def test_change_along_the_lines_comes_from_shared_ground(learned: Learned) -> None:
    profile = np.median(learned["flat"][:, 60:1590], axis=1)
    assert profile[110] / profile[17] == pytest.approx(np.exp(SLOPE * 93 / 64), abs=0.002)
    assert learned.result.told()["change_along_lines_percent"] == pytest.approx(200 * SLOPE, abs=0.3)


def test_without_shared_ground_lines_are_alike(exposed: Exposed, learned: Learned) -> None:
    found = learned_from((exposed(learned.chip, 1), None), chip=learned.chip)
    profile = np.median(found["flat"][:, 60:1590], axis=1)
    assert np.ptp(profile) < 0.005
    told = json.loads(json.dumps(found.result.told(), allow_nan=False))
    assert told["change_along_lines_error_percent"] is None


def test_stages_and_orbits_are_kept(exposed: Exposed, learned: Learned) -> None:
    stack = exposed(learned.chip, 1)
    builder = SetBuilder()
    for orbit, stages in ((45, 1), (43, 1), (50, 2)):
        builder.add(dataclasses.replace(stack, label=dataclasses.replace(stack.label, orbit=orbit, tdi_stages=stages)))
    planes, results = builder.build()
    assert [(result.tdi_stages, len(result.products)) for result in results] == [(1, 2), (2, 1)]
    assert {(plane.tdi_stages, plane.orbits) for plane in planes} == {(1, (43, 45)), (2, (50, 50))}
    assert {plane.orbits for plane in widened(planes, (40, 60))} == {(40, 60)}
    assert widened(planes, None) == planes
    assert not any(plane.plane.flags.writeable for plane in planes)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"pixel_scale": "reflectance"}, "holds reflectance"),
        ({"sampling_factor": 2}, "was summed"),
    ],
)
def test_images_that_cannot_tell_are_refused(make_stack: Any, changes: dict[str, Any], told: str) -> None:
    lines = LINES // changes.get("sampling_factor", 1)
    samples = SAMPLES // changes.get("sampling_factor", 1)
    stack = make_stack(np.zeros((6, 1, lines, samples), np.uint8), **changes)
    with pytest.raises(CalibrationError, match=told):
        SetBuilder().add(stack)


def test_a_few_frames_are_refused(make_stack: Any) -> None:
    with pytest.raises(CalibrationError, match="fewer than 5 frames"):
        SetBuilder().add(make_stack(np.zeros((4, 1, LINES, SAMPLES), np.uint8)))


def test_nothing_comes_of_nothing() -> None:
    with pytest.raises(CalibrationError, match="no image tells"):
        SetBuilder().build()
