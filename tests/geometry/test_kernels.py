"""Reading of kernels that were made here: what is found, what is refused, what is left behind."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perijove.errors import KernelError
from perijove.geometry.kernels import KernelFolder, read_attitude, read_states

T0 = 7e8
KNOTS = T0 + np.arange(0.0, 121.0, 10.0)
TIMES = T0 + np.array([0.0, 33.0, 61.5, 120.0])
SPIN = 0.21
# Far less than the distance that a swap of files would make.
OFFSETS = {"spk_pre_a.bsp": 0.0, "spk_rec_a.bsp": 1000.0}

Write = Callable[..., None]


def juno(et: np.ndarray, offset: float = 0.0) -> np.ndarray:
    """States on a parabola, which cubic polynomials repeat exactly, relative to the barycentre."""
    s = (et - T0)[:, None]
    start, speed = np.array([1e5 + offset, 2e4, -3e4]), np.array([-3.0, 20.0, 4.0])
    pull = np.array([1e-3, 0, 0])
    return np.hstack([start + speed * s + pull * s * s / 2, speed + pull * s])


def jupiter(et: np.ndarray) -> np.ndarray:
    return np.tile([150.0, -40.0, 5.0, 0.01, 0.0, 0.0], (len(et), 1)) + np.hstack(
        [np.outer(et - T0, [0.01, 0, 0]), np.zeros((len(et), 3))]
    )


def spin(et: np.ndarray) -> np.ndarray:
    """Spacecraft to J2000: a turn about +Z."""
    c, s = np.cos(SPIN * (et - T0)), np.sin(SPIN * (et - T0))
    zero = np.zeros_like(c)
    return np.moveaxis(np.array([[c, -s, zero], [s, c, zero], [zero, zero, zero + 1]]), -1, 0)


@pytest.fixture
def folder(tmp_path: Path, spk_writer: Write, ck_writer: Write, clock_writer: Write) -> Path:
    """Two trajectories, an attitude, and the clocks, in a folder with a subfolder."""
    below = tmp_path / "deep"
    below.mkdir()
    for name, offset in OFFSETS.items():
        spk_writer(below / name, KNOTS, juno(KNOTS, offset), jupiter(KNOTS))
    knots = np.arange(T0, T0 + 121.0)
    ck_writer(tmp_path / "sc_rec.bc", knots, spin(knots), np.tile([0, 0, SPIN], (121, 1)))
    clock_writer(tmp_path)
    (tmp_path / "README.txt").write_text("not a kernel")
    return tmp_path


def test_find_sorts_by_kind(folder: Path) -> None:
    (folder / "NEWER.TLS").write_text("KPL/LSK\n")
    found = KernelFolder.find(folder)
    assert [p.name for p in found.spk] == ["spk_pre_a.bsp", "spk_rec_a.bsp"]
    assert [p.name for p in found.ck] == ["sc_rec.bc"]
    assert [p.name for p in found.sclk] == ["made.tsc"]
    assert sorted(p.name for p in found.lsk) == ["NEWER.TLS", "made.tls"]


def test_reconstructions_come_last(folder: Path) -> None:
    (folder / "deep" / "spk_rec_a.bsp").rename(folder / "deep" / "JUNO_REC_0.BSP")
    assert [p.name for p in KernelFolder.find(folder).spk] == ["spk_pre_a.bsp", "JUNO_REC_0.BSP"]


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(KernelError, match="nowhere does not exist; give a folder"):
        KernelFolder.find(tmp_path / "nowhere")
    (tmp_path / "a.bsp").write_bytes(b"")
    with pytest.raises(KernelError, match=r"a\.bsp does not exist"):
        KernelFolder.find(tmp_path / "a.bsp")


def test_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing here")
    (tmp_path / "directory.bsp").mkdir()
    with pytest.raises(KernelError, match="no SPICE kernels"):
        KernelFolder.find(tmp_path)


def test_states_are_relative_to_the_centre(folder: Path) -> None:
    read = read_states(KernelFolder.find(folder), TIMES)
    assert read is not None
    position, velocity, source = read
    assert source.name == "spk_rec_a.bsp"
    expected = juno(TIMES, 1000.0) - jupiter(TIMES)
    np.testing.assert_allclose(np.hstack([position, velocity]), expected, rtol=1e-12)


def test_no_coverage(folder: Path) -> None:
    kernels = KernelFolder.find(folder)
    for late in (-200.0, 60.0, 500.0):
        assert read_states(kernels, TIMES + late) is None
        assert read_attitude(kernels, TIMES + late) is None


def test_another_file_helps_out(folder: Path, spk_writer: Write) -> None:
    # A reconstruction that covers half the times, and one without Jupiter's centre.
    spk_writer(folder / "spk_rec_b.bsp", KNOTS[:5], juno(KNOTS[:5], 5e4), jupiter(KNOTS[:5]))
    spk_writer(folder / "spk_rec_c.bsp", KNOTS, juno(KNOTS, 5e4), None)
    read = read_states(KernelFolder.find(folder), TIMES)
    assert read is not None
    assert read[2].name == "spk_rec_a.bsp"


def test_attitude(folder: Path) -> None:
    read = read_attitude(KernelFolder.find(folder), TIMES)
    assert read is not None
    matrices, rate, source = read
    assert source.name == "sc_rec.bc"
    # The clock counts to 6e-8 s, which the spin turns into 1e-8 rad.
    np.testing.assert_allclose(matrices, spin(TIMES), atol=1e-7)
    np.testing.assert_allclose(rate, np.tile([0, 0, SPIN], (4, 1)), atol=1e-9)


@pytest.mark.parametrize("late", [-1.7, 121.2 - 120.0])
def test_attitude_is_carried_over_the_edge(folder: Path, late: float) -> None:
    et = np.array([T0 if late < 0 else T0 + 120.0]) + late
    read = read_attitude(KernelFolder.find(folder), et)
    assert read is not None
    # SPICE itself would give the edge's attitude, 0.36 rad off.
    np.testing.assert_allclose(read[0], spin(et), atol=1e-7)
    assert read_attitude(KernelFolder.find(folder), et + np.sign(late)) is None


@pytest.mark.parametrize("missing", ["made.tls", "made.tsc"])
def test_attitude_needs_clocks(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    assert read_attitude(KernelFolder.find(folder), TIMES) is None
    assert read_states(KernelFolder.find(folder), TIMES) is not None


DAMAGES = {
    "empty": lambda _: b"",
    "web page": lambda _: b"<html>\n<body>404 not found</body>\n</html>\n" * 40,
    "noise": lambda data: np.random.default_rng(5).bytes(len(data)),
    "head": lambda data: data[:1024],
    "half": lambda data: data[: len(data) // 2 // 1024 * 1024],
    "torn": lambda data: data[:-1024],
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["deep/spk_rec_a.bsp", "sc_rec.bc"])
def test_damaged_binary_kernels(folder: Path, name: str, damage: str, spice: Any) -> None:
    path = folder / name
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    read = read_attitude if path.suffix == ".bc" else read_states
    with pytest.raises(KernelError, match=rf"{path.name}.*download") as caught:
        read(KernelFolder.find(folder), TIMES)
    assert str(folder) in str(caught.value)
    assert spice.ktotal("ALL") == 0
    assert not spice.failed()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("made.tls", ""),
        ("made.tls", "<html>\n</html>\n"),
        ("made.tls", "KPL/SCLK\n"),
        ("made.tls", "KPL/LSK\n\\begindata\nX = ( 1 'a )\n"),
        ("made.tsc", ""),
        ("made.tsc", "<html>\n</html>\n"),
        ("made.tsc", "KPL/SCLK\n\\begindata\nX = ( 1 )\n"),
    ],
)
def test_damaged_text_kernels(folder: Path, name: str, content: str) -> None:
    (folder / name).write_text(content)
    with pytest.raises(KernelError, match=name.replace(".", r"\.")):
        read_attitude(KernelFolder.find(folder), TIMES)


def test_kernels_under_a_wrong_name(folder: Path) -> None:
    (folder / "sc_rec.bc").rename(folder / "spk_rec_z.bsp")
    with pytest.raises(KernelError, match=r"spk_rec_z\.bsp is no SPICE SPK kernel \(DAF/CK\)"):
        read_states(KernelFolder.find(folder), TIMES)


def test_the_pool_is_left_as_found(folder: Path, spice: Any) -> None:
    kernels = KernelFolder.find(folder)
    read_states(kernels, TIMES)
    read_attitude(kernels, TIMES)
    assert spice.ktotal("ALL") == 0
    # Kernels of the caller stay, even those of the folder.
    mine = [str(kernels.spk[0]), str(kernels.lsk[0]), str(kernels.spk[1])]
    spice.furnsh(mine)
    state = spice.spkgeo(-61, T0 + 5.0, "J2000", 599)[0]
    et = spice.str2et("2022-08-17T13:44:55.688")
    read_states(kernels, TIMES)
    read_attitude(kernels, TIMES)
    read_states(kernels, TIMES + 1e4)
    assert [spice.kdata(k, "ALL")[0] for k in range(spice.ktotal("ALL"))] == mine
    assert np.array_equal(spice.spkgeo(-61, T0 + 5.0, "J2000", 599)[0], state)
    assert spice.str2et("2022-08-17T13:44:55.688") == et


def test_kernels_of_the_caller_do_not_answer(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, spice: Any, spk_writer: Write, ck_writer: Write
) -> None:
    elsewhere = tmp_path_factory.mktemp("mine")
    long = T0 + np.arange(-1000.0, 1001.0, 50.0)
    spk_writer(elsewhere / "long.bsp", long, juno(long, 7e4), jupiter(long))
    ck_writer(elsewhere / "long.bc", long, spin(long), np.tile([0, 0, SPIN], (len(long), 1)))
    spice.furnsh([str(elsewhere / "long.bsp"), str(elsewhere / "long.bc")])
    kernels = KernelFolder.find(folder)
    assert read_states(kernels, TIMES + 300.0) is None
    assert read_attitude(kernels, TIMES + 300.0) is None
    read = read_states(kernels, TIMES)
    assert read is not None
    np.testing.assert_allclose(read[0], (juno(TIMES, 1000.0) - jupiter(TIMES))[:, :3], rtol=1e-12)


def test_threads(folder: Path, tmp_path_factory: pytest.TempPathFactory, spk_writer: Write) -> None:
    other = tmp_path_factory.mktemp("other")
    spk_writer(other / "spk_rec.bsp", KNOTS, juno(KNOTS, -8e3), jupiter(KNOTS))
    kernels = [KernelFolder.find(folder), KernelFolder.find(other)]
    expected = [juno(TIMES, offset)[:, :3] - jupiter(TIMES)[:, :3] for offset in (1000.0, -8e3)]
    start = threading.Barrier(4)
    wrong: list[object] = []

    def work(which: int) -> None:
        start.wait(10.0)
        for _ in range(40):
            read = read_states(kernels[which], TIMES)
            turned = read_attitude(kernels[0], TIMES)
            if (
                read is None
                or turned is None
                or np.abs(read[0] - expected[which]).max() > 1e-6
                or np.abs(turned[0] - spin(TIMES)).max() > 1e-6
            ):
                wrong.append((read, turned))

    threads = [threading.Thread(target=work, args=(k % 2,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30.0)
        assert not thread.is_alive()
    assert not wrong
