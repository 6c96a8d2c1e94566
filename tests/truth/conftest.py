"""Flybys that never were, solved as if they had been; every test in this folder reads what came of them."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from perijove.archive.framelets import FrameletStack
from perijove.archive.label import ImageLabel
from perijove.calibrate.stack import CalibratedStack, calibrate
from perijove.constants import FRAMELET_LINES, FRAMELET_SAMPLES
from perijove.geometry.kernels import KernelFolder
from perijove.register.bundle import Observation, locate_pass
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
    light = render(
        Planet(seed, epoch_et=flyby.perijove_et), image.pointing, label.bands, FRAMELET_LINES, FRAMELET_SAMPLES
    )
    exposure = expose(light, label, flyby.spin.rate_rad_s, era(age), seed)
    calibrated = calibrate(FrameletStack(label, exposure.codes, ()))
    located = locate(label, calibrated.i_over_f, knowledge or Knowledge())
    return Trial(seed, replace(flyby, images=(image,)), image, light, exposure, calibrated, located)


@dataclass(frozen=True)
class Flown:
    """A simulated flyby, its calibrated images, and what was made of them together."""

    flyby: Flyby
    values: tuple[np.ndarray, ...]
    located: tuple[Located, ...]


def fly(perijove: int, seed: int, images: int) -> Flown:
    """Simulate the images of a flyby with a flawless camera and locate them together, from the labels alone."""
    flyby = plan_flyby(perijove, images, seed)
    planet = Planet(seed, epoch_et=flyby.perijove_et)
    values = []
    for image in flyby.images:
        light = render(planet, image.pointing, image.label.bands, FRAMELET_LINES, FRAMELET_SAMPLES)
        exposure = expose(light, image.label, flyby.spin.rate_rad_s, era("clean"), seed)
        values.append(calibrate(FrameletStack(image.label, exposure.codes, ())).i_over_f)
    return solve_again(Flown(flyby, tuple(values), ()), None)


def solve_again(flown: Flown, kernels: KernelFolder | None) -> Flown:
    """The same images with other knowledge."""
    labels = tuple(image.label for image in flown.flyby.images)
    observations = [
        Observation(label, lambda pixels=pixels: pixels) for label, pixels in zip(labels, flown.values, strict=True)
    ]
    return replace(flown, located=locate_pass(observations, Knowledge(kernels, labels)))


@pytest.fixture(scope="session")
def flown() -> Any:
    """The function that simulates a flyby and locates its images."""
    return fly


@pytest.fixture(scope="session")
def again() -> Any:
    """The function that locates the images of a flyby once more."""
    return solve_again


@pytest.fixture(scope="session")
def tilted_pass() -> Flown:
    """Six images of perijove 44, whose spin axis stood off the Earth."""
    return fly(44, 0, 6)


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
