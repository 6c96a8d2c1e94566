"""A procedural Jupiter: albedo maps at any time and scale, its photometry and its moons.

Nothing is drawn from a picture: belts and zones follow the published jets, clouds are noise that eddies fold and the
zonal wind carries, vortices stand where they are known to stand.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.errors import OptionError
from perijove.geometry import winds
from perijove.simulate import clouds
from perijove.simulate.atmosphere import BandPhotometry, photometry
from perijove.simulate.clouds import Vortex
from perijove.simulate.moons import Moon, moons

__all__ = ["BandPhotometry", "Moon", "Planet", "Region", "moons", "photometry"]

Floats = npt.NDArray[np.float64]
Maps = npt.NDArray[np.float32]

#: Bands in the order of the tables.
_ORDER: Final = ("BLUE", "GREEN", "RED", "METHANE")
#: Clouds are sheared from an epoch: the middle of a span of this length, in which their motion is exact.
EPOCH_SPAN_S: Final = 2.0 * 86400.0
#: How long the wind had sheared the texture before the epoch: longer than half a span, so that it never leans back.
_AGE_S: Final = 1.5 * 86400.0
#: Cells finer than this many pixels are not painted.
_PIXELS_PER_CELL: Final = 2.5
#: Poleward of this, vortices are laid out in a plane about the pole.
_POLAR_DEG: Final = 72.0
#: What a texture's red is multiplied by for METHANE: the ratio of the disc's albedos.
_METHANE_OF_RED: Final = 0.11
#: Vortices reach this many half-widths out.
_REACH: Final = 2.4


@dataclass(frozen=True)
class Region:
    """Part of the planet: planetographic latitudes and System III west longitudes, degrees.

    ``west`` is the longitude of the left edge and larger than ``east``, that of the right edge.
    """

    north: float = 90.0
    south: float = -90.0
    west: float = 360.0
    east: float = 0.0

    def __post_init__(self) -> None:
        if not -90.0 <= self.south < self.north <= 90.0:
            raise OptionError(
                f"latitudes of a region run from -90 to 90, south below north; south={self.south}, north={self.north}"
            )
        if not 0.0 < self.west - self.east <= 360.0:
            raise OptionError(
                "west longitudes of a region decrease to the right, by 360 degrees at most; "
                f"west={self.west}, east={self.east}: add 360 to west if the region crosses longitude 0"
            )

    def shape(self, pixels_per_degree: float) -> tuple[int, int]:
        """Rows and columns at a scale."""
        rows, columns = (self.north - self.south, self.west - self.east)
        return max(1, round(rows * pixels_per_degree)), max(1, round(columns * pixels_per_degree))


class Planet:
    """A Jupiter that never was, the same for the same seed.

    Parameters
    ----------
    seed : int
        Chooses clouds and the longitudes, sizes and looks of vortices.
    texture : ndarray, (rows, columns) or (rows, columns, 3), optional
        An equirectangular picture to wear instead, 0 to 1: rows from north to south by planetographic latitude, west
        longitude 360 to 0 from left to right. It stands still unless ``epoch_et`` is given.
    epoch_et : float, optional
        TDB seconds past J2000 about which clouds are followed. By default the middle of the two days a time falls in:
        within these maps differ exactly by the wind, beyond them other shear starts afresh. Give it where
        times further apart must agree: shear then grows with the time from the epoch, without bound.

    Notes
    -----
    Air moves east by the zonal wind of its latitude. Vortices drift as a whole and turn; the polar cyclones and
    the air within about two half-widths of a vortex follow the vortex.
    """

    def __init__(
        self, seed: int = 0, texture: npt.NDArray[np.floating] | None = None, *, epoch_et: float | None = None
    ) -> None:
        self.seed = int(seed)
        self.epoch_et = epoch_et
        self.vortices: tuple[Vortex, ...] = clouds.vortices(self.seed)
        k = tuple(photometry(band).minnaert_k for band in _ORDER[:3])
        self._bands = clouds.band_table(k)
        self._bands.flags.writeable = False
        self._disc = _mean_of_disc(k)
        self._texture = None if texture is None else _checked(texture)

    @staticmethod
    def wind_m_s(lat_graphic_deg: npt.ArrayLike) -> Floats:
        """Eastward wind in System III that carries the clouds, m/s, (...)."""
        return winds.wind_m_s(lat_graphic_deg)

    @staticmethod
    def photometry(band: str) -> BandPhotometry:
        """How the air of a band scatters light."""
        return photometry(band)

    @staticmethod
    def moons(et: float) -> list[Moon]:
        """The Galilean moons at a time."""
        return moons(et)

    def epoch_of(self, et: float) -> float:
        """Epoch whose clouds a map at ``et`` shows, TDB seconds past J2000."""
        if self.epoch_et is not None:
            return self.epoch_et
        return float((np.floor(et / EPOCH_SPAN_S) + 0.5) * EPOCH_SPAN_S)

    def albedo_map(
        self, bands: Sequence[str], et: float, pixels_per_degree: float, region: Region | None = None
    ) -> Maps:
        """Normal albedo on an equirectangular grid in planetographic latitude.

        Parameters
        ----------
        bands : sequence of str
            Of BLUE, GREEN, RED, METHANE.
        et : float
            TDB seconds past J2000.
        pixels_per_degree : float
            Detail is added down to this scale.
        region : Region, optional
            The whole planet by default.

        Returns
        -------
        ndarray, (band, rows, columns), float32
            0 to 1, never NaN. The centre of row r is at latitude ``north - (r + 0.5) / pixels_per_degree``, that
            of column c at west longitude ``west - (c + 0.5) / pixels_per_degree``.

        Raises
        ------
        OptionError
            If a band is unknown or the scale is not positive.
        """
        unknown = [band for band in bands if band not in _ORDER]
        if unknown or not bands:
            raise OptionError(f"bands must be some of {', '.join(_ORDER)}; got {list(bands)}")
        if not 0.0 < pixels_per_degree < 1e5:
            raise OptionError(f"pixels per degree must be positive, and below 100000; got {pixels_per_degree}")
        region = region or Region()
        rows, columns = region.shape(pixels_per_degree)
        lat: Floats = region.north - (np.arange(rows, dtype=np.float64) + 0.5) / pixels_per_degree
        out = np.empty((len(bands), rows, columns), np.float32)
        picks = np.array([_ORDER.index(band) for band in bands])
        if self._texture is not None:
            return self._worn(lat, region.west, pixels_per_degree, et, picks, out)
        from perijove.simulate.paint import paint

        epoch = self.epoch_of(et)
        table = self._vortex_table(et, et - epoch)
        starts, near = _meetings(lat, table)
        drift = winds.drift_deg_s(lat)
        along, _ = winds.metres_per_degree(lat)
        row_table = np.stack([lat, drift * (et - epoch), drift * _AGE_S, along / 1e3, _pole_km(lat)], axis=-1)
        octaves = float(np.log2(8.0 * pixels_per_degree / _PIXELS_PER_CELL)) + 1.0
        spot = float(self._vortex_table(epoch, 0.0)[0, 1])
        paint(
            row_table, -(region.west - 0.5 / pixels_per_degree), 1.0 / pixels_per_degree, self._bands, table, starts,
            near, picks, (max(octaves, 1.0), self.seed, spot), out,
        )  # fmt: skip
        return out

    def _vortex_table(self, et: float, since_s: float) -> Floats:
        """Vortices at a time, in the columns of the kernel."""
        from perijove.simulate import paint as p

        table = np.zeros((len(self.vortices), p.VORTEX_COLUMNS))
        for i, (v, out) in enumerate(zip(self.vortices, table, strict=True)):
            along, up = (float(m) / 1e3 for m in winds.metres_per_degree(v.lat_graphic_deg))
            east = -v.lon_w_sys3_deg
            out[p.LAT], out[p.HALF_W], out[p.HALF_H] = v.lat_graphic_deg, v.half_width_km, v.half_height_km
            out[p.PER_LAT], out[p.PER_LON] = up, along
            if abs(v.lat_graphic_deg) > _POLAR_DEG:
                out[p.POLAR] = np.sign(v.lat_graphic_deg)
                distance = float(_pole_km(np.array(v.lat_graphic_deg)))
                out[p.CX] = distance * np.cos(np.radians(east))
                out[p.CY] = out[p.POLAR] * distance * np.sin(np.radians(east))
            else:
                east += v.drift_m_s * et / (along * 1e3)
            out[p.LON] = east
            out[p.TINT : p.TINT + 4] = [*(np.array(v.tint) * self._disc), v.methane]
            out[p.TURNS], out[p.CONTRAST], out[p.RING] = v.turns, v.contrast, v.ring
            out[p.SPUN] = v.rim_m_s * since_s / (1e3 * v.half_width_km)
            out[p.SEED] = self.seed * 1000 + 3 * i
            out[p.SOFT], out[p.UNEVEN] = (0.7, 0.05) if out[p.POLAR] else (0.84, 0.10)
            if v is clouds.GREAT_RED_SPOT:
                out[p.HOLLOW : p.HOLLOW + 3] = np.array(clouds.HOLLOW) * self._disc
                out[p.SOFT], out[p.UNEVEN] = 0.9, 0.06
        return table

    def _worn(self, lat: Floats, west: float, ppd: float, et: float, picks: npt.NDArray[np.int_], out: Maps) -> Maps:
        """The texture, bilinear, carried by the wind if there is an epoch."""
        assert self._texture is not None
        _, height, width = self._texture.shape
        lon_w = west - (np.arange(out.shape[2]) + 0.5) / ppd
        y = np.clip((90.0 - lat) / 180.0 * height - 0.5, 0.0, height - 1.0)
        top = np.minimum(y.astype(int), height - 2) if height > 1 else np.zeros(len(y), int)
        below = np.minimum(top + 1, height - 1)
        moved = winds.drift_deg_s(lat) * (et - self.epoch_et) if self.epoch_et is not None else np.zeros(len(y))
        for row in range(len(lat)):
            x = ((360.0 - lon_w - moved[row]) / 360.0 * width - 0.5) % width
            left = x.astype(int) % width
            f, g = x - np.floor(x), y[row] - top[row]
            right = (left + 1) % width
            for n, pick in enumerate(picks):
                a, b = self._texture[pick, top[row]], self._texture[pick, below[row]]
                line = (1 - g) * a + g * b
                out[n, row] = (1 - f) * line[left] + f * line[right]
        return out


def _checked(texture: npt.NDArray[np.floating]) -> Maps:
    """A texture as four bands; grey where it has one, METHANE from RED where it has three."""
    image = np.asarray(texture, np.float32)
    if image.ndim == 2:
        image = image[..., None].repeat(3, axis=-1)
    if image.ndim != 3 or image.shape[2] != 3 or min(image.shape) < 1:
        raise OptionError(f"a texture is (rows, columns) or (rows, columns, 3); got {np.shape(texture)}")
    if not (np.min(image) >= 0.0 and np.max(image) <= 1.0):
        raise OptionError(
            f"a texture's values lie between 0 and 1; got {np.min(image):g} to {np.max(image):g}: scale it, "
            "and fill what is not known"
        )
    planes = np.stack([image[..., 2], image[..., 1], image[..., 0], image[..., 0] * np.float32(_METHANE_OF_RED)])
    planes.flags.writeable = False
    return planes


def _mean_of_disc(k: tuple[float, ...]) -> Floats:
    """Normal albedo of an even disc as bright as Jupiter, BLUE, GREEN, RED: mu^(2k-1) averages to 2 / (2k + 1)."""
    return np.array([mean * (2 * one + 1) / 2 for mean, one in zip(clouds.DISC_ALBEDO, k, strict=True)])


def _pole_km(lat_deg: Floats) -> Floats:
    """Distance from the nearer pole along the meridian, km: exact to 1e-4 poleward of 70, where it is used."""
    _, per_degree = winds.metres_per_degree(90.0 - (90.0 - np.abs(lat_deg)) / 2.0)
    return np.asarray((90.0 - np.abs(lat_deg)) * per_degree / 1e3)


def _meetings(lat: Floats, table: Floats) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Which vortices each row may meet: ``near[starts[r]:starts[r + 1]]``."""
    from perijove.simulate import paint as p

    reach = _REACH * table[:, p.HALF_H] / table[:, p.PER_LAT]
    meets = np.abs(lat[:, None] - table[None, :, p.LAT]) <= reach
    starts = np.concatenate([[0], np.cumsum(meets.sum(axis=1))])
    return starts.astype(np.int64), np.nonzero(meets)[1].astype(np.int64)
