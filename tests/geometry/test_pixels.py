"""Ground points find back the pixels that saw them."""

import numpy as np

from perijove.geometry.camera import Camera
from perijove.geometry.pointing import Pointing
from perijove.geometry.rotation import frame_with_z


def test_pixels_invert_ground() -> None:
    position = np.array([[60000.0, -90000.0, 80000.0], [60010.0, -89990.0, 79990.0]])
    look = frame_with_z(-position[0], [0.0, 0.0, 1.0])
    pointing = Pointing(
        np.array([7.0e8, 7.0e8 + 0.374]),
        np.stack([look, look]),
        position,
        np.full((2, 3), 30.0),
        np.array([1.0, 0.0, 0.0]),
        np.array([1.0, 0.0, 0.0]),
        {band: Camera.for_band(band).with_principal_row(-28.0) for band in ("BLUE", "RED")},
    )
    x, y = np.meshgrid(np.linspace(300, 1300, 9), np.linspace(2, 126, 5))
    for band in ("BLUE", "RED"):
        for frame in (0, 1):
            ground = pointing.ground(band, frame, x, y)
            assert np.isfinite(ground).all()
            seen = pointing.pixels(band, frame, ground)
            # The light time of the ground point differs from that of the apparent one by its square: 1e-5 px.
            np.testing.assert_allclose(seen, (x, y), atol=1e-4)
