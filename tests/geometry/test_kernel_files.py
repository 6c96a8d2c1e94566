"""Kernels that are written here, read back by SPICE itself."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perijove.errors import KernelError, OptionError
from perijove.geometry.kernel_files import (
    AttitudeSegment,
    StateSegment,
    comment_lines,
    write_ck,
    write_clock,
    write_spk,
    write_text_kernel,
)
from perijove.geometry.kernels import Clock, KernelFolder, clock_ticks, read_attitude, read_states
from perijove.geometry.rotation import rotation_about, rotation_vector_matrix
from perijove.geometry.timescale import utc_to_et

T0 = 7.1e8
AXIS = np.array([0.1, -0.3, 0.2]) / np.linalg.norm([0.1, -0.3, 0.2])
RATE = 0.2077


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    made = Clock(tmp_path / "perijove_leap.tls", tmp_path / "perijove_clock.tsc")
    write_clock(made, ["A clock of its own"])
    return made


def spin(et: np.ndarray) -> np.ndarray:
    return rotation_vector_matrix(RATE * (et - T0)[:, None] * AXIS) @ rotation_about("x", 0.4)


def spin_segment(first: float, last: float) -> AttitudeSegment:
    et = np.arange(T0 + first, T0 + last, 0.374)
    return AttitudeSegment(et, spin(et), np.tile(RATE * AXIS, (len(et), 1)), "spin")


def line(first: float, last: float, shift: float = 0.0) -> StateSegment:
    """A straight way at 50 km/s."""
    et = T0 + np.linspace(first, last, 6)
    speed = np.array([30.0, -40.0, 5.0])
    states = np.hstack([(et - T0)[:, None] * speed + [9e4 + shift, 0, 0], np.tile(speed, (6, 1))])
    return StateSegment(-61, 599, et, states, f"line {shift:g}")


def test_attitude_between_the_records(tmp_path: Path, clock: Clock) -> None:
    write_ck(tmp_path / "a.bc", [spin_segment(0.0, 10.0), spin_segment(60.0, 70.0)], clock)
    folder = KernelFolder.find(tmp_path)
    records = spin_segment(60.0, 70.0).et
    read = read_attitude(folder, records)
    assert read is not None
    np.testing.assert_allclose(read[0], spin(records), rtol=0, atol=1e-9)
    np.testing.assert_allclose(read[1], np.tile(RATE * AXIS, (len(records), 1)), rtol=0, atol=1e-12)
    between = (records[1:] + records[:-1]) / 2
    read = read_attitude(folder, between)
    assert read is not None
    # A double holds the time to 1.2e-7 s, in which the spacecraft turns by 2.5e-8 rad.
    np.testing.assert_allclose(read[0], spin(between), rtol=0, atol=5e-8)
    # What lies between the segments is not interpolated.
    assert read_attitude(folder, np.array([T0 + 30.0])) is None


def test_states(tmp_path: Path) -> None:
    write_spk(tmp_path / "a.bsp", [line(0.0, 20.0), line(50.0, 80.0, 700.0)])
    folder = KernelFolder.find(tmp_path)
    et = T0 + np.array([50.0, 61.3, 80.0])
    read = read_states(folder, et)
    assert read is not None
    np.testing.assert_allclose(read[0], (et - T0)[:, None] * [30.0, -40.0, 5.0] + [90700.0, 0, 0], rtol=0, atol=1e-6)
    assert read_states(folder, np.array([T0 + 30.0])) is None


def test_two_states_are_enough(tmp_path: Path) -> None:
    whole = line(0.0, 20.0)
    ends = StateSegment(-61, 599, whole.et[[0, -1]], whole.states[[0, -1]], "ends")
    write_spk(tmp_path / "a.bsp", [ends])
    read = read_states(KernelFolder.find(tmp_path), whole.et)
    assert read is not None
    np.testing.assert_allclose(read[0], whole.states[:, :3], rtol=0, atol=1e-6)


def test_the_clock(clock: Clock, spice: Any) -> None:
    np.testing.assert_array_equal(clock_ticks(clock, np.array([3e8, T0 + 0.25])), [0.0, (T0 + 0.25 - 3e8) * 256])
    spice.furnsh(str(clock.lsk))
    for utc in ("2016-08-27T12:50:44", "2012-06-30T23:59:59", "2022-08-17T13:44:55.688"):
        assert spice.str2et(utc) == pytest.approx(utc_to_et(utc), abs=2e-7)


def test_another_clock_misses_rather_than_misreads(tmp_path: Path, clock: Clock, clock_writer: Any) -> None:
    """The mission's clock counts from 2000; ours must not pass for it."""
    write_ck(tmp_path / "a.bc", [spin_segment(0.0, 10.0)], clock)
    et = np.array([T0 + 5.0])
    clock_writer(tmp_path)
    both = KernelFolder.find(tmp_path)
    # The mission's comes last, and ours still opens what it wrote.
    assert both.clock is not None
    assert both.clock.sclk.name == "made.tsc"
    assert read_attitude(both, et) is not None
    clock.sclk.unlink()
    assert read_attitude(KernelFolder.find(tmp_path), et) is None


def test_our_own_are_preferred(tmp_path: Path) -> None:
    for name in ("perijove_pj44.bsp", "spk_rec.bsp", "spk_pre.bsp", "perijove_pj44.bc", "z_sc_rec.bc"):
        (tmp_path / name).touch()
    found = KernelFolder.find(tmp_path)
    assert [path.name for path in found.spk] == ["spk_pre.bsp", "spk_rec.bsp", "perijove_pj44.bsp"]
    assert [path.name for path in found.ck] == ["z_sc_rec.bc", "perijove_pj44.bc"]
    assert found.clock is None
    assert found.clocks == ()


def comments_of(spice: Any, path: Path) -> list[str]:
    handle = spice.dafopr(str(path))
    count, lines, done = spice.dafec(handle, 40, 200)
    spice.dafcls(handle)
    assert done
    return [line.rstrip() for line in lines[:count]]


def test_comments(tmp_path: Path, clock: Clock, spice: Any) -> None:
    said = ["Not of the mission", "", "  a    table", "long " * 30 + "Eichstädt \\begindata"]
    write_spk(tmp_path / "a.bsp", [line(0.0, 20.0)], said)
    write_ck(tmp_path / "a.bc", [spin_segment(0.0, 3.0)], clock, said)
    for name in ("a.bsp", "a.bc"):
        found = comments_of(spice, tmp_path / name)
        assert found[:3] == said[:3]
        assert " ".join(found[3:]) == "long " * 30 + "Eichstadt /begindata"
        assert max(map(len, found)) <= 80
    assert comment_lines(["  a\ttab", "x" * 200]) == ["  atab", "x" * 78, "x" * 78, "x" * 44]


def test_text_kernel(tmp_path: Path, spice: Any) -> None:
    path = tmp_path / "a.ti"
    values = {"INS-1_A": 1e-17, "INS-1_B": [0.1, -2.0], "INS-1_N": 7, "INS-1_S": "O'Neill"}
    write_text_kernel(path, "IK", values, ["  \\begindata", "INS-1_A = 5"])
    assert spice.getfat(str(path)) == ("KPL", "IK")
    spice.furnsh(str(path))
    assert spice.gdpool("INS-1_A", 0, 9).tolist() == [1e-17]
    assert spice.gdpool("INS-1_B", 0, 9).tolist() == [0.1, -2.0]
    assert spice.gipool("INS-1_N", 0, 9).tolist() == [7]
    assert list(spice.gcpool("INS-1_S", 0, 9)) == ["O'Neill"]


def test_what_spice_refuses(tmp_path: Path, clock: Clock, spice: Any) -> None:
    kept = tmp_path / "a.bsp"
    write_spk(kept, [line(0.0, 20.0)])
    before = kept.read_bytes()
    good = line(0.0, 20.0)
    backward = StateSegment(-61, 599, good.et[::-1], good.states, "backward")
    for segments in ([], [backward], [StateSegment(-61, 599, good.et, good.states, "n" * 41)]):
        with pytest.raises(KernelError, match=r"cannot write .*a\.bsp: SPICE\("):
            write_spk(kept, segments)
    with pytest.raises(KernelError, match=r"cannot write .*b\.bc: SPICE\("):
        write_ck(tmp_path / "b.bc", [], clock)
    assert kept.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.bsp", clock.sclk.name, clock.lsk.name]
    # Nothing is left open, and the lock is free.
    write_spk(kept, [good])
    assert not spice.failed()


def test_a_place_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OptionError, match="cannot write to"):
        write_spk(tmp_path / "file" / "a.bsp", [line(0.0, 20.0)])
    with pytest.raises(KernelError, match=r"none\.tls"):
        write_ck(tmp_path / "a.bc", [spin_segment(0.0, 3.0)], Clock(tmp_path / "none.tls", tmp_path / "none.tsc"))
