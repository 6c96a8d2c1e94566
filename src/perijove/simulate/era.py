"""What the camera suffered from, and when."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from perijove.errors import OptionError


@dataclass(frozen=True)
class Era:
    """Defects of the detector and of the link at a time of the mission.

    Attributes
    ----------
    name : str
    hot_pixels : int
        Per band.
    hot_dn : tuple of float
        Least and greatest amplitude of a hot pixel, DN.
    hits_per_framelet : float
        Radiation hits, mean number.
    burst_framelets : float
        Part of the framelets in which hits are twenty times as many.
    dark_dn : float
        What is left of the dark level after it was subtracted on board.
    striping_dn : float
        Standard deviation of the columns' offsets, which change from framelet to framelet by a tenth of it.
    column_gain : float
        Standard deviation of the columns' response.
    vignetting : float
        Response lost in the corner of the chip.
    dust : int
        Motes per band, which take some percent of the light of some dozen pixels.
    noise : float
        Read noise relative to the new camera.
    blooming : bool
        Whether charge beyond the full well spills along the columns, or is cut off.
    lost_blocks, missing_framelets : float
        Part of the compression blocks, and of the framelets, that did not arrive.
    """

    name: str
    hot_pixels: int = 0
    hot_dn: tuple[float, float] = (20.0, 160.0)
    hits_per_framelet: float = 0.0
    burst_framelets: float = 0.0
    dark_dn: float = 1.0
    striping_dn: float = 0.0
    column_gain: float = 0.0
    vignetting: float = 0.0
    dust: int = 0
    noise: float = 1.0
    blooming: bool = False
    lost_blocks: float = 0.0
    missing_framelets: float = 0.0


#: "clean" has the noise of the new camera and nothing else. "pj30" follows public masks of perijoves 28 to 32 (some 50
#: to 100 bad pixels a band) and the published flats; "pj56" the notices of that perijove (missionjuno's gallery: less
#: dynamic range, more background and noise; NASA, December 2023: striping). They give no amounts: those here are chosen
#: so that an image is badly striped and the limb can be seen all the same, also in methane.
ERAS: Final = MappingProxyType(
    {
        "clean": Era("clean"),
        "pj30": Era(
            "pj30",
            hot_pixels=70,
            hits_per_framelet=4.0,
            burst_framelets=0.02,
            column_gain=0.003,
            vignetting=0.08,
            dust=12,
            blooming=True,
            lost_blocks=2e-5,
        ),
        "pj56": Era(
            "pj56",
            hot_pixels=400,
            hot_dn=(20.0, 400.0),
            hits_per_framelet=12.0,
            burst_framelets=0.05,
            dark_dn=45.0,
            striping_dn=10.0,
            column_gain=0.006,
            vignetting=0.08,
            dust=16,
            noise=2.5,
            blooming=True,
            lost_blocks=2e-4,
            missing_framelets=0.01,
        ),
    }
)


def era(name: str) -> Era:
    """Era by name.

    Raises
    ------
    OptionError
        If there is none of that name.

    Examples
    --------
    >>> era("pj56").dark_dn > era("pj30").dark_dn
    True
    """
    try:
        return ERAS[name]
    except KeyError:
        raise OptionError(f"there is no era {name!r}; choose one of {', '.join(ERAS)}") from None
