"""Captions of real images, against what NASA wrote and what a look at the pictures tells."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from perijove.cli import app
from perijove.geometry.kernels import KernelFolder, read_states
from perijove.geometry.timescale import utc_to_et
from perijove.story.position import KM_PER_MILE, Position


def test_a_published_altitude(real_data: Path) -> None:
    et = utc_to_et("2017-02-02T13:13:00")
    states = read_states(KernelFolder.find(real_data / "spice"), np.array([et]))
    assert states is not None
    place = Position.of_state(et, states[0][0], states[1][0])
    # 2 February 2017, 5:13 a.m. PST: "about 9,000 miles".
    assert place.altitude_km / KM_PER_MILE == pytest.approx(9000, rel=0.03)


def test_the_command(real_data: Path) -> None:
    raw = real_data / "raw" / "JNCE_2022229_44C00032_V01-raw.png"
    result = CliRunner().invoke(
        app, ["caption", str(raw), "--timezone", "America/Los_Angeles", "--json"], catch_exceptions=False
    )
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["facts"]["perijove"] == 44
    # The label has 85,911 km; perijove was at 14:45:39 UTC.
    assert told["facts"]["altitude_km"] == pytest.approx(85_911, abs=100)
    assert told["facts"]["since_perijove_s"] == pytest.approx(-3643, abs=60)
    assert "6:44 a.m. PDT (13:44 UTC)" in told["long"]
    # As the picture shows it: on the left the limb is out of the field.
    assert (told["facts"]["limb"], told["facts"]["terminator"]) == (["top", "bottom"], ["right"])
    assert told["short"].startswith("Jupiter's northern hemisphere from 85,900 kilometers (53,400 miles)")


def test_an_unknown_time_zone(real_data: Path) -> None:
    raw = real_data / "raw" / "JNCE_2022229_44C00032_V01-raw.png"
    result = CliRunner().invoke(app, ["caption", str(raw), "--timezone", "Mars/Olympus"])
    assert result.exit_code == 2
    assert "no time zone" in result.stderr
