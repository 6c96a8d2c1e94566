import numpy as np
import pytest

from perijove.calibrate.decompand import code_step, companding_table
from perijove.calibrate.defects import Detail, detail_of, sigma_table
from perijove.calibrate.streaks import find_streaks

LINES, SAMPLES, STAGES = 128, 240, 32
DARK_DN = 3.0
NOISE = sigma_table(companding_table("SQROOT"), code_step("SQROOT"))


def _details(added: np.ndarray, response: np.ndarray, frames: int = 30, seed: int = 2) -> list[Detail]:
    """Framelets of a scene that brightens and fades, each with read noise of one count."""
    rng = np.random.default_rng(seed)
    details = []
    for frame in range(frames):
        light = 12.0 * np.sin(np.pi * (frame + 0.5) / frames) * (1.0 + 0.1 * np.sin(np.arange(SAMPLES) / 40.0 + frame))
        values = light * response + added + DARK_DN + rng.normal(size=(LINES, SAMPLES))
        details.append(detail_of(np.maximum(np.rint(values), 0.0).astype(np.uint16), NOISE))
    return details


def _found(added: np.ndarray, response: np.ndarray, stages: int = STAGES, frames: int = 30) -> tuple[np.ndarray, ...]:
    return find_streaks(_details(added, response, frames), np.full(frames, DARK_DN), stages)


def test_streaks_far_below_the_noise_of_a_pixel_are_measured() -> None:
    added = np.zeros((LINES, SAMPLES))
    for row, column, amplitude in ((20, 40, 0.6), (70, 90, 5.0), (80, 90, 2.0), (-10, 150, 3.0), (110, 200, 1.5)):
        added[max(row, 0) : row + STAGES, column] += amplitude
    found, response = _found(added, np.ones((LINES, SAMPLES)))
    streak = added > 0.0
    # The mean over 30 frames and most of 32 lines leaves 0.05 DN; ends may be off by a line.
    assert np.abs(found - added)[streak].mean() < 0.2
    assert np.abs(found - added)[~streak].mean() < 0.02
    assert (response == 1.0).all()


def test_a_hole_in_the_filter_is_in_proportion_to_the_light() -> None:
    true = np.ones((LINES, SAMPLES))
    true[40 : 40 + STAGES, 100:104] = 1.5
    added, response = _found(np.zeros((LINES, SAMPLES)), true)
    inner = slice(46, 66), slice(100, 104)
    # Nine lines of thirty frames at 8 counts with noise of 1.3: 0.02; surroundings are medians, 0.02 more.
    assert response[inner].mean() == pytest.approx(1.5, abs=0.06)
    assert added[inner].mean() < 0.4
    assert (response[:, :90] == 1.0).mean() > 0.99


def test_noise_alone_makes_no_streaks() -> None:
    found, response = _found(np.zeros((LINES, SAMPLES)), np.ones((LINES, SAMPLES)))
    assert (found > 0.0).mean() < 0.002
    assert (response != 1.0).mean() < 0.002


def test_a_lone_pixel_is_no_streak() -> None:
    added = np.zeros((LINES, SAMPLES))
    added[60, 120] = 40.0
    found, _ = _found(added, np.ones((LINES, SAMPLES)))
    assert found[:, 120].max() == 0.0


@pytest.mark.parametrize(("stages", "frames"), [(2, 30), (32, 3)])
def test_short_exposures_and_few_frames_tell_nothing(stages: int, frames: int) -> None:
    added = np.zeros((LINES, SAMPLES))
    added[20:52, 40] = 5.0
    found, response = _found(added, np.ones((LINES, SAMPLES)), stages, frames)
    assert not found.any()
    assert (response == 1.0).all()
