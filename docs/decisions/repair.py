"""Thresholds of finding hits: what is found and what is touched, one threshold changed at a time.

Usage: ``python docs/decisions/repair.py``. A simulated image of perijove 30, and one of perijove 56 for the noise.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from perijove.calibrate import denoise, hits
from repair import FAR_KM, Trial, detection, noise

HITS = {
    "THIN_SIGMA": (3.5, 4.0, 4.5),
    "_NOISE_SIGMA": (3.8, 4.2, 5.0),
    "_TRAIL_SIGMA": (2.0, 2.5, 3.0),
    "_CHAIN_SIGMA": (5.0, 6.0, 8.0),
    "_FLANKS": (1, 2, 8),
}
DENOISE = {"_THRESHOLD": (2.3, 2.6, 2.9), "_FIRST_STEP": (1, 2)}


def main() -> None:
    """Print the tables."""
    worn = [Trial("pj30", 0, FAR_KM)]
    for name, values in HITS.items():
        kept = getattr(hits, name)
        for value in values:
            setattr(hits, name, value)
            measured = [detection(trial) for trial in worn]
            found = sum(kinds[kind] for kinds in measured for kind in ("single hits", "tracks"))
            good = sum(kinds["good"] for kinds in measured)
            print(
                f"{name:14} {value:5} found {100 * found[0] / found[1]:.2f} %, touched {100 * good[0] / good[1]:.4f} %"
            )
        setattr(hits, name, kept)
    aged = Trial("pj56", 0, FAR_KM)
    for name, values in DENOISE.items():
        kept = getattr(denoise, name)
        for value in values:
            setattr(denoise, name, value)
            print(f"{name:14} {value:5} RMS {noise(aged)['ours']:.3f} DN")
        setattr(denoise, name, kept)


if __name__ == "__main__":
    main()
