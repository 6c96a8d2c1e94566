"""How long a recipe takes: a preview after one change, the whole preview, and the full picture.

Usage: ``python benchmarks/darkroom.py RAW [--full]``. Twelve operators on four layers with masks; the preview
is 1000 pixels a side, one slider in the middle of the second layer is moved. With ``--full`` also 4096 pixels a side,
with the peak of memory. The rival is psd-tools, which blends the same four layers in the same modes without operators
and masks. Needs the extra ``test``.
"""

import argparse
import resource
import time
from typing import Any

import numpy as np
import psd_tools.composite.blend as rival

import perijove
from perijove.darkroom.layers import MAIN, Easel, Memory, PictureSource
from perijove.darkroom.recipe import Recipe, recipe_of
from perijove.developing import Table, develop

ROUNDS = 7


def recipe(slider: float, size: int) -> Recipe:
    """Twelve operators on four layers."""
    layers: list[dict[str, Any]] = [
        {"picture": {}, "operators": [{"exposure": {"stops": 0.1}}, {"saturation": {"vibrance": 0.2}}, "black-sky"]},
        {
            "picture": {"style": "enhanced"},
            "blend": "soft-light",
            "opacity": 0.6,
            "operators": [
                {"exposure": {"stops": slider}},
                {"curves": {"luminance": [[0, 0], [0.3, 0.27], [0.7, 0.75], [1, 1]]}},
                {"unsharp": {"amount": 0.6}},
            ],
            "mask": {"incidence": {"below": 75, "feather": 20}},
        },
        {
            "picture": {"style": "enhanced"},
            "blend": "luminosity",
            "opacity": 0.4,
            "operators": [{"wavelet": {}}, {"contrast": {"amount": 0.2}}, {"local-contrast": {"strength": 0.3}}],
            "mask": {"latitude": {"above": 20, "feather": 20}},
        },
        {
            "operators": [
                {"white-balance": {"temperature": 0.1}},
                {"vignette": {"stops": 0.5}},
                {"gamma": {"gamma": 1.05}},
            ]
        },
    ]
    return recipe_of({"perijove_recipe": 2, "name": "twelve", "view": {"size": size}, "layers": layers})


def best(times: list[float]) -> str:
    """Least and median."""
    return f"{min(times) * 1e3:.0f} ms (median {np.median(times) * 1e3:.0f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("raw")
    parser.add_argument("--full", action="store_true")
    chosen = parser.parse_args()
    image = perijove.open(chosen.raw)
    if chosen.full:
        began = time.perf_counter()
        image.calibrated  # noqa: B018 - made when first asked for, and kept
        calibrated = time.perf_counter()
        develop({MAIN: image}, recipe(0.0, 4096))
        rendered = time.perf_counter() - calibrated
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(f"4096 pixels a side: {rendered:.1f} s, {peak:.2f} GB; calibration before: {calibrated - began:.1f} s")
        return
    table = Table(image.view(1000), {})
    easel = Easel(table.canvas, Memory())
    changed, whole, blended = [], [], []
    for k in range(ROUNDS):
        began = time.perf_counter()
        easel.develop(recipe(0.01 * k, 1000).layers)
        changed.append(time.perf_counter() - began)
        began = time.perf_counter()
        Easel(table.canvas).develop(recipe(0.01 * k, 1000).layers)
        whole.append(time.perf_counter() - began)
        below, above = (np.array(table.canvas(PictureSource(style=s)).colour) for s in ("natural", "enhanced"))
        began = time.perf_counter()
        for mode in (rival.normal, rival.soft_light, rival.luminosity):
            below = below + 0.5 * (mode(below, above) - below)
        blended.append(time.perf_counter() - began)
    print(f"one slider moved: {best(changed[1:])}")
    print(f"everything anew: {best(whole)}")
    print(f"psd-tools, layers alone: {best(blended)}; ratio {min(changed[1:]) / min(blended):.2f}")


if __name__ == "__main__":
    main()
