"""Colour of images against the published albedo: the weights of the bands by perijove, with their uncertainty."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perijove.compose.illumination import Illumination
from perijove.compose.saturation import RGB
from perijove.compose.spectra import published_ratios
from perijove.errors import OptionError

Floats = npt.NDArray[np.float64]
Planes = npt.NDArray[np.float32]

#: Latitudes that share a colour, degrees.
BIN_DEG: Final = 5.0
#: Ground lit or seen more obliquely tells the colour of the haze.
_LEAST_MU0, _LEAST_MU = 0.15, 0.20
#: Of a band's clipping level; beyond it response bends.
_LINEAR: Final = 0.92
#: Pixels without which a latitude tells nothing.
_MIN_PIXELS: Final = 300
#: Side of the patches whose scatter tells the error of a latitude's mean, pixels: clouds are alike within one.
_PATCH_PX: Final = 24
#: Cosines of incidence and emission in whose light the colours are compared: the means over a full disc, each part
#: by its light.
_DISC_MU: Final = 0.75
#: Error of a ratio for each unit of the logarithm of the cosines between the light that is and that of the disc: what
#: the fitted exponents of single images scatter by.
_LAW_SIGMA: Final = 0.03
#: Scatter of the published albedo against other observers and other years, and of the bands' shapes.
_PUBLISHED_SIGMA: Final = 0.02


@dataclass(frozen=True)
class Colour:
    """Band ratios of the ground in an image, in the light of a full disc.

    Attributes
    ----------
    name : str
    perijove : int
    latitude_deg : ndarray, (n,)
        Centres of the latitudes seen.
    log_ratio : ndarray, (n, 2)
        Logarithms of red over green and blue over green.
    sigma : ndarray, (n, 2)
        Standard errors, of the mean over that part of the latitude.
    light : ndarray, (n,)
        Mean green I/F, normal albedo by Lambert's law.
    light_sigma : ndarray, (n,)
        What the light of the latitude, oblique where that of a full disc is not, leaves unsure; alike in all of them.
    slope : ndarray, (2, 2)
        By ratio: exponents of the cosines of incidence and emission that were taken out.
    """

    name: str
    perijove: int
    latitude_deg: Floats
    log_ratio: Floats
    sigma: Floats
    light: Floats
    light_sigma: Floats
    slope: Floats

    def mean(self) -> tuple[Floats, Floats]:
        """Ratios of the disc that has these latitudes, and their standard errors, (2,) each.

        A latitude counts by the area that a disc seen from above the equator has in it, and by its light. The
        error holds that of each latitude, that of the light, and, for the latitudes that the image lacks, the scatter
        of those it has.
        """
        area = np.cos(np.radians(self.latitude_deg)) ** 2
        weight = area * self.light
        weight = weight / weight.sum()
        ratio = weight @ np.exp(self.log_ratio)
        all_latitudes = np.cos(np.radians(np.arange(-90 + BIN_DEG / 2, 90, BIN_DEG))) ** 2
        missing = 1.0 - min(1.0, area.sum() / all_latitudes.sum())
        spread = np.sqrt(weight @ (self.log_ratio - weight @ self.log_ratio) ** 2)
        error = np.sqrt(weight**2 @ self.sigma**2 + (missing * spread) ** 2 + (weight @ self.light_sigma) ** 2)
        return ratio, ratio * error


@dataclass(frozen=True)
class Weights:
    """What red and blue of a perijove are to be multiplied by, green being left, for the published colour.

    Attributes
    ----------
    perijove : int
    red, blue : float
    red_sigma, blue_sigma : float
        Standard errors.
    images : tuple of str
    chi2 : float
        Of the images' weights about their mean, per degree of freedom; NaN for one image.
    """

    perijove: int
    red: float
    red_sigma: float
    blue: float
    blue_sigma: float
    images: tuple[str, ...]
    chi2: float

    def row(self) -> dict[str, Any]:
        """As a row of a table."""
        return {
            "perijove": self.perijove,
            "red_over_green": self.red,
            "red_sigma": self.red_sigma,
            "blue_over_green": self.blue,
            "blue_sigma": self.blue_sigma,
            "chi2_per_degree": self.chi2,
            "images": " ".join(self.images),
        }


def measure_colour(
    values: Planes,
    bands: Sequence[str],
    light: Illumination,
    clipping: Mapping[str, float],
    name: tuple[str, int],
) -> Colour:
    """Measure the colour of the sunlit, unsaturated ground by latitude.

    Parameters
    ----------
    values : ndarray, (height, width, band), float32
        I/F; NaN where nothing is known.
    bands : sequence of str
    light : Illumination
    clipping : mapping of str to float
        By band, I/F at which it saturates.
    name : tuple of str and int
        Of the image, and its perijove.

    Returns
    -------
    Colour

    Raises
    ------
    OptionError
        If the image lacks a colour, or unsaturated ground.
    """
    if not set(RGB) <= set(bands):
        raise OptionError(f"{name[0]} has {', '.join(bands)}; its colour needs RED, GREEN and BLUE")
    planes = values[..., [bands.index(band) for band in RGB]]
    limits = np.array([_LINEAR * clipping[band] for band in RGB], np.float32)
    with np.errstate(invalid="ignore"):
        good = np.isfinite(planes).all(axis=-1) & (planes > 0).all(axis=-1) & light.on_ground
        near = planes.max(axis=-1, initial=0.0, where=good[..., None])
        good &= (light.mu0 > _LEAST_MU0) & (light.mu > _LEAST_MU) & (planes < limits).all(axis=-1) & (near > 0)
    patches = _patch_means(planes, light, good)
    if len(patches) == 0:
        raise OptionError(f"{name[0]} shows no sunlit ground that is not saturated; its colour cannot be measured")
    return _by_latitude(patches, name)


def colour_of(raster: Any) -> Colour:
    """Measure the colour of a drawn image: `measure_colour` of a `perijove.pipeline.Raster`.

    Raises
    ------
    OptionError
        If the image lacks a colour, or unsaturated ground.
    """
    label, clipping = raster.image.label, raster.image.calibrated.saturation_i_over_f
    return measure_colour(raster.values, raster.bands, raster.light, clipping, (str(label.product_id), label.orbit))


def _patch_means(planes: Planes, light: Illumination, good: npt.NDArray[np.bool_]) -> Floats:
    """Sums of patches of one latitude: pixels, bin, red, green, blue, log mu0, log mu, albedo; (patches, 8)."""
    rows, columns = np.nonzero(good)
    if not len(rows):
        return np.empty((0, 8))
    bins = np.floor((light.latitude_deg[good] + 90.0) / BIN_DEG).astype(int)
    patch = (rows // _PATCH_PX) * (good.shape[1] // _PATCH_PX + 1) + columns // _PATCH_PX
    _, at = np.unique(patch * 64 + bins, return_inverse=True)
    count = np.bincount(at).astype(float)

    def mean(of: npt.NDArray[Any]) -> Floats:
        return np.asarray(np.bincount(at, of.astype(float)) / count)

    mu0, mu = light.mu0[good], light.mu[good]
    colour = [mean(planes[..., k][good]) for k in range(3)]
    table = np.stack(
        [count, mean(bins), *colour, mean(np.log(mu0)), mean(np.log(mu)), mean(planes[..., 1][good] / mu0)]
    )
    return np.asarray(table.T[count >= _PATCH_PX])


def _by_latitude(patches: Floats, name: tuple[str, int]) -> Colour:
    count, bins = patches[:, 0], patches[:, 1].astype(int)
    kinds, at = np.unique(bins, return_inverse=True)
    ratios = np.log(patches[:, [2, 4]] / patches[:, 3:4])
    angles = patches[:, 5:7] - math.log(_DISC_MU)
    slopes, means, errors = [], [], []
    for ratio in ratios.T:
        slope = _slope(ratio, angles, at, count)
        flat = ratio - angles @ slope
        total = np.bincount(at, count)
        mean = np.bincount(at, count * flat) / total
        scatter = np.bincount(at, count * (flat - mean[at]) ** 2) / total
        independent = total**2 / np.bincount(at, count**2)
        slopes.append(slope)
        means.append(mean)
        errors.append(np.sqrt(scatter / np.maximum(independent - 1, 1.0)))
    enough = np.bincount(at, count) >= _MIN_PIXELS
    total = np.bincount(at, count)
    light = np.bincount(at, count * patches[:, 7]) / total
    oblique = [np.bincount(at, count * column) / total for column in angles.T]
    centres = (kinds + 0.5) * BIN_DEG - 90.0
    log_ratio, sigma = np.array(means).T, np.maximum(np.array(errors).T, 1e-3)
    light_sigma = _LAW_SIGMA * np.hypot(*oblique)
    centres, log_ratio, sigma, light, light_sigma = (
        plane[enough] for plane in (centres, log_ratio, sigma, light, light_sigma)
    )
    return Colour(name[0], name[1], centres, log_ratio, sigma, light, light_sigma, np.array(slopes))


def _slope(ratio: Floats, angles: Floats, at: npt.NDArray[np.int_], count: Floats) -> Floats:
    """Exponents of mu0 and mu within latitudes, (2,)."""
    total = np.bincount(at, count)

    def centred(column: Floats) -> Floats:
        return np.asarray(column - (np.bincount(at, count * column) / total)[at])

    a = np.stack([centred(column) for column in angles.T], axis=1)
    normal = (a * count[:, None]).T @ a
    # A prior of 0.1 about none: where angles do not vary, nothing is taken out.
    normal += np.eye(2) * count.sum() * 1e-3
    return np.asarray(np.linalg.solve(normal, (a * count[:, None]).T @ centred(ratio)))


def same_ground(one: Colour, other: Colour) -> tuple[Floats, Floats, int]:
    """Ratios of one image over those of another at the latitudes that both show.

    Returns
    -------
    ratio, sigma : ndarray, (2,)
        Red over green and blue over green; NaN where there is no common latitude.
    latitudes : int
        Number of common latitudes.
    """
    _, i, j = np.intersect1d(one.latitude_deg, other.latitude_deg, return_indices=True)
    if not len(i):
        return np.full(2, np.nan), np.full(2, np.nan), 0
    off = one.log_ratio[i] - other.log_ratio[j]
    light = np.hypot(one.light_sigma[i], other.light_sigma[j])[:, None]
    weight = 1.0 / (one.sigma[i] ** 2 + other.sigma[j] ** 2 + light**2)
    mean = (weight * off).sum(axis=0) / weight.sum(axis=0)
    chi2 = (weight * (off - mean) ** 2).sum(axis=0) / max(len(i) - 1, 1)
    return (
        np.exp(mean),
        np.exp(mean) * np.sqrt(np.maximum(chi2, 1.0) / weight.sum(axis=0) + np.median(light) ** 2),
        len(i),
    )


def colour_weights(colours: Sequence[Colour], reference: tuple[float, float] | None = None) -> list[Weights]:
    """Weights of the bands by perijove.

    Parameters
    ----------
    colours : sequence of Colour
    reference : tuple of float, optional
        Red over green and blue over green that the disc should have. Default: `published_ratios`.

    Returns
    -------
    list of Weights
        By perijove; images of one are averaged by their errors, widened where they scatter by more.
    """
    wanted = np.array(reference or published_ratios())
    table = []
    for perijove in sorted({colour.perijove for colour in colours}):
        images = [colour for colour in colours if colour.perijove == perijove]
        means = [image.mean() for image in images]
        ratio = np.array([mean for mean, _ in means])
        sigma = np.array([error for _, error in means]) / ratio
        precision = 1.0 / sigma**2
        log_mean = (precision * np.log(ratio)).sum(axis=0) / precision.sum(axis=0)
        chi2 = float((precision * (np.log(ratio) - log_mean) ** 2).sum() / (2 * (len(images) - 1) or np.nan))
        error = np.sqrt(np.fmax(chi2, 1.0) / precision.sum(axis=0) + _PUBLISHED_SIGMA**2)
        weight = wanted / np.exp(log_mean)
        names = tuple(image.name for image in images)
        table.append(
            Weights(
                perijove, float(weight[0]), float(weight[0] * error[0]), float(weight[1]), float(weight[1] * error[1]),
                names, chi2,
            )
        )  # fmt: skip
    return table
