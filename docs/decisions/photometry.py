"""Which law of limb darkening flattens a pass best, against simulated clouds and on real overlaps.

Usage: ``python docs/decisions/photometry.py [RAW RAW]``. Eight colour images of a simulated flyby (perijove 44, seed 0,
a flawless camera, the true pointing) are sampled and flattened by every law and by variants of the polynomial; figures
are of pieces with Sun and spacecraft 15 degrees high. With two raw images of one perijove, also those of their overlap.
Simulating takes some minutes.
"""

import sys
from dataclasses import replace

import numpy as np

import perijove
from perijove.archive.framelets import FrameletStack
from perijove.calibrate.stack import calibrate
from perijove.constants import FRAMELET_LINES, FRAMELET_SAMPLES
from perijove.geometry.ellipsoid import RADII_KM, to_lat_lon
from perijove.photometry import fit, models
from perijove.photometry.samples import Samples, lattice, sample
from perijove.simulate.detector import expose
from perijove.simulate.era import era
from perijove.simulate.flyby import plan_flyby
from perijove.simulate.planet import Planet
from perijove.simulate.scene import render

PPD = 6
HIGH = np.cos(np.radians(75.0))


def cubic(mu0, mu, _phase_deg, parameters):
    """All terms of the third order."""
    x, y = np.log(mu0), np.log(mu)
    terms = (x, y, x * x, x * y, y * y, x**3, x * x * y, x * y * y, y**3)
    return np.exp(sum(a * term for a, term in zip(parameters, terms, strict=True)))


def variants() -> dict[str, models.Model]:
    """The laws, and polynomials with fewer and with more terms, or without what is expected of them."""
    six = models.MODELS["polynomial"]
    square = replace(six, name="second order", spread=(*six.spread[:5], 1e-6))
    free = replace(six, name="no expectations", spread=tuple(100 * spread for spread in six.spread))
    more = {name: (*getattr(six, name), *[value] * 3) for name, value in (("start", 0.0), ("spread", 0.05))}
    bounds = {"lowest": (*six.lowest, *[-0.3] * 3), "highest": (*six.highest, *[0.3] * 3)}
    third = replace(six, name="third order", parameters=tuple("abcdefghi"), **more, **bounds, function=cubic)
    return {**models.MODELS, **{model.name: model for model in (square, third, free)}}


def simulated() -> list[tuple[Samples, np.ndarray]]:
    """Samples of eight images, and the mean albedo of each piece."""
    flyby = plan_flyby(44, 12, 0)
    planet = Planet(0, epoch_et=flyby.perijove_et)
    colour = [image for image in flyby.images if len(image.label.bands) == 3]
    parts = []
    for image in (*colour[:4], *colour[-4:]):
        light = render(planet, image.pointing, image.label.bands, FRAMELET_LINES, FRAMELET_SAMPLES)
        codes = expose(light, image.label, flyby.spin.rate_rad_s, era("clean"), 0).codes
        part = sample(calibrate(FrameletStack(image.label, codes, ())), image.pointing)
        maps = planet.albedo_map(part.bands, float(image.pointing.et[image.pointing.mid_frame]), PPD)
        lat, lon = to_lat_lon(lattice()[part.piece] * RADII_KM)
        steps, found = np.array([-1.0, 0.0, 1.0]) / PPD, []
        for up, along in ((up, along) for up in steps for along in steps):
            row = np.clip(((90 - lat - up) * PPD).astype(int), 0, maps.shape[1] - 1)
            west = lon + along / np.maximum(np.cos(np.radians(lat)), 0.05)
            found.append(maps[:, row, ((360 - west) % 360 * PPD).astype(int) % maps.shape[2]].T)
        parts.append((part, np.mean(found, axis=0)))
    return parts


def against_truth(parts: list[tuple[Samples, np.ndarray]], name: str) -> str:
    """Bias and RMS of the three bands, percent."""
    found = fit.fit_samples([part for part, _ in parts], name)
    off = []
    for part, truth in parts:
        flat, _ = found.flattened(part.values.astype(np.float32), part.bands, part.angles, image=part.name)
        high = (part.angles.mu0 > HIGH) & (part.angles.mu > HIGH)
        off.append(100 * (flat[high] / truth[high] - 1))
    both = np.concatenate(off)
    both = both[np.isfinite(both).all(axis=1)]
    return f"bias {both.mean(axis=0).round(1)}, RMS {np.sqrt((both**2).mean(axis=0)).round(1)}"


def main(paths: list[str]) -> None:
    """Print a line a law."""
    models.MODELS = variants()  # type: ignore[misc]
    images = [perijove.open(path) for path in paths]
    real = [sample(image.calibrated, image.located.solution.pointing) for image in images]
    parts = simulated()
    for name in models.MODELS:
        print(f"{name:16} pass: {against_truth(parts, name)}; one image: {against_truth(parts[2:3], name)}", flush=True)
        if real:
            told = fit.fit_samples(real, name).report["bands"].values()
            belts, twice = ([band[key] for band in told] for key in ("scatter_percent", "overlap_scatter_percent"))
            print(f"{'':16} real: belts {np.round(belts, 1)}, ground seen twice {np.round(twice, 1)}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
