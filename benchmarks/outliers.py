"""What the count of outliers in a picture can reach: simulated views with noise, repaired, and as the scene is.

Usage: ``python benchmarks/outliers.py [--seed N] [--image far|near] [--era NAME]...``. The scene of a simulated image,
as a camera without noise and defects would see it, is drawn like the image itself and counted like it, by the measures
of ``benchmarks/quality.py``: *lit*, outliers of the natural picture as it is encoded; *beyond*, lone pixels of I/F
beyond the stated uncertainty and the local scatter; *alone*, of these those that one band alone shows. Detail of the
scene is counted by all three: what the noiseless view has is no defect. There is no rival; times nothing.
"""

import argparse
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from perijove.calibrate.repair import Repairs
from perijove.calibrate.stack import calibrate
from perijove.pipeline import Image
from perijove.products.raster import to_depth
from quality import clipping_of, lone_pixels, outliers, uncertainty
from repair import FAR_KM, NEAR_KM, PERIJOVES, Trial

#: Before the simulated aged camera, whose noise is taken out and whose uncertainty is no longer that of its pixels.
ERAS = ("clean", "pj30")


def images(trial: Trial) -> dict[str, Any]:
    """The image as it came, repaired, and without noise and defects."""
    located = SimpleNamespace(solution=SimpleNamespace(pointing=trial.pointing))
    made = {name: Image(trial.stack, pointing=(located, None)) for name in ("as it came", "repaired", "the scene")}
    plain = calibrate(trial.stack, repairs=Repairs.none())
    # Properties that are computed once are kept in the instance: here the other images' are put there.
    vars(made["as it came"])["unlevelled"] = plain
    vars(made["the scene"])["calibrated"] = replace(plain, i_over_f=trial.truth)
    return made


def measured(image: Any) -> tuple[float, float, float, float]:
    """Outliers where it is lit, lone pixels, those in one band alone, per million; megapixels that are lit."""
    raster = image.view()
    picture = to_depth(raster.picture().pixels, 8).astype(np.float32) / 255
    lit = outliers(picture, np.isfinite(raster.values).all(axis=-1))["lit"]
    lone = lone_pixels(raster.values, uncertainty(image, raster), clipping_of(image, raster))
    return lit["per_megapixel"], lone["per_megapixel"], lone["alone_per_megapixel"], lit["megapixels"]


def main(eras: list[str], seed: int, distance: tuple[float, float]) -> None:
    """Print the figures of one image per era."""
    for age in eras:
        trial = Trial(age, seed, distance)
        print(f"{age}: {trial.label.product_id}, {trial.label.altitude_km:.0f} km; per million pixels")
        for name, image in images(trial).items():
            lit, beyond, alone, size = measured(image)
            print(f"  {name:11} lit {lit:7.1f}  beyond {beyond:7.1f}  alone {alone:7.1f}  ({size:.2f} Mpx lit)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--image", choices=("far", "near"), default="far")
    parser.add_argument("--era", action="append", choices=tuple(PERIJOVES))
    given = parser.parse_args()
    main(given.era or list(ERAS), given.seed, {"far": FAR_KM, "near": NEAR_KM}[given.image])
