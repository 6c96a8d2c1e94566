"""The table and the plot of the colour weights."""

import csv
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from perijove.compose.drift import Weights
from perijove.errors import OptionError
from perijove.products.drift_table import write_drift

WEIGHTS = [
    Weights(43, 0.94, 0.03, 1.06, 0.03, ("JNCE_A",), float("nan")),
    Weights(44, 0.87, 0.02, 1.01, 0.03, ("JNCE_B", "JNCE_C"), 2.5),
]


def test_the_table_says_what_was_measured(tmp_path: Path) -> None:
    table, document, _ = write_drift(tmp_path / "new", WEIGHTS)
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["perijove"]) for row in rows] == [43, 44]
    assert float(rows[1]["red_over_green"]) == 0.87
    assert rows[1]["images"] == "JNCE_B JNCE_C"
    told = json.loads(document.read_text(encoding="utf-8"))
    assert told["perijoves"][0]["blue_sigma"] == 0.03
    assert told["perijoves"][0]["chi2_per_degree"] is None


def test_the_plot_has_a_point_for_each_weight_at_its_height(tmp_path: Path) -> None:
    plot = write_drift(tmp_path, WEIGHTS)[2]
    name = "{http://www.w3.org/2000/svg}"
    points = ElementTree.parse(plot).getroot().findall(f"{name}circle")
    assert len(points) == 4
    red = [float(point.get("cy")) for point in points[::2]]  # type: ignore[arg-type]
    blue = [float(point.get("cy")) for point in points[1::2]]  # type: ignore[arg-type]
    # Upwards is less in SVG; one scale for both.
    assert red[1] > red[0] > blue[1] > blue[0]
    assert (red[1] - red[0]) / (blue[1] - blue[0]) == pytest.approx(0.07 / 0.05, abs=0.05)


def test_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="no colour weights to write"):
        write_drift(tmp_path, [])
