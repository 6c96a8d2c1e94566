"""Flybys that never were, solved as if they had been; every test in this folder reads what came of them."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from perijove.archive.framelets import FrameletStack
from perijove.archive.label import ImageLabel
from perijove.calibrate.stack import CalibratedStack, calibrate
from perijove.constants import FRAMELET_LINES, FRAMELET_SAMPLES
from perijove.register.locate import Knowledge, Located, locate
from perijove.simulate.detector import Exposure, expose
from perijove.simulate.era import era
from perijove.simulate.flyby import Flyby, SimulatedImage, plan_flyby
from perijove.simulate.planet import Planet
from perijove.simulate.scene import render

#: Perijoves in turn: Earth-pointed ones and ones with an offset, early and late.
PERIJOVES = (27, 44, 32, 12, 43, 18, 50, 6)


@dataclass(frozen=True)
class Trial:
    """One simulated image, what was seen of it, and what was made of it."""

    seed: int
    flyby: Flyby
    image: SimulatedImage
    light: np.ndarray
    exposure: Exposure
    calibrated: CalibratedStack
    located: Located

    @property
    def label(self) -> ImageLabel:
        return self.image.label


def attempt(seed: int, age: str, knowledge: Knowledge | None = None) -> Trial:
    """Simulate one image of a flyby from afar, where the limb is in view, and locate it."""
    flyby = plan_flyby(PERIJOVES[seed % len(PERIJOVES)], 12, seed)
    far = [i for i in flyby.images if len(i.label.bands) == 3 and 60e3 < i.label.altitude_km < 250e3]
    image = far[seed % len(far)]
    label = image.label
    light = render(Planet(seed), image.pointing, label.bands, FRAMELET_LINES, FRAMELET_SAMPLES)
    exposure = expose(light, label, flyby.spin.rate_rad_s, era(age), seed)
    calibrated = calibrate(FrameletStack(label, exposure.codes, ()))
    located = locate(label, calibrated.i_over_f, knowledge or Knowledge())
    return Trial(seed, replace(flyby, images=(image,)), image, light, exposure, calibrated, located)


@pytest.fixture(scope="session")
def attempted() -> Any:
    """The function that simulates and locates one image."""
    return attempt


@pytest.fixture(scope="session")
def clean() -> list[Trial]:
    """A few flybys with a flawless camera, label and image only."""
    return [attempt(seed, "clean") for seed in range(6)]


@pytest.fixture(scope="session")
def worn() -> Trial:
    """An image of the camera as it was about perijove 30."""
    return attempt(3, "pj30")
