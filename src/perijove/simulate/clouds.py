"""What is where on the procedural Jupiter: bands, and the vortices that have a name.

Albedos here are relative to the mean of the disc, so that bands and vortices can be read and compared;
:func:`band_table` brings them to the published brightness. Latitudes are planetographic.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: Columns of the band table: four albedos, how far eddies stir, contrast of texture, contrast of zonal streaks, share
#: of folded filamentary regions, and the weights of the texture in BLUE, GREEN, RED, METHANE.
COLUMNS: Final = 12
#: Latitudes in the band table: this many to the degree.
PER_DEGREE: Final = 20

# South edge (at a jet of `geometry.winds` where there is one); softness of that edge, degrees; albedo in blue, green,
# red against the mean of the disc; methane albedo; stirring, texture, streaks, filamentary regions. Belts and zones
# after Rogers 1995, The Giant Planet Jupiter, their edges at the jets after Porco et al. 2003; colours after the ratios
# of Hubble's and Cassini's maps; methane: polar hoods, equatorial zone and tropical zones bright, belts dark.
_BANDS: Final = (
    (-90.0, 1.0, (0.77, 0.75, 0.67), 0.090, 0.95, 0.085, 0.00, 0.45),  # south polar region
    (-66.9, 1.2, (0.81, 0.84, 0.82), 0.058, 0.85, 0.075, 0.02, 0.55),
    (-60.9, 1.0, (0.83, 0.88, 0.88), 0.048, 0.80, 0.065, 0.03, 0.45),
    (-56.0, 0.8, (0.87, 0.91, 0.93), 0.046, 0.60, 0.060, 0.04, 0.30),
    (-52.3, 0.7, (0.92, 0.95, 0.97), 0.050, 0.70, 0.055, 0.05, 0.30),
    (-47.8, 0.8, (0.84, 0.90, 0.93), 0.044, 0.80, 0.070, 0.05, 0.55),
    (-43.3, 0.5, (0.80, 0.88, 0.93), 0.046, 0.75, 0.070, 0.05, 0.40),  # S.S. temperate belt
    (-38.8, 0.6, (0.90, 0.94, 0.97), 0.048, 0.75, 0.065, 0.05, 0.45),
    (-36.0, 0.5, (1.04, 1.03, 1.03), 0.054, 0.45, 0.045, 0.05, 0.05),  # south temperate zone
    (-32.6, 0.7, (0.95, 0.97, 1.00), 0.050, 0.60, 0.055, 0.06, 0.35),  # south temperate belt, pale
    (-27.2, 0.6, (1.30, 1.19, 1.12), 0.062, 0.16, 0.028, 0.03, 0.00),  # south tropical zone
    (-20.6, 0.5, (0.64, 0.79, 0.88), 0.045, 0.55, 0.080, 0.08, 0.00),  # south equatorial belt
    (-16.8, 0.8, (0.80, 0.89, 0.95), 0.048, 0.75, 0.090, 0.08, 0.00),
    (-13.2, 0.9, (0.62, 0.76, 0.85), 0.046, 0.50, 0.070, 0.09, 0.00),
    (-7.6, 0.5, (1.28, 1.18, 1.11), 0.080, 0.35, 0.036, 0.05, 0.00),  # equatorial zone
    (-2.2, 0.7, (1.15, 1.11, 1.07), 0.090, 0.20, 0.028, 0.05, 0.00),  # equatorial band
    (0.3, 0.8, (1.24, 1.16, 1.10), 0.084, 0.45, 0.040, 0.04, 0.00),
    (6.4, 0.6, (0.86, 0.91, 0.94), 0.055, 0.35, 0.060, 0.06, 0.00),  # lane of the hot spots
    (8.6, 0.6, (0.55, 0.71, 0.82), 0.042, 0.75, 0.110, 0.08, 0.00),  # north equatorial belt
    (13.5, 0.8, (0.61, 0.75, 0.85), 0.043, 0.80, 0.110, 0.08, 0.00),
    (17.4, 0.7, (0.86, 0.93, 0.97), 0.050, 0.40, 0.060, 0.06, 0.00),
    (20.2, 0.5, (1.24, 1.16, 1.10), 0.060, 0.16, 0.028, 0.03, 0.00),  # north tropical zone
    (23.9, 0.4, (0.72, 0.83, 0.92), 0.048, 0.30, 0.055, 0.09, 0.00),  # north temperate belt
    (27.4, 0.7, (0.98, 0.98, 1.00), 0.052, 0.40, 0.050, 0.06, 0.05),
    (29.6, 0.5, (1.24, 1.16, 1.10), 0.058, 0.25, 0.034, 0.04, 0.00),  # north temperate zone
    (33.4, 0.7, (0.97, 0.99, 1.01), 0.050, 0.50, 0.055, 0.06, 0.20),
    (36.6, 0.6, (0.80, 0.88, 0.94), 0.046, 0.80, 0.070, 0.06, 0.45),  # N.N. temperate belt
    (40.6, 0.6, (0.94, 0.96, 0.99), 0.050, 0.65, 0.060, 0.05, 0.25),
    (44.8, 0.7, (0.86, 0.92, 0.96), 0.046, 0.75, 0.065, 0.04, 0.50),
    (50.0, 0.9, (0.85, 0.90, 0.93), 0.046, 0.80, 0.065, 0.03, 0.55),
    (57.0, 1.0, (0.82, 0.87, 0.88), 0.050, 0.85, 0.065, 0.03, 0.55),
    (63.0, 1.2, (0.80, 0.82, 0.79), 0.062, 0.90, 0.080, 0.01, 0.45),
    (67.5, 1.2, (0.78, 0.76, 0.67), 0.088, 1.00, 0.085, 0.00, 0.45),  # north polar region
)  # fmt: skip

#: Weights of the texture by latitude: clouds differ most in blue in the belts, most in red at the bluish poles.
_TINT_LATITUDES: Final = (0.0, 55.0, 68.0, 90.0)
_TINTS: Final = np.array(
    [(1.35, 1.0, 0.72, 0.5), (1.1, 1.0, 0.85, 0.5), (0.7, 0.95, 1.15, 0.5), (0.65, 0.9, 1.15, 0.5)]
)

#: Mean albedo of the whole disc at zero phase in BLUE, GREEN, RED: the mean of the bands is that of Karkoschka 1994
#: (Icarus 111:174), the colour is the one in which JunoCam's calibrated images show the lit disc (red over green 1.055,
#: blue over green 0.88 in 44C00029 and 44C00032): what is simulated is what the camera would send.
DISC_ALBEDO: Final = (0.423, 0.480, 0.507)


def band_table(limb_darkening: tuple[float, ...]) -> Floats:
    """The bands as a table over latitude.

    Parameters
    ----------
    limb_darkening : tuple of float
        Minnaert's k in BLUE, GREEN, RED, with which the disc has its published brightness.

    Returns
    -------
    ndarray, (180 PER_DEGREE + 1, COLUMNS)
        From 90 S to 90 N.
    """
    lat = np.linspace(-90.0, 90.0, 180 * PER_DEGREE + 1)
    rows = np.array([[*colour, *rest] for _, _, colour, *rest in _BANDS])
    table = np.empty((lat.size, COLUMNS))
    table[:, :8] = rows[0]
    for (edge, softness, *_), step in zip(_BANDS[1:], np.diff(rows, axis=0), strict=True):
        table[:, :8] += step * 0.5 * (1.0 + np.tanh((lat[:, None] - edge) / softness))
    for column, tint in enumerate(_TINTS.T):
        table[:, 8 + column] = np.interp(np.abs(lat), _TINT_LATITUDES, tint)
    for column, (k, published) in enumerate(zip(limb_darkening, DISC_ALBEDO, strict=True)):
        table[:, column] *= published / _disc_mean(lat, table[:, column], k)
    return table


def _disc_mean(lat_deg: Floats, albedo: Floats, k: float) -> float:
    """Mean I/F of the disc seen and lit along the equator, for an albedo that depends on latitude only."""
    y, x = np.mgrid[-0.995:1:0.01, -0.995:1:0.01]
    mu = np.sqrt(np.maximum(1.0 - x * x - y * y, 0.0))
    inside = mu > 0
    values = np.interp(np.degrees(np.arcsin(y[inside])), lat_deg, albedo) * mu[inside] ** (2 * k - 1)
    return float(values.mean())


@dataclass(frozen=True)
class Vortex:
    """An oval, a barge, a spot or a polar cyclone.

    Attributes
    ----------
    name : str
    lat_graphic_deg, lon_w_sys3_deg : float
        Centre at J2000; it drifts with ``drift_m_s``.
    half_width_km, half_height_km : float
    tint : tuple of float
        Factor on the mean albedo of the disc in BLUE, GREEN, RED inside; 0 keeps the band's own.
    methane : float
        Methane albedo inside; 0 keeps the band's own.
    turns : float
        Angle by which its spiral is wound, radians; positive where the inside leads anticlockwise.
    contrast : float
        Contrast of the texture inside.
    rim_m_s : float
        Anticlockwise wind at the rim, m/s.
    ring : float
        Brightness of the collar against its surroundings, relative.
    drift_m_s : float
        Eastward drift in System III.
    """

    name: str
    lat_graphic_deg: float
    lon_w_sys3_deg: float
    half_width_km: float
    half_height_km: float
    tint: tuple[float, float, float] = (0.0, 0.0, 0.0)
    methane: float = 0.0
    turns: float = 2.0
    contrast: float = 0.05
    rim_m_s: float = 0.0
    ring: float = 0.0
    drift_m_s: float = 0.0


#: Centre 22 S, 14,000 x 9,300 km (Hubble, A. Simon); winds near 120 m/s at the rim, six days to a turn.
GREAT_RED_SPOT: Final = Vortex(
    "Great Red Spot", -22.0, 270.0, 7000.0, 4650.0, (0.52, 0.72, 1.04), 0.125, 8.0, 0.17, 120.0, -0.05, 0.0
)
#: The pale hollow around it.
HOLLOW: Final = (1.20, 1.13, 1.08)
_WHITE: Final = (1.22, 1.15, 1.10)
_PALE: Final = (0.98, 1.02, 1.06)
_CREAM: Final = (1.12, 1.10, 1.08)
_BROWN: Final = (0.46, 0.60, 0.72)
_DUSKY: Final = (0.64, 0.75, 0.84)
_RUDDY: Final = (0.80, 0.93, 1.05)


def vortices(seed: int) -> tuple[Vortex, ...]:
    """The named vortices; sizes, longitudes and looks vary with the seed, numbers and latitudes do not."""
    random = np.random.default_rng([seed, 0x6A75])
    grs = GREAT_RED_SPOT
    found = [grs]
    turned = float(random.uniform(0, 360))

    def row(name: str, lat: float, count: int, size: tuple[float, float, float], look: dict[str, object]) -> None:
        """Vortices along a parallel, unevenly spaced but apart."""
        first = float(random.uniform(0, 360))
        for i in range(count):
            scale = 1.0 + 0.35 * float(random.uniform(-1, 1))
            lon = (first + 360.0 / count * (i + 0.52 * float(random.uniform(-1, 1)))) % 360.0
            where = lat + size[2] * float(random.uniform(-1, 1))
            # What a table of looks unpacks to has no type of its own.
            found.append(Vortex(f"{name}{i + 1}", where, lon, size[0] * scale, size[1] * scale, **look))  # type: ignore[arg-type]

    white = {"tint": _WHITE, "methane": 0.075, "ring": -0.085, "contrast": 0.05}
    row("S2-AWO", -40.7, 8, (2100, 1700, 0.3), white | {"turns": 2.5, "rim_m_s": 70.0})
    row("S4-AWO", -60.0, 5, (1600, 1350, 0.6), white | {"turns": 2.5, "tint": _CREAM, "rim_m_s": 50.0})
    row("S3-AWO", -50.0, 4, (1700, 1300, 0.4), white | {"turns": 2.5, "tint": _CREAM, "rim_m_s": 50.0})
    row("BA", -33.2, 1, (3700, 2500, 0), white | {"turns": 3.5, "tint": _PALE, "contrast": 0.04, "rim_m_s": 100.0})
    row("STB-DS", -31.0, 2, (2600, 1300, 0.4), {"tint": _DUSKY, "turns": -1.5, "contrast": 0.08})
    row("barge", 15.6, 5, (3100, 1150, 0.3), {"tint": _BROWN, "turns": 1.2, "contrast": 0.08})
    row("NTrZ-AWO", 19.2, 3, (2700, 1800, 0.2), white | {"turns": -2.5, "rim_m_s": -50.0})
    row("NN-LRS", 40.5, 1, (3000, 2100, 0), white | {"turns": -3.0, "tint": _RUDDY, "rim_m_s": -70.0})
    row("N2-AWO", 41.2, 3, (1700, 1300, 0.3), white | {"turns": -2.5, "rim_m_s": -50.0})
    row("N4-AWO", 52.5, 4, (1700, 1400, 0.8), white | {"turns": -2.5, "tint": _CREAM, "rim_m_s": -40.0})
    row("N5-AWO", 60.5, 3, (1600, 1350, 0.6), white | {"turns": -2.5, "tint": _CREAM, "rim_m_s": -40.0})
    apart = [v for v in found[1:] if not _near(v, grs)]
    return (grs, *_well_apart(apart), *_polar_cyclones(random, turned))


def _near(a: Vortex, b: Vortex) -> bool:
    lon = abs((a.lon_w_sys3_deg - b.lon_w_sys3_deg + 180.0) % 360.0 - 180.0)
    wide = 1.6 * (a.half_width_km + b.half_width_km) / (1200.0 * np.cos(np.radians(a.lat_graphic_deg)))
    tall = 1.6 * (a.half_height_km + b.half_height_km) / 1150.0
    return bool(lon < wide and abs(a.lat_graphic_deg - b.lat_graphic_deg) < tall)


def _well_apart(those: list[Vortex]) -> list[Vortex]:
    kept: list[Vortex] = []
    for vortex in those:
        if not any(_near(vortex, other) for other in kept):
            kept.append(vortex)
    return kept


def _polar_cyclones(random: np.random.Generator, turned: float) -> list[Vortex]:
    """Eight cyclones about one in the north, five about one in the south (Adriani et al. 2018, Nature 555:216).

    Rim speeds: Grassi et al. 2018. The southern one stands off the pole towards 219 W (Tabataba-Vakili et al. 2020).
    """
    found = []
    for name, count, side, size, speed, centre in (
        ("N", 8, 1.0, 2150.0, 75.0, (89.5, 100.0)),
        ("S", 5, -1.0, 2800.0, 80.0, (-88.6, 219.0)),
    ):
        places = [centre] + [
            (
                side * (83.5 + 0.35 * float(random.uniform(-1, 1))),
                (turned + 360.0 / count * (i + 0.1 * float(random.uniform(-1, 1)))) % 360.0,
            )
            for i in range(count)
        ]
        for i, (lat, lon) in enumerate(places):
            scale = 1.0 + 0.1 * float(random.uniform(-1, 1))
            # Filled ones are quiet inside, the others chaotic, by turns as in the north.
            quiet = i % 2 == 1
            look = (0.30 if quiet else 0.42, side * (9.0 if quiet else 4.0))
            found.append(
                Vortex(
                    f"{name}PC" if i == 0 else f"{name}CPC{i}", lat, lon, size * scale, size * scale,
                    (0.0, 0.0, 0.0), 0.0, look[1], look[0], side * speed,
                    -0.06, 0.0,
                )
            )  # fmt: skip
    return found
