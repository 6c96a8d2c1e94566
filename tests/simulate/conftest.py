"""A flyby with an Earth-pointed axis, its first image, and a planet of formulas."""

import dataclasses
import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perijove.simulate.flyby import Flyby, SimulatedImage, plan_flyby
from perijove.simulate.scene import render


def _load() -> Any:
    name = "perijove_standin"
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("standin.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by name.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def standin() -> Any:
    return _load()


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
