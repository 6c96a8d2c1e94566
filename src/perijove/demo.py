"""The main job on a flyby that never was: no network, no data, and a truth to be measured against."""

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from perijove import __version__
from perijove.pipeline import open_image
from perijove.processing import process
from perijove.simulate.flyby import Flyby, plan_flyby
from perijove.simulate.truth import ground_error_px
from perijove.simulate.write import simulate_flyby
from perijove.solving import Progress

#: The flyby, its seed, and which of its images is shown: one with the whole lit disc in view.
_PERIJOVE, _IMAGES, _SEED, _SHOWN = 43, 12, 7, 1


def demo(folder: Path, size: int | None, progress: Progress) -> dict[str, Any]:
    """Simulate an image, once, and process it without kernels.

    Parameters
    ----------
    folder : Path
        Where the products go.
    size : int or None
        Side of the picture; native scale by default.
    progress : callable
        Told what is done next.

    Returns
    -------
    dict
        The report of the image, with ``truth``: how far the solved geometry is from the true one.
    """
    flyby = _planned()
    (planned,) = flyby.images
    store = _store()
    raw = store / f"{planned.label.product_id}-raw.png"
    if not (store / "truth.json").is_file():
        # The truth is written last: where it is, the rest is whole.
        shutil.rmtree(store, ignore_errors=True)
        with _compiling_ahead():
            simulate_flyby(store, flyby=flyby, seed=_SEED, kernels=False, progress=progress)
    image = open_image(raw, progress=progress)
    report = process(image, folder, size=size)
    error = ground_error_px(image.located.solution.pointing, planned.pointing)
    report["truth"] = {
        "raw": str(raw),
        "ground_error_median_px": float(np.median(error)),
        "ground_error_p99_px": float(np.percentile(error, 99)),
    }
    return report


@contextlib.contextmanager
def _compiling_ahead() -> Iterator[None]:
    """Meanwhile, compile the kernels of the processing, which a fresh install has not on disk.

    In a process, since the compiler lets only one thread in. Should it fail, they are compiled when they are needed.
    """
    modules = "perijove.register.match, perijove.project.kernel"
    quiet = subprocess.DEVNULL
    with subprocess.Popen([sys.executable, "-c", f"import {modules}"], stdout=quiet, stderr=quiet) as ahead:
        wanted = False
        try:
            yield
            wanted = True
        finally:
            if not wanted:
                ahead.kill()


def _planned() -> Flyby:
    flyby = plan_flyby(_PERIJOVE, _IMAGES, _SEED)
    return replace(flyby, images=(flyby.images[_SHOWN],))


def _store() -> Path:
    """Where the simulated image is kept from one demo to the next."""
    import platformdirs

    return Path(platformdirs.user_cache_path("perijove")) / f"demo-{__version__}"
