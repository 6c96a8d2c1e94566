"""A flyby with an Earth-pointed axis, its first image, and a planet of formulas."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perijove.simulate.flyby import Flyby, SimulatedImage, plan_flyby
from perijove.simulate.scene import render


@pytest.fixture(scope="session")
def standin(load_module: Callable[[Path], Any]) -> Any:
    """The module ``standin.py``: a planet of formulas."""
    return load_module(Path(__file__).with_name("standin.py"))


@pytest.fixture(scope="session")
def flyby() -> Flyby:
    """Perijove 43, twelve images."""
    return plan_flyby(43, 12, seed=5)


@pytest.fixture(scope="session")
def first(flyby: Flyby) -> SimulatedImage:
    """The whole disc, from far away."""
    return flyby.images[0]


@pytest.fixture(scope="session")
def alone(flyby: Flyby, first: SimulatedImage) -> Flyby:
    """The same flyby with this image only."""
    return dataclasses.replace(flyby, images=(first,))


@pytest.fixture(scope="session")
def light(standin: Any, first: SimulatedImage) -> np.ndarray:
    """I/F of the first image."""
    values = render(standin.StandIn(), first.pointing, first.label.bands, 128, 1648)
    values.flags.writeable = False
    return values
