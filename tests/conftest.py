"""The planet whose truth is known, for every room that needs an image of it."""

import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Small matrices gain nothing from threads, and lose much where tests share the cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest


def _load(path: Path) -> Any:
    name = f"perijove_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by name.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def load_module() -> Callable[[Path], Any]:
    """Load a module of helpers that lies beside the tests."""
    return _load


@pytest.fixture(scope="session")
def synthetic() -> Any:
    """The module ``tests/synthetic.py``: labels, pointings and framelets made from a known truth."""
    return _load(Path(__file__).with_name("synthetic.py"))


@pytest.fixture(scope="session")
def write_set(synthetic: Any) -> Callable[[Path, Any], Path]:
    """Write a scene into a folder as raw PNG with its label; the PNG's path."""
    from perijove.calibrate.radiance import white_dn

    def write(folder: Path, scene: Any) -> Path:
        label = scene.label
        white = {band: white_dn(band, label.exposure_s, label.solar_distance_km, label.orbit) for band in label.bands}
        folder.mkdir(parents=True, exist_ok=True)
        return synthetic.write_image_set(folder, scene, white)

    return write


@pytest.fixture(scope="session")
def earth_scene(synthetic: Any) -> Any:
    """Whole disc, 135,000 km above the north, spin axis 0.03 degrees off the Earth."""
    return synthetic.make_scene(0.03)


@pytest.fixture(scope="session")
def tilted_scene(synthetic: Any) -> Any:
    """The same, spin axis 10 degrees off the Earth."""
    return synthetic.make_scene(10.0)


@pytest.fixture(scope="session")
def opening(tmp_path_factory: pytest.TempPathFactory, write_set: Any, earth_scene: Any) -> Any:
    """How an image of `earth_scene` is opened that is solved already; its folder holds nothing else."""
    import perijove
    from perijove.opening import Opening
    from perijove.register.pointing_file import Solved, pointing_path, write_pointing

    folder = tmp_path_factory.mktemp("set")
    raw = write_set(folder, earth_scene)
    image = perijove.open(raw)
    pointing = pointing_path(folder, image.label)
    product, sha256 = str(image.label.product_id), image.stack.inputs[0].sha256
    write_pointing(pointing, Solved(product, sha256, "perijove", image.located))
    return Opening(raw, pointing=pointing)
