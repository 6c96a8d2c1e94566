"""Noise of an aged camera: how much there is, and what can be taken out without taking the scene.

Each 8 x 8 patch of a framelet is looked at in the frequencies of the cosine transform. What does not
stand out of the noise there is dropped (first pass); from what remains follows how much each frequency may be trusted
(Wiener's filter, second pass). Overlapping patches are averaged, weighted by how little noise they let through: edges
stay, for a patch with an edge keeps the frequencies that carry it, and nothing appears that the data do not hold. Two
passes of a fixed transform: Yaroslavsky 1996 ("Local adaptive image restoration"); the empirical Wiener filter with a
pilot: Ghael, Sayeed and Baraniuk 1997. Written from the equations.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]

#: Patches start at every pixel in the first pass, at every second one in the other.
_FIRST_STEP: Final = 1
_SECOND_STEP: Final = 2
#: A frequency is kept in the first pass if it exceeds so many standard deviations of the noise.
_THRESHOLD: Final = 2.6
#: Errors against simulated truth over those that the gains predict, which take the pilot for the truth.
_ERROR_FACTOR: Final = 1.25
#: Noise over the new camera's from which an image is taken as that of an aged camera.
HEAVY_NOISE: Final = 1.6
#: Side of the box whose mean stands for unknown pixels next to known ones, and part of it that must be known.
_FAR: Final = 33
_LEAST_SHARE: Final = 1e-3
#: Mean absolute difference of two numbers with the same normal law, over its standard deviation.
_DIFFERENCE_TO_SIGMA: Final = 1.1284
#: A difference counts for at most so many counts times the noise: hits do not make noise.
_DIFFERENCE_CAP: Final = 4.0


@dataclass(frozen=True)
class Noise:
    """How noisy an image is.

    Attributes
    ----------
    ratio : float
        Noise of its dark columns over that of the new camera in the dark.
    by_dn, new_by_dn : ndarray, (counts,), float32
        Noise by counts, of the image and of the new camera, DN.
    heavy : bool
        Whether noise is taken out.
    note : str
        That, for people.
    """

    ratio: float
    by_dn: Float
    new_by_dn: Float
    heavy: bool
    note: str

    @classmethod
    def of(cls, dn: npt.NDArray[np.uint16], dark: tuple[slice, ...], new_by_dn: Float, mode: str) -> "Noise":
        """Measure the noise of an image.

        Parameters
        ----------
        dn : ndarray, (frame, band, line, sample), DN
        dark : tuple of slice
            Dark columns.
        new_by_dn : ndarray, (counts,), float32
            Noise of the new camera by counts.
        mode : {"auto", "off", "heavy"}

        Returns
        -------
        Noise
        """
        noise = dark_noise(dn, dark)
        ratio = noise / float(new_by_dn[0])
        level = np.median(np.concatenate([dn[..., part].ravel() for part in dark]))
        added = max(noise * noise - float(new_by_dn[int(level)]) ** 2, 0.0)
        by_dn = np.sqrt(np.square(new_by_dn) + np.float32(added))
        heavy = mode == "heavy" or (mode == "auto" and ratio >= HEAVY_NOISE)
        done = "taken out" if heavy else "left in"
        why = "as asked" if mode != "auto" else f"from {HEAVY_NOISE} times on it is taken out"
        return cls(
            ratio,
            by_dn,
            new_by_dn,
            heavy,
            f"noise of the dark columns {noise:.2f} DN, {ratio:.2f} times the new camera's: {done} ({why})",
        )


def smooth(values: Float, sigma: Float) -> tuple[Float, Float]:
    """Take out of a framelet what cannot be told from noise.

    Parameters
    ----------
    values : ndarray, (line, sample), float32
        Any unit; no NaN.
    sigma : ndarray, (line, sample), float32
        Standard deviation of the noise, same unit, positive; smooth over some pixels.

    Returns
    -------
    values : ndarray, (line, sample), float32
    error : ndarray, (line, sample), float32
        Expected standard error of them: noise let through, and detail lost.
    """
    import cv2

    from perijove.calibrate.shrinkage import SIDE, shrink

    pad = SIDE // 2
    reflect = cv2.BORDER_REFLECT_101
    noisy = np.ascontiguousarray(cv2.copyMakeBorder(values, pad, pad, pad, pad, reflect), np.float32)
    variance = cv2.blur(cv2.copyMakeBorder(np.square(sigma), pad, pad, pad, pad, reflect), (SIDE, SIDE))
    sums = np.zeros((3, *noisy.shape), np.float32)
    shrink(noisy, noisy, variance, _FIRST_STEP, np.float32(_THRESHOLD), sums)
    pilot = sums[0] / sums[1]
    sums[...] = 0.0
    shrink(noisy, pilot, variance, _SECOND_STEP, np.float32(0.0), sums)
    inner = slice(pad, -pad), slice(pad, -pad)
    weight = sums[1][inner]
    return sums[0][inner] / weight, np.float32(_ERROR_FACTOR) * np.sqrt(sums[2][inner] / weight)


def dark_noise(dn: npt.NDArray[np.uint16] | Float, dark: tuple[slice, ...]) -> float:
    """Noise of the dark columns.

    From differences of neighbouring lines: a level that changes from column to column, or from frame to frame, is no
    noise.

    Parameters
    ----------
    dn : ndarray, (..., line, sample), DN
    dark : tuple of slice
        Dark columns.

    Returns
    -------
    float
        Standard deviation, DN; too small where the converter cuts counts off at zero.
    """
    steps = [np.abs(np.diff(dn[..., part].astype(np.float32), axis=-2)).ravel() for part in dark]
    size = np.concatenate(steps)
    noise = float(size.mean()) / _DIFFERENCE_TO_SIGMA
    for _ in range(3):
        noise = float(np.minimum(size, _DIFFERENCE_CAP * max(noise, 1.0)).mean()) / _DIFFERENCE_TO_SIGMA
    return noise


def calm(values: Float, noise: Float, new_noise: Float, doubt: Float) -> Float:
    """Take the noise out of a framelet, in place.

    Parameters
    ----------
    values : ndarray, (line, sample), float32
        NaN where nothing is known, which stays so.
    noise : ndarray, (line, sample), float32
        Standard deviation of the noise, same unit.
    new_noise : ndarray, (line, sample), float32
        What the noise of the new camera would be, same unit.
    doubt : ndarray, (line, sample), float32
        Further standard error, of values that were filled; 0 elsewhere.

    Returns
    -------
    ndarray, (line, sample), float32
        Confidence, 0 to 1: ``n**2 / (n**2 + e**2)`` of the new camera's noise n and the expected error e. One half:
        as well known as by the new camera; 0: not at all.
    """
    import cv2

    unknown = np.isnan(values)
    filled = values
    if unknown.any():
        known = (~unknown).astype(np.float32)
        total = cv2.blur(np.where(unknown, np.float32(0.0), values), (_FAR, _FAR))
        share = cv2.blur(known, (_FAR, _FAR))
        around = np.divide(total, share, out=np.zeros_like(total), where=share > _LEAST_SHARE)
        filled = np.where(unknown, around, values)
    calmed, error = smooth(filled, noise)
    np.copyto(values, calmed, where=~unknown)
    usual = np.square(new_noise)
    confidence: Float = usual / (usual + np.square(error) + np.square(doubt))
    confidence[unknown] = 0.0
    return confidence
