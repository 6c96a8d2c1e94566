"""The drift of the colour weights with the perijoves: a table and a plot."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from perijove.compose.drift import Weights
from perijove.compose.spectra import published_ratios
from perijove.errors import OptionError
from perijove.files import replacing
from perijove.products.raster import check_folder, write_json

#: Plot: width, height, margins left, top, right, bottom.
_SIZE, _MARGINS = (720, 360), (60, 20, 20, 50)
_COLOURS: Final = {"red": "#c0392b", "blue": "#2471a3"}


def write_drift(folder: Path, weights: Sequence[Weights]) -> list[Path]:
    """Write ``colour-weights.csv``, ``.json`` and ``.svg``.

    Parameters
    ----------
    folder : Path
        Made if it does not exist.
    weights : sequence of Weights

    Returns
    -------
    list of Path

    Raises
    ------
    OptionError
        If there is nothing to write, or the folder cannot be written to.
    """
    if not weights:
        raise OptionError("there are no colour weights to write; measure the colour of an image first")
    check_folder(folder)
    paths = [folder / f"colour-weights.{suffix}" for suffix in ("csv", "json", "svg")]
    rows = [entry.row() for entry in weights]
    table = io.StringIO()
    writer = csv.DictWriter(table, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: f"{v:.4f}" if isinstance(v, float) else v for k, v in row.items()} for row in rows)
    red, blue = published_ratios()
    about = "what red and blue of the calibrated I/F are multiplied by, green being left, for the published colour"
    with replacing(paths[0]) as temporary:
        temporary.write_text(table.getvalue(), encoding="utf-8")
    write_json(paths[1], {"about": about, "published_ratios": {"red": red, "blue": blue}, "perijoves": rows})
    with replacing(paths[2]) as temporary:
        temporary.write_text(_plot(weights), encoding="utf-8")
    return paths


def _plot(weights: Sequence[Weights]) -> str:
    """Weights with their standard errors over the perijoves, as SVG."""
    (width, height), (left, top, right, bottom) = _SIZE, _MARGINS
    first, last = weights[0].perijove - 1, weights[-1].perijove + 1
    ends = [w.red + k * w.red_sigma for w in weights for k in (-1, 1)]
    ends += [w.blue + k * w.blue_sigma for w in weights for k in (-1, 1)] + [1.0]
    low, high = min(ends) - 0.02, max(ends) + 0.02

    def x(perijove: float) -> float:
        return left + (perijove - first) / (last - first) * (width - left - right)

    def y(value: float) -> float:
        return top + (high - value) / (high - low) * (height - top - bottom)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"',
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<path d="M{left} {top}V{height - bottom}H{width - right}" fill="none" stroke="#333"/>',
        f'<path d="M{left} {y(1.0):.1f}H{width - right}" stroke="#999" stroke-dasharray="4"/>',
        f'<text x="{width / 2}" y="{height - 12}" text-anchor="middle">perijove</text>',
        f'<text x="{left + 10}" y="{top + 12}">weight over green: red and blue, with standard errors</text>',
    ]
    ticks = range(round(low * 20 + 0.5), round(high * 20 - 0.5) + 1)
    parts += [f'<text x="{left - 8}" y="{y(t / 20) + 4:.1f}" text-anchor="end">{t / 20:.2f}</text>' for t in ticks]
    for w in weights:
        parts.append(f'<text x="{x(w.perijove):.1f}" y="{height - 32}" text-anchor="middle">{w.perijove}</text>')
        for shift, (name, colour) in zip((-4, 4), _COLOURS.items(), strict=True):
            value, sigma, at = getattr(w, name), getattr(w, f"{name}_sigma"), x(w.perijove) + shift
            parts.append(f'<path d="M{at:.1f} {y(value - sigma):.1f}V{y(value + sigma):.1f}" stroke="{colour}"/>')
            parts.append(f'<circle cx="{at:.1f}" cy="{y(value):.1f}" r="4" fill="{colour}"/>')
    return "\n".join([*parts, "</svg>", ""])
