"""What is wrong with a pixel, and which pixels of a framelet are never sky or planet."""

from dataclasses import dataclass
from enum import IntFlag

import numpy as np
import numpy.typing as npt

from perijove.constants import ACTIVE_SAMPLES

#: Columns recommended for mosaics, half-open: the outermost photoactive ones are shaded by the column mask.
_KEPT_SAMPLES = (25, 1629)
#: Rows at either end of a framelet that mosaics leave out.
_EDGE_LINES = 2
#: Dark columns far enough from the lit ones to hold no charge that leaked from them, half-open.
_QUIET_DARK_SAMPLES = ((2, 21), (1633, 1646))


class Quality(IntFlag):
    """Flags of one pixel; they add up in ``CalibratedStack.quality``.

    Examples
    --------
    >>> (Quality.COSMIC | Quality.REPAIRED).value
    72
    """

    DARK_COLUMN = 1  # under the opaque mask: never light
    EDGE = 2  # outside the rows and columns recommended for mosaics
    HOT = 4  # fixed defect of the detector (hot, or of low response), smeared along the lines by TDI
    COSMIC = 8  # radiation hit, or an outlier that does not repeat
    BLOCK = 16  # constant compression block: its data was lost
    SATURATED = 32  # at or above the level at which the band clips
    REPAIRED = 64  # the value was corrected or taken from neighbours
    MISSING = 128  # the framelet holds no content


@dataclass(frozen=True)
class FrameletLayout:
    """Where things are in a framelet read out at a sampling factor.

    Attributes
    ----------
    lines, samples : int
    active : slice
        Photoactive columns.
    kept_lines, kept_samples : slice
        Rows and columns recommended for mosaics.
    dark : tuple of slice
        Dark columns clear of charge from their lit neighbours.
    """

    lines: int
    samples: int
    active: slice
    kept_lines: slice
    kept_samples: slice
    dark: tuple[slice, ...]

    @classmethod
    def of(cls, lines: int, samples: int, sampling_factor: int) -> "FrameletLayout":
        """Layout for framelets summed ``sampling_factor`` x ``sampling_factor`` on board.

        Examples
        --------
        >>> FrameletLayout.of(64, 816, 2).active
        slice(12, 815, None)
        """

        def inner(start: int, stop: int) -> slice:
            return slice(-(-start // sampling_factor), stop // sampling_factor)

        edge = -(-_EDGE_LINES // sampling_factor)
        return cls(
            lines=lines,
            samples=samples,
            active=inner(*ACTIVE_SAMPLES),
            kept_lines=slice(edge, lines - edge),
            kept_samples=inner(*_KEPT_SAMPLES),
            dark=tuple(inner(*columns) for columns in _QUIET_DARK_SAMPLES),
        )

    def flags(self) -> npt.NDArray[np.uint8]:
        """DARK_COLUMN and EDGE for one framelet, shape (lines, samples)."""
        flags = np.full((self.lines, self.samples), Quality.DARK_COLUMN | Quality.EDGE, np.uint8)
        flags[:, self.active] = Quality.EDGE
        flags[self.kept_lines, self.kept_samples] = 0
        return flags
