"""What lies at which latitude of Jupiter."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Feature:
    """A belt, a zone, a jet or a place of Jupiter.

    Attributes
    ----------
    name : str
        As it stands in a sentence.
    south_deg, north_deg : float
        Planetographic latitudes.
    """

    name: str
    south_deg: float
    north_deg: float


#: From north to south. Belts and zones by the jets that bound them (Rogers 1995, The Giant Planet Jupiter, table of
#: latitudes; speeds and latitudes of the jets in `perijove.geometry.winds`); the Red Spot's latitude and width from
#: Simon et al. 2018 (Astron. J. 155:151); cyclones about the poles from Adriani et al. 2018 (Nature 555:216).
FEATURES: Final = (
    Feature("the cyclones around the north pole", 82.0, 90.0),
    Feature("the North North Temperate Belt", 35.5, 39.0),
    Feature("the North Temperate Belt", 24.0, 31.0),
    Feature("the fastest jet of the planet", 23.0, 25.0),
    Feature("the North Tropical Zone", 17.5, 24.0),
    Feature("the North Equatorial Belt", 7.0, 17.5),
    Feature("the Equatorial Zone", -7.0, 7.0),
    Feature("the South Equatorial Belt", -20.0, -7.0),
    Feature("the latitude of the Great Red Spot", -27.0, -18.0),
    Feature("the South Temperate Belt", -32.5, -27.0),
    Feature("the cyclones around the south pole", -90.0, -82.0),
)


def features_between(south_deg: float, north_deg: float, chosen: Sequence[Feature] = FEATURES) -> tuple[str, ...]:
    """Names of what lies, more than half of it, between two planetographic latitudes, from north to south.

    Examples
    --------
    >>> features_between(0.0, 20.0)
    ('the North Equatorial Belt', 'the Equatorial Zone')
    """
    found = []
    for feature in chosen:
        shared = min(north_deg, feature.north_deg) - max(south_deg, feature.south_deg)
        if shared >= 0.5 * (feature.north_deg - feature.south_deg):
            found.append(feature.name)
    return tuple(found)
