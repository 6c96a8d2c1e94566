import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

from perijove.geometry.ellipsoid import from_lat_lon
from perijove.simulate.backplanes import write_true_backplanes
from perijove.simulate.flyby import Programme, plan_flyby


@pytest.mark.parametrize(("factor", "lines", "samples"), [(1, 128, 1648), (2, 64, 816)])
def test_rows_are_those_of_the_raw_picture(factor: int, lines: int, samples: int, tmp_path: Path) -> None:
    flyby = plan_flyby(43, 3, seed=5, programme=Programme("C", factor))
    image = min(flyby.images, key=lambda i: i.label.frames)
    path = write_true_backplanes(tmp_path, image)
    assert path.name == f"{image.label.product_id}-backplanes.tif"
    with tifffile.TiffFile(path) as file:
        planes = {page.tags["PageName"].value: page.asarray() for page in file.pages}
        told = json.loads(file.pages[0].description)
    names = ["lon_w_sys3_deg", "lat_graphic_deg", "incidence_deg", "emission_deg", "phase_deg", "range_km"]
    assert list(planes) == told["planes"] == names
    assert told["bands"] == list(image.label.bands)
    assert {plane.shape for plane in planes.values()} == {(image.label.frames * 3 * lines, samples)}
    rng = np.random.default_rng(0)
    row, column = (found[::97] for found in np.nonzero(planes["emission_deg"] < 80))
    assert len(row) > 100
    ground = from_lat_lon(planes["lat_graphic_deg"][row, column], planes["lon_w_sys3_deg"][row, column])
    for index in rng.choice(len(row), 100, replace=False):
        framelet, line = divmod(int(row[index]), lines)
        frame, band = divmod(framelet, 3)
        x, y = image.pointing.pixels(image.label.bands[band], frame, ground[index])
        # Second order of the aberration, and degrees rounded to 7 cm.
        assert x == pytest.approx(column[index] + 0.5, abs=1e-3)
        assert y == pytest.approx(line + 0.5, abs=1e-3)
