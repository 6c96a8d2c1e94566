from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from perijove.geometry.pointing import Pointing
from perijove.geometry.sighting import Sightings, photoactive_window
from perijove.project.resample import Framelets, gather
from perijove.project.view import orthographic_view, spacecraft_view


def cut(pointing: Pointing, frames: slice) -> Pointing:
    names = ("et", "camera_to_j2000", "position_km", "velocity_km_s")
    return replace(pointing, **{name: getattr(pointing, name)[frames] for name in names})


@pytest.fixture(scope="module")
def ground(earth_scene: Any) -> np.ndarray:
    """Points all over the disc that the spacecraft sees."""
    view = orthographic_view(earth_scene.pointing, size=150)
    points = view.ground().reshape(-1, 3)
    return points[np.isfinite(points[:, 0])]


@pytest.mark.parametrize("band", ["BLUE", "GREEN", "RED"])
def test_the_nearest_frame_of_all(band: str, earth_scene: Any, ground: np.ndarray, synthetic: Any) -> None:
    pointing = earth_scene.pointing
    frame, seen = Sightings(pointing, ground).nearest_frame(band)
    x, y = np.moveaxis(synthetic.project(pointing, band, ground), -1, 0)
    off = np.where(np.isfinite(y), np.abs(y - 32.0), np.inf)
    chosen = off[frame, np.arange(len(frame))]
    # What stands evenly between two frames is a matter of rounding, and of where distances are measured from.
    assert np.all(chosen - off.min(axis=0) < 1e-3)
    inside = (x >= 11.5) & (x <= 815.5) & (y >= 0) & (y <= 64)
    assert np.array_equal(seen, inside[frame, np.arange(len(frame))])
    assert 0.2 < seen.mean() <= 1.0


def test_the_frame_that_a_picture_shows(earth_scene: Any) -> None:
    pointing, bands = earth_scene.pointing, earth_scene.label.bands
    shape = earth_scene.values.shape
    numbers = np.broadcast_to(np.arange(shape[0], dtype=np.float32)[:, None, None, None], shape)
    framelets = Framelets.of(numbers, bands, pointing)
    ground = spacecraft_view(pointing, 200).ground()
    values, _ = gather(ground, framelets)
    for index, band in enumerate(bands):
        frame, seen = Sightings(pointing, ground.reshape(-1, 3), framelets.window).nearest_frame(band)
        shown = values[..., index].ravel()
        assert np.array_equal(seen, np.isfinite(shown))
        # Half of the value or more: the kernel's parabolas may be 0.006 px off, a fade has three rows.
        assert np.abs(shown[seen] - frame[seen]).max() < 0.5 + 0.01
        assert np.mean(shown[seen] == frame[seen]) > 0.8


def test_a_single_frame(earth_scene: Any, ground: np.ndarray) -> None:
    middle = earth_scene.pointing.mid_frame
    alone = cut(earth_scene.pointing, slice(middle, middle + 1))
    frame, seen = Sightings(alone, ground).nearest_frame("GREEN")
    everywhere, within = Sightings(earth_scene.pointing, ground).nearest_frame("GREEN")
    assert np.all(frame == 0)
    assert np.all(seen[within & (everywhere == middle)])
    assert 0 < seen.sum() < within.sum()


def test_a_window_of_ones_own(earth_scene: Any, ground: np.ndarray) -> None:
    pointing = earth_scene.pointing
    _, seen = Sightings(pointing, ground, np.array([400.0, 420.0, 10.0, 54.0])).nearest_frame("RED")
    frame, _ = Sightings(pointing, ground).nearest_frame("RED")
    x, y = pointing.pixels("RED", frame, ground)
    assert np.array_equal(seen, (x >= 400) & (x <= 420) & (y >= 10) & (y <= 54))
    assert photoactive_window(pointing.cameras["RED"]).tolist() == [11.5, 815.5, 0.0, 64.0]
