"""What a label alone tells of an image, before any of its pixels is read."""

from dataclasses import asdict
from typing import Any

import numpy as np

from perijove.archive.label import ImageLabel
from perijove.constants import FOCAL_LENGTH_PX
from perijove.geometry.attitude import TURN_PER_FRAME_RAD
from perijove.geometry.ephemeris import mid_time
from perijove.geometry.timescale import et_to_utc


def label_report(label: ImageLabel) -> dict[str, Any]:
    """All fields of a label, and the geometry that follows from them.

    Parameters
    ----------
    label : ImageLabel

    Returns
    -------
    dict
        Ready for JSON: ``label`` holds the label's own fields, ``geometry`` what follows from them. Units are
        in the names; what the label does not state is None.

    Notes
    -----
    The spin sweep is the angle by which the spacecraft turned between the first and the last frame. The scale
    is that of a pixel at the sub-spacecraft point: altitude over focal length.
    """
    fields = {name: _known(value) for name, value in asdict(label).items()}
    fields["product_id"] = str(label.product_id)
    has_position = bool(np.isfinite(label.altitude_km))
    return {
        "label": fields,
        "geometry": {
            "mid_time_utc": et_to_utc(mid_time(label)),
            "spin_sweep_deg": float(np.degrees(TURN_PER_FRAME_RAD * (label.frames - 1))),
            "has_position": has_position,
            "nadir_scale_km_per_px": (
                label.altitude_km * label.sampling_factor / FOCAL_LENGTH_PX if has_position else None
            ),
        },
    }


def _known(value: Any) -> Any:
    """Give lists for tuples, None for numbers that are not there."""
    if isinstance(value, tuple):
        return list(value)
    return None if isinstance(value, float) and not np.isfinite(value) else value
