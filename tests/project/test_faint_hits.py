from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from perijove.calibrate.quality import FrameletLayout, Quality
from perijove.calibrate.radiance import white_dn
from perijove.calibrate.stack import CalibratedStack
from perijove.project.faint_hits import without_faint_hits

Places = list[tuple[int, int, int]]


@pytest.fixture(scope="module")
def stack(tilted_scene: Any) -> CalibratedStack:
    """The scene with the noise of the camera, not yet repaired."""
    label, rng = tilted_scene.label, np.random.default_rng(3)
    values = np.nan_to_num(tilted_scene.values.astype(np.float32))
    for index, band in enumerate(label.bands):
        white = white_dn(band, label.exposure_s, label.solar_distance_km, label.orbit)
        # 16 electrons a count, read noise of one count.
        sigma = np.sqrt(np.maximum(values[:, index], 0.0) * white / 16.0 + 1.0) / white
        values[:, index] += rng.normal(size=sigma.shape) * sigma
    layout = FrameletLayout.of(values.shape[2], values.shape[3], label.sampling_factor)
    for part in layout.dark:
        values[..., part] = 0.0
    quality = np.zeros(values.shape, np.uint8)
    return CalibratedStack(label, values, quality, dict.fromkeys(label.bands, 9.0), ("before",))


def _lit(stack: CalibratedStack, number: int) -> Places:
    """Places in green on bright ground far from the limb, and far from each other."""
    green = stack.i_over_f[:, stack.label.bands.index("GREEN")]
    rng, found = np.random.default_rng(5), []
    limit = 0.5 * float(np.percentile(green, 99))
    while len(found) < number:
        frame, line, sample = (
            int(rng.integers(margin, n - margin)) for n, margin in zip(green.shape, (2, 10, 60), strict=True)
        )
        if green[frame, line - 9 : line + 10, sample - 9 : sample + 10].min() > limit:
            found.append((frame, line, sample))
    return found


def _planted(stack: CalibratedStack, places: Places, band: str, part: float) -> CalibratedStack:
    """Pixels made brighter by a part."""
    values = stack.i_over_f.copy()
    for frame, line, sample in places:
        values[frame, stack.label.bands.index(band), line, sample] *= 1.0 + part
    return replace(stack, i_over_f=values)


def test_what_nobody_confirms_is_filled_and_flagged(stack: CalibratedStack, tilted_scene: Any) -> None:
    places = _lit(stack, 40)
    hit = _planted(stack, places, "GREEN", 0.3)
    sigma = np.full_like(stack.i_over_f, 1e-6)
    found = without_faint_hits(replace(hit, sigma=sigma), tilted_scene.pointing)
    index = stack.label.bands.index("GREEN")
    flagged = [bool(found.quality[f, index, y, x] & np.uint8(Quality.COSMIC | Quality.REPAIRED)) for f, y, x in places]
    # 30 % are ten sigma and more; a cloud as sharp may confirm one or the other.
    assert np.mean(flagged) > 0.9
    ratio = [found.i_over_f[f, index, y, x] / stack.i_over_f[f, index, y, x] for f, y, x in places]
    assert np.abs(np.array(ratio)[flagged] - 1.0).max() < 0.15
    assert found.sigma is not None
    assert all(found.sigma[f, index, y, x] > 1e-6 for (f, y, x), seen in zip(places, flagged, strict=True) if seen)
    assert found.notes[0] == "before"
    assert "GREEN" in found.notes[-1]
    assert not found.i_over_f.flags.writeable


def test_what_others_show_stays(stack: CalibratedStack, tilted_scene: Any) -> None:
    places, pointing, bands = _lit(stack, 40), tilted_scene.pointing, stack.label.bands
    scene = _planted(stack, places, "GREEN", 0.3)
    values = scene.i_over_f.copy()
    frame, line, sample = (np.array(column) for column in zip(*places, strict=True))
    ground = pointing.ground("GREEN", frame, sample + 0.5, line + 0.5)
    for index, band in enumerate(bands):
        for way in range(-4, 5):
            other = frame + way
            if band == "GREEN" and way == 0:
                continue
            there = (other >= 0) & (other < len(values))
            x, y = pointing.pixels(band, other[there], ground[there])
            inside = (x > 0) & (x < values.shape[3]) & (y > 0) & (y < values.shape[2])
            values[other[there][inside], index, y[inside].astype(int), x[inside].astype(int)] *= 1.3
    found = without_faint_hits(replace(scene, i_over_f=values), pointing)
    green = bands.index("GREEN")
    touched = [bool(found.quality[f, green, y, x]) for f, y, x in places]
    # At the ends of the image a place is seen by green alone and one more: those are left alone, too.
    assert np.mean(touched) < 0.05


def test_a_scene_without_hits_is_left_alone(stack: CalibratedStack, tilted_scene: Any) -> None:
    found = without_faint_hits(stack, tilted_scene.pointing)
    assert np.mean(found.quality > 0) < 2e-5


def test_nothing_is_said_without_witnesses_or_where_noise_was_taken_out(
    stack: CalibratedStack, tilted_scene: Any
) -> None:
    hit = _planted(stack, _lit(stack, 5), "GREEN", 0.5)
    calmed = replace(hit, confidence=np.ones_like(hit.i_over_f))
    assert without_faint_hits(calmed, tilted_scene.pointing) is calmed
    dark = replace(hit, i_over_f=np.zeros_like(hit.i_over_f))
    assert without_faint_hits(dark, tilted_scene.pointing) is dark
    one = replace(hit, label=replace(hit.label, bands=("GREEN",)), i_over_f=hit.i_over_f[:, :1])
    assert without_faint_hits(one, tilted_scene.pointing) is one
