"""Uncertainty of every pixel: what is known of the noise, as a variance.

With counts n (table value), signal s = n - dark, and everything in DN::

    sigma**2 = read**2 + s / g + w**2 / 12 + (flat s)**2 + black**2 + stripes**2

- *read*: that of the image itself, from the scatter of its dark columns, which grows as the camera ages;
- *shot*: g electrons a count (CAL);
- *quantisation*: a code w counts wide (`perijove.calibrate.decompand`);
- *flat*: `FLAT_SIGMA` of the signal, response from pixel to pixel that no flat field resolves;
- *black*: `BLACK_SIGMA_DN`, what the dark columns do not tell of the dark level of the others;
- *stripes*: `STRIPE_SHARE` of what the columns of an aged camera stand off the dark level and were corrected by.

Divided by response and white level it is the standard deviation of I/F. What many pixels have in common (large-scale
flat, response of the bands, throughput: some per cent) is not part of it.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float32]

#: Pixel-to-pixel response without a flat field, and with one: the columns of a published flat scatter by 0.3 % about
#: their neighbours, and what two published flats differ by at this scale is a third of that.
FLAT_SIGMA: Final = 0.003
FLAT_SIGMA_KNOWN: Final = 0.001
#: The mean of counts cut off at zero is up to so much above that of the noise, DN.
BLACK_SIGMA_DN: Final = 0.1
#: Part of the columns' offsets that changes from framelet to framelet: an assumption, nothing is published.
STRIPE_SHARE: Final = 0.12


def sigma_by_dn(noise_by_dn: Float, dark_dn: float, flat_sigma: float, stripes_dn: float = 0.0) -> Float:
    """Standard deviation of a pixel by its counts.

    Parameters
    ----------
    noise_by_dn : ndarray, (counts,), float32
        Read and shot noise and quantisation of the image, DN.
    dark_dn : float
        Dark level, DN.
    flat_sigma : float
        Relative uncertainty of the response.
    stripes_dn : float
        Standard deviation of the columns' offsets that were subtracted, DN.

    Returns
    -------
    ndarray, (counts,), float32, DN

    Examples
    --------
    >>> sigma_by_dn(np.full(1001, 3.0, np.float32), 0.0, 0.004)[[0, 1000]].round(2).tolist()
    [3.0, 5.0]
    """
    signal = np.maximum(np.arange(len(noise_by_dn), dtype=np.float32) - np.float32(dark_dn), np.float32(0.0))
    common = np.float32(BLACK_SIGMA_DN**2 + (STRIPE_SHARE * stripes_dn) ** 2)
    variance = np.square(noise_by_dn) + np.square(np.float32(flat_sigma) * signal) + common
    return np.asarray(np.sqrt(variance), np.float32)
