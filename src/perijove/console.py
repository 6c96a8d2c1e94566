"""What commands print for people.

Nothing heavy is imported before something is printed.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rich.console import Console

#: Units at the ends of names; the longer ones first.
_UNITS: Final = {"_km_per_px": "km/px", "_km": "km", "_deg": "deg", "_px": "px", "_s": "ms", "": ""}
#: Ways in which a trajectory may be off.
_WAYS: Final = ("radial", "along_track", "normal")


def console(*, stderr: bool = False) -> "Console":
    """A console that prints text as it is."""
    from rich.console import Console

    # Paths and messages may hold brackets and numbers: they are printed as they are, wrapped by the terminal.
    return Console(stderr=stderr, markup=False, highlight=False, emoji=False, soft_wrap=True)


@contextmanager
def progress(quiet: bool) -> Iterator[Callable[[str], None]]:
    """Show the pipeline's stages: a spinner on a terminal, nothing elsewhere."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    with console(stderr=True).status("starting") as status:
        yield status.update


def print_summary(report: Mapping[str, Any], verbose: bool) -> None:
    """The report of an image in a few lines."""
    geometry = report["geometry"]
    limb, attitude, position = geometry["limb"], geometry["attitude"], geometry["position"]
    used = limb["points"] - limb["rejected"]
    rows: dict[str, Any] = {
        "title": report["title"],
        "mid time": f"{geometry['mid_time_utc']} UTC",
        "position": position["source"],
        "attitude": f"{attitude['source']}, spin axis from {attitude['spin_axis_prior']}",
        "spin axis": (
            f"{attitude['spin_axis_from_earth_deg']:.2f} deg from the Earth, "
            f"known to {attitude['spin_axis_sigma_deg']:.2f} deg"
        ),
        "limb": (
            f"median residual {limb['residual_median_px']:.2f} px over {used} points"
            if limb["residual_median_px"] is not None
            else "not used"
        ),
        "ties": _ties_told(geometry["ties"]),
        "position error": _error_told(geometry["position_error"]),
    }
    if verbose:
        rows["calibration"] = "\n".join(report["calibration"])
        rows["solved"] = _parameters_told(geometry["parameters"])
    print_rows(report["product"], {**rows, "written": "\n".join(report["files"])})


def print_solution(report: Mapping[str, Any], verbose: bool) -> None:
    """The report of a pass: a table of its images, what they share, and how far from the kernels they are."""
    from rich.table import Table

    spin = report["spin"]
    table = Table(title=f"Perijove {report['perijove']}", title_justify="left", title_style="bold", box=None)
    table.add_column("image")
    for heading in ("limb px", "ties px", "start ms", "error px", "error km"):
        table.add_column(heading, justify="right")
    for image in report["images"]:
        error, start = image["position_error"] or {}, image["parameters"]["start_time_offset"]
        numbers = [
            _number(image["limb"]["residual_median_px"], 2),
            _number(image["ties"]["residual_median_px"], 2),
            _number(start["value"] * 1000, 1),
            _number(error.get("median_px"), 2),
            _number(error.get("median_km"), 1),
        ]
        table.add_row(image["product"], *numbers)
    console().print(table)
    rows: dict[str, Any] = {
        "spin axis": f"known to {spin['axis_sigma_deg']:.3f} deg, expected from {spin['axis_prior']}",
    }
    if report["left_out"]:
        rows["left out"] = "\n".join(report["left_out"])
    differences = [told for image in report["images"] for told in _differences_told(image)]
    if differences:
        rows["from kernels"] = "\n".join(differences)
    if verbose:
        rows["solved"] = _parameters_told(report["parameters"])
    print_rows("All images", {**rows, "written": "\n".join(report["files"])})


def print_set(report: Mapping[str, Any]) -> None:
    """The report of a calibration set: a line a band."""
    rows: dict[str, Any] = {}
    for band in report["bands"]:
        error = band["change_along_lines_error_percent"]
        known = "no shared ground" if error is None else f"+- {error:.2f} %"
        rows[f"{band['band']}, TDI {band['tdi_stages']}"] = (
            f"{band['change_along_lines_percent']:+.2f} % along the lines ({known}), "
            f"columns {band['column_gain_percent']:.2f} %, {band['dust_pixels']} pixels under dust, "
            f"{band['hot_pixels']} hot, {band['bad_pixels']} bad; {len(band['products'])} images, "
            f"{100 * band['lit_part']:.0f} % of the pixels were lit"
        )
    from pathlib import Path

    print_rows("Calibration set", {**rows, "written": str(Path(report["files"][-1]).parent)})


def _differences_told(image: Mapping[str, Any]) -> Iterator[str]:
    """How far an image's solution is from the kernels that it began with."""
    found = image["from_kernels"] or {}
    if position := found.get("trajectory"):
        ways = ", ".join(f"{position[f'{way}_km']:+.1f} {way.replace('_', ' ')}" for way in _WAYS)
        yield f"{image['product']}: {position['distance_km']:.1f} km from {position['source']} ({ways})"
    if attitude := found.get("attitude"):
        yield (
            f"{image['product']}: boresight {attitude['boresight_px']:.2f} px from {attitude['source']}, "
            f"turned about it by {attitude['about_boresight_deg']:+.4f} deg"
        )


def _ties_told(ties: Mapping[str, Any]) -> str:
    used = ties["ties"] - ties["rejected"]
    return f"median residual {ties['residual_median_px']:.2f} px over {used} ties between bands" if used else "not used"


def _error_told(error: Mapping[str, Any] | None) -> str:
    if error is None:
        return "no ground in the image"
    return f"median {error['median_px']:.2f} px, {error['median_km']:.1f} km on the ground, expected"


def _parameters_told(parameters: Mapping[str, Any]) -> str:
    return "\n".join(f"{name} {p['value']:.6g} +- {p['sigma']:.2g} {p['unit']}" for name, p in parameters.items())


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def print_rows(title: str, rows: Mapping[str, Any]) -> None:
    """Names and values below a title; values may have several lines."""
    out = console()
    out.print(title, style="bold")
    told = [_in_words(name, value) for name, value in rows.items()]
    width = max(len(name) for name, _ in told)
    for name, value in told:
        first, *others = value.split("\n")
        out.print(f"  {name:<{width}}  {first}".rstrip())
        for line in others:
            out.print(f"  {'':<{width}}  {line}")


def _in_words(name: str, value: Any) -> tuple[str, str]:
    """Name and value for people: the unit moves from the one to the other."""
    suffix = next((suffix for suffix in _UNITS if name.endswith(suffix)), "")
    name = name.removesuffix(suffix).replace("_", " ")
    if value is None or value == "":
        return name, "not stated"
    if isinstance(value, bool):
        return name, "yes" if value else "no"
    if isinstance(value, list):
        return name, ", ".join(value)
    if isinstance(value, float):
        number = f"{value * 1000 if suffix == '_s' else value:,.4f}".rstrip("0").rstrip(".")
        return name, f"{number} {_UNITS[suffix]}"
    return name, str(value)
