"""Colour of real or simulated images against the published albedo: weights by perijove, with a table and a plot.

Usage: ``python benchmarks/colour_drift.py [-o DIR] [--pointing DIR]... RAW...``. Images of one perijove should come
together; what they show of the same latitudes is compared, too.
"""

import argparse
import itertools
from pathlib import Path

import numpy as np

from perijove.compose.drift import colour_of, colour_weights, same_ground
from perijove.compose.spectra import published_ratios
from perijove.pipeline import open_image
from perijove.products.drift_table import write_drift


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("raws", nargs="+", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path())
    parser.add_argument("--pointing", type=Path, action="append", default=[])
    parser.add_argument("--size", type=int, default=1000)
    options = parser.parse_args()
    pointing = {path.name.split(".")[0]: path for folder in options.pointing for path in folder.glob("*.pointing.json")}
    colours = []
    for raw in options.raws:
        image = open_image(raw, pointing=pointing.get(raw.name.removesuffix("-raw.png")))
        if "BLUE" not in image.label.bands:
            continue
        colour = colour_of(image.view(options.size))
        colours.append(colour)
        (red, blue), (red_sigma, blue_sigma) = colour.mean()
        span = f"{colour.latitude_deg.min():+.0f} to {colour.latitude_deg.max():+.0f} deg"
        print(f"{colour.name}: R/G {red:.3f} +- {red_sigma:.3f}, B/G {blue:.3f} +- {blue_sigma:.3f}, latitudes {span}")
    red, blue = published_ratios()
    print(f"published: R/G {red:.3f}, B/G {blue:.3f}")
    for one, other in itertools.combinations(colours, 2):
        ratio, sigma, latitudes = same_ground(one, other)
        if np.isfinite(ratio).all():
            print(
                f"{one.name} over {other.name}, {latitudes} common latitudes: "
                f"R/G {ratio[0]:.3f} +- {sigma[0]:.3f}, B/G {ratio[1]:.3f} +- {sigma[1]:.3f}"
            )
    weights = colour_weights(colours)
    for w in weights:
        print(f"PJ{w.perijove}: red {w.red:.3f} +- {w.red_sigma:.3f}, blue {w.blue:.3f} +- {w.blue_sigma:.3f}")
    print(*write_drift(options.output, weights), sep="\n")


if __name__ == "__main__":
    main()
