"""Which way a hot pixel smears when charge is shifted along with the scene.

Usage: ``python docs/decisions/tdi_epoch.py RAW_OF_ONE_STAGE RAW_OF_MORE...``. Finds pixels that are hot in every frame
of an image of one TDI stage and prints, line by line, what stands there in the others: the median over all frames,
above that of the columns beside it.
"""

import sys

import numpy as np

from perijove.archive.framelets import read_framelets
from perijove.calibrate.decompand import decompand

REACH = 10
HOT_DN = 8.0


def standing_pattern(path: str, band: str) -> tuple[np.ndarray, int]:
    """Median over frames of one band, above its surroundings, DN, (line, sample); and the number of TDI stages."""
    stack = read_framelets(path)
    dn = decompand(stack.dn[:, stack.bands.index(band)], stack.label.bit_mode).astype(float)
    pattern = np.median(dn, axis=0)
    beside = np.median(np.stack([np.roll(pattern, k, axis=1) for k in (-4, -3, -2, 2, 3, 4)]), axis=0)
    return pattern - beside, stack.label.tdi_stages


def main(paths: list[str]) -> None:
    """Print the profile along the lines at the hottest pixels of the first image."""
    for band in ("RED", "GREEN", "BLUE"):
        patterns = [standing_pattern(path, band) for path in paths]
        first = patterns[0][0].copy()
        first[: REACH + 1], first[-REACH - 1 :] = 0, 0
        first[:, :30], first[:, 1620:] = 0, 0
        # A pixel that is hot in all of them: at its own line it is hot whichever way the charge went.
        shared = np.min([pattern for pattern, _ in patterns[1:]], axis=0)
        first[shared < HOT_DN] = 0
        for index in np.argsort(first, axis=None)[::-1][:3]:
            line, sample = np.unravel_index(index, first.shape)
            if first[line, sample] < HOT_DN:
                break
            print(f"{band} line {line} sample {sample}, lines {line - REACH} to {line + REACH}:")
            for pattern, stages in patterns:
                profile = pattern[line - REACH : line + REACH + 1, sample]
                print(f"  N={stages:2d} " + " ".join(f"{v:4.0f}" for v in profile))


if __name__ == "__main__":
    main(sys.argv[1:])
