"""What repair finds, touches and costs, and what taking the noise out gains, against simulated truth.

Usage: ``python benchmarks/repair.py [--seed N] [--image far|near] [--era NAME]...``. One image of a flyby per era, from
afar and from near by; rivals and ours are measured in the same run, on the same pixels.

*found*: pixels of hot ones, hits and tracks whose excess is at least 5 times the noise there (read, shot, width of the
code): fainter ones cannot be told from noise, nor those on clipped ground. Single hits and tracks (3 pixels or more)
apart; bursts are framelets with more than five times the usual number of hits. *touched*: good pixels that are flagged
as hot, hit, lost or missing. First as `calibrate` leaves it, then with the faint hits that other framelets tell
(`perijove.project.faint_hits`), as pictures and maps have it.

*noise* (pj56): RMS error in counts against the scene as a noiseless camera sees it (blurred by optics and TDI), over
all pixels that mosaics use and that are not saturated. The true flat is given to everybody. Rivals: the third-darkest
of each 4 x 4 block (of 16 pixels, one value, filled in over the block), and the median of 3 x 3; each on plain values
(dark level, flat, I/F) and, stricter than fair, on our own repaired and destriped ones. ``ours / it``: ratio of RMS
errors. *expected*: what the confidence states of our error.
"""

import argparse
import resource
import time
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np

from perijove.archive.framelets import FrameletStack
from perijove.calibrate.calibration_set import CalibrationSet
from perijove.calibrate.decompand import code_step, companding_table
from perijove.calibrate.quality import Quality
from perijove.calibrate.radiance import white_dn
from perijove.calibrate.repair import Repairs
from perijove.calibrate.stack import calibrate
from perijove.constants import BANDS, FRAMELET_LINES, FRAMELET_SAMPLES
from perijove.project.faint_hits import without_faint_hits
from perijove.simulate.defects import cosmic_hits, flat_field, hot_pattern
from perijove.simulate.detector import FULL_WELL_DN, GAIN_E_PER_DN, READ_NOISE_E, Exposure, expose, smear_kernels
from perijove.simulate.era import Era, era
from perijove.simulate.flyby import plan_flyby
from perijove.simulate.planet import Planet
from perijove.simulate.scene import render

PERIJOVES = {"clean": 44, "pj30": 30, "pj56": 56}
FAR_KM, NEAR_KM = (70e3, 240e3), (5e3, 40e3)
STRONG, FULL_PART = 5.0, 0.9
NEVER = np.uint8(Quality.DARK_COLUMN | Quality.EDGE)


class Trial:
    """An image, its truth, and what was planted in it."""

    def __init__(self, age: str, seed: int, distance: tuple[float, float]) -> None:
        self.era: Era = era(age)
        flyby = plan_flyby(PERIJOVES[age], 12, seed)
        image = next(
            i for i in flyby.images if len(i.label.bands) == 3 and distance[0] < i.label.altitude_km < distance[1]
        )
        self.label, self.seed, self.pointing = image.label, seed, image.pointing
        planet = Planet(seed, epoch_et=flyby.perijove_et)
        light = render(planet, image.pointing, image.label.bands, FRAMELET_LINES, FRAMELET_SAMPLES)
        self.exposure: Exposure = expose(light, image.label, flyby.spin.rate_rad_s, self.era, seed)
        rows, columns = smear_kernels(image.label.tdi_stages, flyby.spin.rate_rad_s)
        self.truth = np.empty_like(light)
        for at in np.ndindex(light.shape[:2]):
            self.truth[at] = cv2.sepFilter2D(light[at], -1, columns, rows, borderType=cv2.BORDER_REPLICATE)
        self.stack = FrameletStack(image.label, self.exposure.codes, ())

    def white(self, band: str) -> float:
        """Counts of I/F = 1."""
        label = self.label
        return white_dn(band, label.exposure_s, label.solar_distance_km, label.orbit)

    def excess(self, frame: int, index: int) -> tuple[np.ndarray, np.ndarray]:
        """What hits and hot pixels add to a framelet, DN."""
        label, shape = self.label, self.truth.shape[2:]
        fixed = np.random.default_rng([self.seed, BANDS.index(label.bands[index]), *self.era.name.encode()])
        flat_field(shape, self.era, fixed)
        hot = hot_pattern(shape, self.era, label.tdi_stages, fixed)
        product = label.product_id
        rng = np.random.default_rng([self.seed, product.orbit, product.number, frame, index])
        hits = cosmic_hits(shape, self.era, rng)
        planted = self.exposure.cosmic[frame, index]
        if (planted & (hits == 0)).any() or (self.exposure.hot[index] & (hot == 0)).any():
            raise SystemExit("the simulator draws its defects otherwise: bring `excess` up to date")
        return hits * planted, hot * self.exposure.hot[index]

    def signal(self, frame: int, index: int) -> np.ndarray:
        """What the scene adds to the dark level, DN."""
        return self.truth[frame, index] * self.exposure.flat[index] * self.white(self.label.bands[index])

    def noise(self, frame: int, index: int) -> np.ndarray:
        """Standard deviation of a framelet's pixels, DN."""
        levels, steps = (f(self.label.bit_mode).astype(float) for f in (companding_table, code_step))
        signal = self.signal(frame, index)
        step = steps[np.searchsorted(levels, signal + self.era.dark_dn, side="right") - 1]
        return np.sqrt((self.era.noise * READ_NOISE_E / GAIN_E_PER_DN) ** 2 + signal / GAIN_E_PER_DN + step**2 / 12)


def kinds_of(trial: Trial, at: tuple[int, int], usual: float) -> dict[str, np.ndarray]:
    """Which pixels of a framelet are strong defects of a kind, and which are good."""
    hits, hot = trial.excess(*at)
    lost = trial.exposure.lost[at]
    count, names, stats, _ = cv2.connectedComponentsWithStats((hits > 0).astype(np.uint8), connectivity=8)
    strong = (hits + hot >= STRONG * trial.noise(*at)) & ~lost & (trial.signal(*at) < FULL_PART * FULL_WELL_DN)
    struck = strong & (hits > 0) & (hot == 0)
    track = (stats[names, cv2.CC_STAT_AREA] >= 3) & (names > 0)
    return {
        "hot pixels": strong & (hot > 0),
        "single hits": struck & ~track,
        "tracks": struck & track,
        "in bursts": struck & np.bool_(count - 1 > 5 * max(usual, 1.0)),
        "lost, lit": lost & (trial.truth[at] > 0.05),
        "all of these": strong,
        "good": ~lost & (hits == 0) & (hot == 0),
    }


def detection(trial: Trial) -> dict[str, np.ndarray]:
    """Marked pixels of each kind, the same with faint hits, and all of them."""
    repaired = calibrate(trial.stack, repairs=Repairs(noise="off"))
    quality, crossed = repaired.quality, without_faint_hits(repaired, trial.pointing).quality
    usual = float(np.median([trial.exposure.cosmic[at].sum() / 4 for at in np.ndindex(quality.shape[:2])]))
    marks = Quality.HOT | Quality.COSMIC | Quality.BLOCK | Quality.MISSING
    totals: dict[str, np.ndarray] = {}
    for at in np.ndindex(quality.shape[:2]):
        use = (quality[at] & NEVER) == 0
        marked = [(flags[at] & np.uint8(marks)) > 0 for flags in (quality, crossed)]
        for kind, which in kinds_of(trial, at, usual).items():
            totals.setdefault(kind, np.zeros(3, np.int64))
            totals[kind] += [np.count_nonzero(use & which & m) for m in marked] + [np.count_nonzero(use & which)]
    return totals


def third_darkest(values: np.ndarray) -> np.ndarray:
    """The third-darkest of each 4 x 4 block, filled in over the block."""
    lines, samples = (n // 4 for n in values.shape)
    blocks = values.reshape(lines, 4, samples, 4).swapaxes(1, 2).reshape(lines, samples, 16)
    return np.kron(np.sort(blocks, axis=-1)[..., 2], np.ones((4, 4), np.float32))


def noise(trial: Trial) -> dict[str, float]:
    """RMS errors, DN."""
    bands, exposure = trial.label.bands, trial.exposure
    flats = CalibrationSet("true", "simulator", flat=MappingProxyType(dict(zip(bands, exposure.flat, strict=True))))
    heavy = calibrate(trial.stack, flats)
    if heavy.confidence is None:
        raise SystemExit(f"the noise of {trial.era.name} was not taken for heavy: {heavy.notes}")
    plain, repaired = (calibrate(trial.stack, flats, r).i_over_f for r in (Repairs.none(), Repairs(noise="off")))
    never = NEVER | np.uint8(Quality.MISSING | Quality.SATURATED)
    use = ((heavy.quality & never) == 0) & ~exposure.lost & np.isfinite(heavy.i_over_f)
    squares: dict[str, float] = {}
    for at in np.ndindex(use.shape[:2]):
        white, here = trial.white(bands[at[1]]), use[at]
        truth = trial.truth[at]
        tried = {"ours": heavy.i_over_f[at]}
        for name, values in (("plain", plain[at]), ("repaired", repaired[at])):
            known = np.nan_to_num(values)
            tried[name] = known
            tried[f"3 x 3 median of {name}"] = cv2.medianBlur(known, 3)
            tried[f"third-darkest of {name}"] = third_darkest(known)
        new = np.sqrt((READ_NOISE_E / GAIN_E_PER_DN) ** 2 + np.maximum(truth * white, 0) / GAIN_E_PER_DN)
        certain = np.clip(heavy.confidence[at], 1e-3, 1.0)
        tried["expected"] = truth + new / white * np.sqrt(1.0 / certain - 1.0)
        for name, values in tried.items():
            squares[name] = squares.get(name, 0.0) + float(np.square((values - truth)[here] * white, dtype=float).sum())
    return {name: float(np.sqrt(total / np.count_nonzero(use))) for name, total in squares.items()}


def cost(trial: Trial) -> str:
    """Time of calibrating and repairing, faint hits included, per 66 framelets."""
    framelets = trial.truth.shape[0] * trial.truth.shape[1]
    best: list[tuple[float, float]] = []
    for _ in range(3):
        before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        without_faint_hits(calibrate(trial.stack, repairs=Repairs(noise="off")), trial.pointing)
        after = resource.getrusage(resource.RUSAGE_SELF)
        best.append((time.perf_counter() - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
    wall, processor = (66 / framelets * min(values) for values in zip(*best, strict=True))
    return f"{wall:.2f} s, {processor:.2f} s of processor per 66 framelets"


def show(trial: Trial, measured: dict[str, Any], errors: dict[str, float]) -> None:
    """Print the figures of an image."""
    framelets = trial.truth.shape[0] * trial.truth.shape[1]
    print(f"\n{trial.era.name}: {trial.label.product_id}, {framelets} framelets, {trial.label.altitude_km:.0f} km")
    for kind, (marked, crossed, number) in measured.items():
        if number:
            word = "touched" if kind == "good" else "found"
            parts = f"{100 * marked / number:8.4f} %, with other framelets {100 * crossed / number:8.4f} %"
            print(f"  {kind:12} {parts} of {number} {word}")
    for name, error in errors.items():
        print(f"  RMS {error:6.2f} DN  ours / it {errors['ours'] / error:.3f}  {name}")


def main(eras: list[str], seed: int, distance: tuple[float, float]) -> None:
    """Measure one image per era."""
    for age in eras:
        trial = Trial(age, seed, distance)
        errors = noise(trial) if trial.era.noise > 1.5 else {}
        show(trial, detection(trial), errors)
        print(f"  {cost(trial)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--image", choices=("far", "near"), default="far")
    parser.add_argument("--era", action="append", choices=tuple(PERIJOVES))
    given = parser.parse_args()
    main(given.era or list(PERIJOVES), given.seed, {"far": FAR_KM, "near": NEAR_KM}[given.image])
