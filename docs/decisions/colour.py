"""Fit the matrix that takes JunoCam's bands to what an eye sees, and draw the colours it gives.

Usage: ``python docs/decisions/colour.py``. Prints the matrix, its errors over a family of spectra like those of
Jupiter's clouds, and how it changes with what is not known well; writes ``colour.svg`` beside itself.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from perijove.compose import spectra
from perijove.compose.spaces import WHITE_D65, encode_srgb, to_xyz
from perijove.compose.spectra import JUPITER_ALBEDO, WAVELENGTH_NM, band_reflectance, observer, sunlight

BANDS = ("RED", "GREEN", "BLUE")
#: Bradford's cone responses (ICC.1:2010, annex E.3).
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def seen(reflectance: np.ndarray, *, adapted_to_sun: bool = True) -> np.ndarray:
    """Linear sRGB of spectra (n, wavelength) in sunlight, the eye adapted to it, so that white is white, or to D65."""
    curves = observer() * sunlight()
    xyz = reflectance @ curves.T / curves[1].sum()
    if not adapted_to_sun:
        return np.linalg.solve(to_xyz("srgb"), xyz.T).T
    white = curves.sum(axis=1) / curves[1].sum()
    x, y = WHITE_D65
    gain = (BRADFORD @ np.array([x / y, 1.0, (1 - x - y) / y])) / (BRADFORD @ white)
    adapted = np.linalg.solve(BRADFORD, gain[:, None] * (BRADFORD @ xyz.T))
    return np.linalg.solve(to_xyz("srgb"), adapted).T


def family(count: int = 600, seed: int = 0) -> np.ndarray:
    """Spectra around Jupiter's: brighter and darker, more or less of what colours belts and spot, of methane, of haze.

    Zones have less of the blue absorber and belts and the Great Red Spot more; hazes scatter blue, and at the poles
    they lie over what is dark.
    """
    rng = np.random.default_rng(seed)
    envelope = np.maximum.accumulate(JUPITER_ALBEDO)
    methane = np.log(JUPITER_ALBEDO / envelope)
    absorber = -np.exp(-(WAVELENGTH_NM - 380.0) / 90.0)
    tilt = (WAVELENGTH_NM - 550.0) / 200.0
    haze = (WAVELENGTH_NM / 450.0) ** -4
    draw = rng.uniform
    spectra_log = (
        np.log(JUPITER_ALBEDO)
        + draw(-0.5, 0.4, (count, 1))
        + draw(-0.6, 1.0, (count, 1)) * absorber
        + draw(-0.4, 0.4, (count, 1)) * methane
        + rng.normal(0.0, 0.05, (count, 1)) * tilt
    )
    return np.exp(spectra_log) + draw(-0.02, 0.06, (count, 1)) * haze


def fitted(bands: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Matrix with rows that sum to one and the least error relative to green."""
    green = bands[:, 1:2]
    off = np.stack([bands[:, 0] - bands[:, 1], bands[:, 2] - bands[:, 1]], axis=1) / green
    red, blue = np.linalg.lstsq(off, (colours - green) / green, rcond=None)[0]
    return np.stack([red, 1.0 - red - blue, blue], axis=1)


def flat(band: str, reflectance: np.ndarray) -> np.ndarray:
    """Reflectance that a band would see if its response did not slope."""
    weight = sunlight() * (spectra.response(band) > 0)
    return reflectance @ weight / weight.sum()


def told(name: str, spectra_of: np.ndarray, sees: Callable[..., np.ndarray] = band_reflectance) -> np.ndarray:
    """Fit, print and return."""
    bands = np.stack([sees(band, spectra_of) for band in BANDS], axis=-1)
    colours = seen(spectra_of)
    matrix = fitted(bands, colours)
    error = (bands @ matrix.T - colours) / colours[:, 1:2]
    plain = (bands - colours) / colours[:, 1:2]
    print(f"{name}\n{matrix.round(3)}")
    print("  rms error of red, green, blue over green:", np.sqrt((error**2).mean(axis=0)).round(4))
    print("  the bands as they are:                   ", np.sqrt((plain**2).mean(axis=0)).round(4))
    return matrix


def main() -> None:
    """Fit, vary, draw."""
    matrix = told("adopted", family())
    told("another draw of the family", family(seed=1))
    disc = seen(JUPITER_ALBEDO[None])[0]
    bands = np.array([float(band_reflectance(band, JUPITER_ALBEDO)) for band in BANDS])
    print("whole disc, bands:", (bands / bands[1]).round(3), " eye:", (disc / disc[1]).round(3), " by the matrix:")
    print((matrix @ bands / (matrix @ bands)[1]).round(3))
    xyz = observer() * sunlight() @ JUPITER_ALBEDO
    print("whole disc in sunlight: x, y", (xyz[:2] / xyz.sum()).round(4))
    print(
        "whole disc beside daylight (D65), linear sRGB:", seen(JUPITER_ALBEDO[None], adapted_to_sun=False)[0].round(3)
    )
    told("response without slope", family(), flat)
    even = [float(flat(band, JUPITER_ALBEDO)) for band in BANDS]
    print("whole disc, response without slope, over green:", (np.array(even) / even[1]).round(3))
    sphere = spectra.planck(3000.0)
    for band in BANDS:
        inside = spectra.response(band) > 0
        per = [(light * spectra.response(band)).sum() / light[inside].sum() for light in (sunlight(), sphere)]
        print(f"{band}: counts per in-band radiance of sunlight over those of a 3000 K sphere {per[0] / per[1]:.3f}")
    draw(Path(__file__).with_suffix(".svg"), matrix)


def draw(path: Path, matrix: np.ndarray) -> None:
    """Albedo and bands, with the colours of the disc: bands as they are, by the matrix, as seen."""

    def points(values: np.ndarray, scale: float) -> str:
        at = zip(40 + (WAVELENGTH_NM - 380) * 1.1, 260 - values * scale, strict=True)
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in at)

    lines = [f'<polyline points="{points(JUPITER_ALBEDO, 400)}" fill="none" stroke="#333" stroke-width="2"/>']
    for band, colour in zip(BANDS, ("#c33", "#393", "#33c"), strict=True):
        response = spectra.response(band)
        lines.append(f'<polyline points="{points(response / response.max(), 200)}" fill="none" stroke="{colour}"/>')
    bands = np.array([float(band_reflectance(band, JUPITER_ALBEDO)) for band in BANDS])
    swatches = {"bands as they are": bands, "by the matrix": matrix @ bands, "as seen": seen(JUPITER_ALBEDO[None])[0]}
    for k, (name, linear) in enumerate(swatches.items()):
        code = "".join(f"{c >> 8:02x}" for c in encode_srgb((1.4 * linear).astype(np.float32)).tolist())
        lines.append(f'<rect x="{40 + 200 * k}" y="300" width="190" height="60" fill="#{code}"/>')
        lines.append(f'<text x="{46 + 200 * k}" y="318">{name}</text>')
    lines += [f'<text x="{40 + (nm - 380) * 1.1:.0f}" y="280">{nm}</text>' for nm in range(400, 901, 100)]
    lines.append(
        '<text x="44" y="24">albedo of Jupiter (black, full scale 0.65), relative response of the bands</text>'
    )
    body = "\n".join(lines)
    head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 660 370" font-family="sans-serif" font-size="12">'
    path.write_text(f'{head}\n<rect width="660" height="370" fill="white"/>\n{body}\n</svg>\n', encoding="utf-8")


if __name__ == "__main__":
    main()
