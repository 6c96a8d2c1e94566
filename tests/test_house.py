"""Rules of the house that a machine can see."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "perijove"
MODULES = sorted(SOURCE.rglob("*.py"))

#: What every module may import; these import nothing of ours but each other.
GROUND = ("errors", "constants", "files")
#: The way of the data: a room may import itself and what stands before it.
FLOW = (
    "archive",
    "calibrate",
    "geometry",
    "register",
    "project",
    "photometry",
    "compose",
    "darkroom",
    "story",
    "products",
)
#: Beside the way: makes raw framelets from a known truth, and may use what describes them. No room imports it.
BESIDE = {"simulate": ("archive", "calibrate", "geometry", "products")}
#: Above all rooms, each above the one before it; `perijove` itself is the public face.
EDGES = (
    "solving",
    "calibrating",
    "pipeline",
    "fitting",
    "annotating",
    "processing",
    "opening",
    "mapping",
    "developing",
    "finishing",
    "shelving",
    "map_pictures",
    "mosaic_inputs",
    "mosaicking",
    "viewing",
    "demo",
    "console",
    "cli",
    "__main__",
)
FACE = "perijove"

MAX_LINES = 450
# Put together here, so that this file does not trip over itself.
FORBIDDEN = ("/" + "tmp/", "TO" + "DO", "FIX" + "ME")


def room_of(module: str) -> str:
    """The room of a dotted module name: its part below the package."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else FACE


def rank(room: str) -> int:
    order = (*FLOW, *EDGES)
    if room in GROUND:
        return -1
    assert room in order, f"room '{room}' has no place in the flow yet: add it to this test"
    return order.index(room)


def imported(tree: ast.AST, package: str) -> Iterator[str]:
    """Modules of ours that a module imports, wherever it does so.

    `perijove:name` stands for a name taken from the package's face.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            names = [f"{base}.{a.name}" if is_module(f"{base}.{a.name}") else base for a in node.names]
            if base == FACE:
                faces = (a.name for a in node.names if not is_module(f"{base}.{a.name}"))
                yield from (f"{FACE}:{name}" for name in faces)
                names = [name for name in names if name != FACE]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] == FACE)


def is_module(name: str) -> bool:
    path = SOURCE.parent.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def backward(module: str, source: str) -> list[str]:
    """Imports of a module that run against the flow."""
    room = room_of(module)
    if room == FACE:
        return []
    package = module if is_module(module + ".__init__") else module.rpartition(".")[0]
    found = []
    for name in imported(ast.parse(source), package):
        if name.startswith(f"{FACE}:"):
            allowed = name == f"{FACE}:__version__" and room in ("products", *EDGES)
        elif room_of(name) == FACE:
            allowed = False
        elif room in GROUND:
            allowed = room_of(name) in GROUND
        elif room in BESIDE:
            allowed = room_of(name) in (room, *GROUND, *BESIDE[room])
        elif room_of(name) in BESIDE:
            allowed = room in EDGES
        else:
            allowed = rank(room_of(name)) <= rank(room)
        if not allowed:
            found.append(f"{module} imports {name}")
    return found


def name_of(path: Path) -> str:
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def test_imports_follow_the_flow() -> None:
    found = [line for path in MODULES for line in backward(name_of(path), path.read_text(encoding="utf-8"))]
    assert not found


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("perijove.archive.label", "from perijove.geometry.camera import Camera"),
        ("perijove.archive.label", "def f():\n    import perijove.pipeline"),
        ("perijove.archive.label", "from perijove import calibrate"),
        ("perijove.archive.label", "from ..register import solve"),
        ("perijove.archive.label", "from ..geometry.camera import Camera"),
        ("perijove.archive.label", "from perijove import __version__"),
        ("perijove.archive.label", "import perijove"),
        ("perijove.geometry.camera", "if True:\n    from perijove.project import view"),
        ("perijove.compose.colour", "from perijove.products.raster import write_png"),
        ("perijove.errors", "from perijove.archive.label import ImageLabel"),
        ("perijove.pipeline", "from perijove.cli import app"),
        ("perijove.products.report", "from perijove import open"),
        ("perijove.register.solve", "import perijove.simulate"),
        ("perijove.simulate", "from perijove.register import solve"),
    ],
)
def test_a_backward_import_is_caught(module: str, source: str) -> None:
    assert backward(module, source)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("perijove.products.report", "from perijove import __version__"),
        ("perijove.register.solve", "from perijove.geometry.camera import Camera"),
        ("perijove.register.solve", "from . import limb"),
        ("perijove.register.solve", "from ..errors import GeometryError\nimport numpy, perijoves"),
        ("perijove.cli", "from perijove import pipeline"),
        ("perijove.constants", "from perijove.errors import InputError"),
    ],
)
def test_a_forward_import_is_free(module: str, source: str) -> None:
    assert not backward(module, source)


def undocumented(tree: ast.AST, where: str) -> Iterator[str]:
    """Public modules, classes, functions, methods and properties without a docstring."""
    if not ast.get_docstring(tree):  # type: ignore[arg-type]
        yield where
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and node.name[0] != "_":
            if isinstance(tree, ast.FunctionDef):
                continue  # what is inside a function is its own affair
            yield from undocumented(node, f"{where}.{node.name}")


def test_everything_public_is_documented() -> None:
    found = [
        name for path in MODULES for name in undocumented(ast.parse(path.read_text(encoding="utf-8")), name_of(path))
    ]
    assert not found


def test_a_missing_docstring_is_caught() -> None:
    source = '"""M."""\nclass A:\n    """A."""\n    def f(self): ...\n    def _g(self): ...\ndef h(): ...'
    assert list(undocumented(ast.parse(source), "m")) == ["m.A.f", "m.h"]


def imports_of(path: Path) -> set[str]:
    """First parts of the names of everything that a module imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    plain = [a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names]
    frm = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {name.split(".")[0] for name in (*plain, *frm)}


def test_spice_is_behind_two_doors() -> None:
    users = {name_of(path) for path in MODULES if "spiceypy" in imports_of(path)}
    # One reads, one writes, under one lock.
    assert users == {"perijove.geometry.kernels", "perijove.geometry.kernel_files"}


def broad_handlers(tree: ast.AST) -> int:
    """Handlers that catch everything."""
    kinds = [node.type for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)]
    return sum(kind is None or ast.unparse(kind) in ("Exception", "BaseException") for kind in kinds)


def test_only_the_command_catches_everything() -> None:
    found = {name_of(path): broad_handlers(ast.parse(path.read_text(encoding="utf-8"))) for path in MODULES}
    assert {name: count for name, count in found.items() if count} == {"perijove.cli.app": 1}


def test_modules_are_short() -> None:
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {name: lines for name, lines in lengths.items() if lines > MAX_LINES} == {}


def texts() -> list[Path]:
    """Everything that people read, and the scripts."""
    folders = [ROOT / name for name in ("src", "tests", "docs", "benchmarks", ".ci")]
    files = [path for folder in folders for path in folder.rglob("*") if "__pycache__" not in path.parts]
    suffixes = ("", ".py", ".md", ".toml", ".sh")
    return [p for p in (*files, *ROOT.glob("*.*")) if p.is_file() and p.suffix in suffixes]


def test_nothing_is_left_undone() -> None:
    seen = texts()
    assert Path(__file__).resolve() in seen
    found = [
        (str(path.relative_to(ROOT)), word)
        for path in seen
        for word in FORBIDDEN
        if word in path.read_text(encoding="utf-8", errors="replace")
    ]
    assert not found
