"""Operators of detail: local contrast, unsharp mask, wavelets, high-pass."""

from typing import Annotated, ClassVar, Final

import numpy as np
from pydantic import Field

from perijove.compose.blocks import by_rows
from perijove.compose.spaces import to_oklab
from perijove.darkroom.canvas import Canvas
from perijove.darkroom.curve import smoothstep
from perijove.darkroom.operators.base import Domain, Operator, Planes
from perijove.darkroom.operators.neighbourhood import (
    Plane,
    blurred,
    filled,
    gaussian,
    ground_of,
    limb_fade,
    relit,
    soft_limit,
)
from perijove.darkroom.operators.tables import luminance, scaled
from perijove.darkroom.operators.wavelets import Scale, scales_of, summed

#: Levels of lightness that local contrast counts.
_LEVELS: Final = 256
#: Where less than this part of a tile is known, its histogram is mixed with an even one.
_FEW: Final = 0.1
#: Lightness (Oklab) of ground whose contrast is raised in full; below, less and less, down to
#: none: there is but noise.
_DARK: Final = 0.35
_NIGHT: Final = np.float32(0.10)

Gain = Annotated[float, Field(ge=0, le=8)]


class LocalContrast(Operator):
    """Contrast-limited adaptive histogram equalisation of Oklab's lightness.

    In each tile, lightness L is mapped to the cumulative histogram there, whose bins are first cut at ``limit`` times
    their mean, and what is cut off is spread evenly; between the centres of tiles the mappings are mixed bilinearly
    (Zuiderveld, Graphics Gems IV, 1994). L becomes L + strength (d - (1 - flatten) mean(d)), with d the mapping's
    change and its mean over half a tile: ``flatten`` 0 keeps the brightness of regions, 1 is the textbook's. Only
    ground is counted. Hue and saturation stay.

    OpenCV's own has, at 16 bits, a limit that depends on the picture's size, and counts black sky; so the histograms
    are made here, and OpenCV interpolates them.
    """

    domain: ClassVar[Domain] = "linear"

    strength: float = Field(0.5, ge=0, le=1)
    limit: float = Field(2.5, ge=1, le=10)
    tile: float = Field(12.5, ge=3, le=50)
    flatten: float = Field(0.0, ge=0, le=1)

    def _applied(self, colour: Planes, canvas: Canvas) -> Planes:
        if self.strength == 0:
            return colour
        ground = ground_of(canvas)
        (lightness,) = by_rows(lambda rows: (np.clip(to_oklab(rows)[..., 0], 0, 1),), colour)
        change = self._mapped(lightness, ground)
        change -= lightness
        planes = [colour, lightness, change, ground, canvas.light.mu]
        if self.flatten < 1:
            planes.append(blurred(change, ground, canvas.pixels(self.tile / 2)))

        def raised(
            colour: Planes, lightness: Plane, change: Plane, ground: Plane, mu: Plane, *mean: Plane
        ) -> tuple[Planes]:
            for plane in mean:
                change = change - np.float32(1 - self.flatten) * plane
            lit = smoothstep((lightness - _NIGHT) * np.float32(1 / (_DARK - _NIGHT)))
            change = change * limb_fade(mu, ground) * lit
            ratio = np.clip(1 + np.float32(self.strength) * change / np.maximum(lightness, np.float32(1e-3)), 0, 2)
            # Oklab is homogeneous: linear light times k^3 is lightness and chroma times k.
            return (scaled(colour, np.asarray(ratio * ratio * ratio, np.float32)),)

        return by_rows(raised, *planes)[0]

    def _mapped(self, lightness: Plane, ground: Plane) -> Plane:
        """Lightness after the mappings of its tiles."""
        import cv2

        height, width = lightness.shape
        tile = max(self.tile * 0.01 * max(height, width), 4.0)
        rows, columns = max(round(height / tile), 1), max(round(width / tile), 1)
        curves = self._curves(lightness, ground, rows, columns)
        # All mappings of one column of tiles lie beside those of the next: one look-up interpolates in level and row.
        x = np.clip((np.arange(width, dtype=np.float32) + 0.5) * (columns / width) - 0.5, 0, columns - 1)
        y = np.clip((np.arange(height, dtype=np.float32) + 0.5) * (rows / height) - 0.5, 0, rows - 1)
        left = np.minimum(x.astype(np.int32), max(columns - 2, 0))
        share = (x - left).astype(np.float32)
        sheet = np.ascontiguousarray(curves.reshape(rows, -1))
        begins = (np.minimum(left + k, columns - 1) * np.float32(_LEVELS + 1) for k in (0, 1))
        one_begins, other_begins = (begin.astype(np.float32) for begin in begins)

        def looked_up(lightness: Plane, y: Plane) -> tuple[Plane]:
            level = lightness * np.float32(_LEVELS)
            at = np.repeat(y, width, axis=1)
            one, other = (cv2.remap(sheet, level + b, at, cv2.INTER_LINEAR) for b in (one_begins, other_begins))
            return (np.asarray(one + share * (other - one), np.float32),)

        return by_rows(looked_up, lightness, y[:, None])[0]

    def _curves(self, lightness: Plane, ground: Plane, rows: int, columns: int) -> Planes:
        """Mapping of each tile at the edges of the levels, (rows, columns, levels + 1)."""
        height, width = lightness.shape
        stride = max(1, max(height, width) // 800)
        picked, weight = lightness[::stride, ::stride], ground[::stride, ::stride]
        level = np.minimum((picked * _LEVELS).astype(np.int32), _LEVELS - 1)
        row = (np.arange(picked.shape[0]) * rows) // picked.shape[0]
        column = (np.arange(picked.shape[1]) * columns) // picked.shape[1]
        tile = (row[:, None] * columns + column[None, :]).astype(np.int32)
        bins = (tile * _LEVELS + level).ravel()
        counts = np.bincount(bins, weight.ravel(), rows * columns * _LEVELS).reshape(-1, _LEVELS)
        enough = _FEW * picked.size / (rows * columns)
        counts += np.maximum(enough - counts.sum(axis=1, keepdims=True), 0) / _LEVELS
        shares = counts / counts.sum(axis=1, keepdims=True)
        cut = np.minimum(shares, self.limit / _LEVELS)
        cut += (1 - cut.sum(axis=1, keepdims=True)) / _LEVELS
        curves = np.concatenate([np.zeros((len(cut), 1)), np.cumsum(cut, axis=1)], axis=1)
        return curves.reshape(rows, columns, -1).astype(np.float32)


class Unsharp(Operator):
    """Unsharp mask on luma: Y becomes Y + amount g (Y - mean(Y)).

    The mean is Gaussian of deviation ``radius`` (percent of the longer side), over ground only. With d = Y - mean,
    g = d^2 / (d^2 + threshold^2) leaves small differences, which are noise, alone. The change is limited softly to
    ``halo``: c / sqrt(1 + (c / halo)^2). All channels change by one factor.
    """

    amount: float = Field(0.5, ge=0, le=5)
    radius: float = Field(0.1, gt=0, le=10)
    threshold: float = Field(0.0, ge=0, le=0.5)
    halo: float = Field(0.15, gt=0, le=1)

    def _applied(self, colour: Planes, canvas: Canvas) -> Planes:
        if self.amount == 0:
            return colour
        ground = ground_of(canvas)

        def change(before: Plane, mean: Plane) -> Plane:
            detail = before - mean
            if self.threshold:
                square = detail * detail
                detail = detail * (square / (square + np.float32(self.threshold**2)))
            return soft_limit(np.float32(self.amount) * detail, self.halo)

        return relit(colour, canvas, ground, change, blurred(luminance(colour), ground, canvas.pixels(self.radius)))


class Wavelet(Operator):
    """Detail of luma, scale by scale: Y becomes Y + sum over scales of (gain - 1) g w.

    w is the a-trous detail with the B3 spline (`scales_of`). The first of the up to six ``gains`` belongs to detail of
    size ``finest`` (spacing of the spline's taps, percent of the longer side), each next one to the double; between
    sizes they are interpolated, detail beyond them is left alone. g = (w^2 / (w^2 + (gate sigma)^2))^2, with sigma the
    deviation that the median of |w| tells, keeps noise from growing. The change is limited softly to ``halo``.
    """

    gains: tuple[Gain, ...] = Field((1.2, 1.4, 1.3, 1.1), min_length=1, max_length=6)
    finest: float = Field(0.06, ge=0.02, le=2)
    gate: float = Field(1.0, ge=0, le=10)
    halo: float = Field(0.12, gt=0, le=1)

    def _applied(self, colour: Planes, canvas: Canvas) -> Planes:
        if all(gain == 1 for gain in self.gains):
            return colour
        ground = ground_of(canvas)
        finest = max(canvas.pixels(self.finest), 1e-3)
        coarsest = finest * 2.0 ** len(self.gains)
        count = max(1, int(np.ceil(np.log2(max(coarsest, 1.0)))) + 1)

        def change(scale: Scale) -> Plane | None:
            gain = self._gain(float(np.log2(scale.spacing / finest)))
            if gain == 1:
                return None
            # Smoothing is no noise that grows.
            sigma = self.gate * scale.noise(ground) if gain > 1 else 0.0
            square = scale.detail * scale.detail
            share = square / (square + np.float32(sigma * sigma + 1e-12))
            return scale.detail * (np.float32(gain - 1) * share * share)

        height, width = ground.shape
        added = summed(scales_of(filled(luminance(colour), ground), count), change, (height, width))
        return relit(colour, canvas, ground, lambda _, added: soft_limit(added, self.halo), added)

    def _gain(self, at: float) -> float:
        """Gain of a scale, ``at`` doublings from the finest one; 1 beyond the given ones."""
        return float(np.interp(at, np.arange(-1, len(self.gains) + 1), (1.0, *self.gains, 1.0)))


class HighPass(Operator):
    """Detail alone, on middle grey: 0.5 + gain (c - mean(c)), for a layer that is blended as overlay or linear light.

    The mean is Gaussian of deviation ``radius`` (percent of the longer side), over ground only; sky and gaps are grey.
    ``colour`` 0 has the detail of luma alone, 1 that of each channel.
    """

    radius: float = Field(0.3, gt=0, le=20)
    gain: float = Field(1.0, ge=0, le=8)
    colour: float = Field(0.0, ge=0, le=1)

    def _applied(self, colour: Planes, canvas: Canvas) -> Planes:
        ground = ground_of(canvas)
        sigma = canvas.pixels(self.radius)
        weight = np.float32(self.gain) * limb_fade(canvas.light.mu, ground)
        grey = luminance(colour)
        detail = np.repeat((grey - blurred(grey, ground, sigma))[..., None], 3, axis=-1)
        if self.colour:
            known = np.maximum(gaussian(ground, sigma), np.float32(1e-4))
            mean = gaussian(scaled(colour, ground), sigma) / known[..., None]
            detail += np.float32(self.colour) * (colour - mean - detail)
        return np.asarray(0.5 + weight[..., None] * detail, np.float32)
