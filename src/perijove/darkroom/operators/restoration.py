"""Operators that undo what the camera did: deconvolution and denoising."""

from typing import ClassVar, Final, Literal

import numpy as np
from pydantic import Field

from perijove.darkroom.canvas import Canvas
from perijove.darkroom.operators.base import Domain, Operator, Planes
from perijove.darkroom.operators.neighbourhood import Plane, filled, gaussian, ground_of, limb_fade
from perijove.darkroom.operators.tables import luminance, scaled
from perijove.darkroom.operators.wavelets import Scale, scales_of, summed

#: Deviation of the B3 spline's finest two scales of white noise of deviation 1 (Starck & Murtagh 2006).
_WHITE_NOISE: Final = (0.889, 0.200)
#: Blurs narrower than this, pixels, hold nothing that can be won back.
_NARROWEST_PX: Final = 0.3
_TINY: Final = np.float32(1e-5)


class Deconvolve(Operator):
    """Richardson-Lucy deconvolution of luminance, in linear light, with a Gaussian for the camera's blur.

    u becomes u H(d / H(u)), with d the picture, H the blur (symmetric) and u the estimate, at first d (Richardson 1972,
    JOSA 62:55; Lucy 1974, AJ 79:745). It is damped: d / H(u) - 1 is multiplied by (e / (e + 1))^2, with
    e = ((d - H(u)) / (damping sigma))^2 and sigma the noise that the finest detail tells: what differs by
    no more than noise is taken as fitted. All channels change by one factor.

    ``camera_sigma`` is the blur in the camera's pixels (0.45: the optics' transfer of 0.47 at the Nyquist frequency,
    CAL, is a Gaussian of 0.4, and resampling adds to it). The plane ``camera_pixel``, pixels of the picture on one of
    the camera, turns it into pixels of the picture. Without that plane the blur is ``sigma``, percent of the longer
    side. Blurs below 0.3 pixels, as in a small preview, leave the picture as it is.
    """

    domain: ClassVar[Domain] = "linear"

    iterations: int = Field(6, ge=0, le=40)
    camera_sigma: float = Field(0.45, gt=0, le=5)
    sigma: float = Field(0.05, gt=0, le=2)
    damping: float = Field(2.0, ge=0, le=10)

    def _applied(self, colour: Planes, canvas: Canvas) -> Planes:
        ground = ground_of(canvas)
        sigma = self._sigma_px(canvas, ground)
        if self.iterations == 0 or sigma < _NARROWEST_PX:
            return colour
        data = np.maximum(filled(luminance(colour), ground), _TINY)
        noise = self.damping * scales_of(data, 1)[0].noise(ground) / _WHITE_NOISE[0]
        estimate = data
        for _ in range(self.iterations):
            seen = np.maximum(gaussian(estimate, sigma), _TINY)
            off = data - seen
            if noise > 0:
                square = off * off
                share = square / (square + np.float32(noise * noise))
                off = off * share * share
            estimate = estimate * gaussian(np.asarray(1 + off / seen, np.float32), sigma)
        inside = limb_fade(canvas.light.mu, ground)
        return scaled(colour, np.asarray(1 + inside * (np.clip(estimate / data, 0, 4) - 1), np.float32))

    def _sigma_px(self, canvas: Canvas, ground: Plane) -> float:
        if "camera_pixel" not in canvas.planes:
            return canvas.pixels(self.sigma)
        size = canvas.plane("camera_pixel")[(ground > 0)]
        size = size[np.isfinite(size)]
        return self.camera_sigma * float(np.median(size)) if len(size) else 0.0


class Denoise(Operator):
    """Take out noise, of colour more than of lightness, in luma and colour differences (ITU-R BT.601).

    ``wavelet``: detail w of each scale up to ``size`` becomes w w^2 / (w^2 + (3 sigma)^2), with sigma from the median
    of |w| there. ``nl-means``: each pixel is the mean of those nearby whose surroundings look alike (Buades, Coll and
    Morel 2005), by OpenCV at 16 bits. ``bilateral``: the mean of those near in place and value (Tomasi and Manduchi
    1998). The two strengths say how much of the result shows. Ground only: sky and gaps neither change nor take part.
    """

    method: Literal["wavelet", "nl-means", "bilateral"] = "wavelet"
    lightness: float = Field(0.3, ge=0, le=1)
    chroma: float = Field(0.7, ge=0, le=1)
    size: float = Field(0.25, ge=0.02, le=2)

    def _applied(self, colour: Planes, canvas: Canvas) -> Planes:
        import cv2

        if self.lightness == 0 and self.chroma == 0:
            return colour
        ground = ground_of(canvas)
        parts = list(cv2.split(cv2.cvtColor(np.ascontiguousarray(colour), cv2.COLOR_RGB2YCrCb)))
        for k, strength in enumerate((self.lightness, self.chroma, self.chroma)):
            if strength:
                parts[k] = self._cleaned(np.asarray(parts[k], np.float32), ground, strength, canvas.pixels(self.size))
        cleaned = np.asarray(cv2.cvtColor(cv2.merge(parts), cv2.COLOR_YCrCb2RGB), np.float32)
        return colour + ground[..., None] * (cleaned - colour)

    def _cleaned(self, plane: Plane, ground: Plane, strength: float, size_px: float) -> Plane:
        whole = filled(plane, ground)
        if self.method == "wavelet":
            noise = _wavelet_noise(whole, ground, size_px)
        elif self.method == "nl-means":
            noise = whole - _non_local(whole, ground)
        else:
            noise = whole - _bilateral(whole, ground, size_px)
        return np.asarray(plane - np.float32(strength) * noise, np.float32)


def _wavelet_noise(plane: Plane, ground: Plane, size_px: float) -> Plane:
    def noise(scale: Scale) -> Plane | None:
        share = float(np.clip(1 + np.log2(max(size_px, 1e-3) / scale.spacing), 0, 1))
        limit = np.float32((3 * scale.noise(ground)) ** 2 + 1e-12)
        return scale.detail * (np.float32(share) * limit / (scale.detail * scale.detail + limit)) if share else None

    height, width = plane.shape
    count = max(1, int(np.ceil(np.log2(max(size_px, 1.0)))) + 1)
    return summed(scales_of(plane, count), noise, (height, width))


def _sigma(plane: Plane, ground: Plane) -> float:
    """Deviation of the noise. That of a resampled picture has lost its finest part: the larger of two scales counts."""
    scales = scales_of(plane, len(_WHITE_NOISE))
    return max((scale.noise(ground) / part for scale, part in zip(scales, _WHITE_NOISE, strict=False)), default=0.0)


def _non_local(plane: Plane, ground: Plane) -> Plane:
    import cv2

    low, high = float(plane.min()), float(plane.max())
    scale = 65535 / max(high - low, 1e-6)
    codes = ((plane - low) * np.float32(scale)).astype(np.uint16)
    strength = max(1.5 * _sigma(plane, ground) * scale, 1.0)
    cleaned = cv2.fastNlMeansDenoising(codes, [strength], None, 5, 11, cv2.NORM_L1)
    return np.asarray(cleaned.astype(np.float32) / np.float32(scale) + np.float32(low), np.float32)


def _bilateral(plane: Plane, ground: Plane, size_px: float) -> Plane:
    import cv2

    sigma = max(2.5 * _sigma(plane, ground), 1e-6)
    reach = float(np.clip(size_px / 2, 0.7, 2.5))
    return np.asarray(cv2.bilateralFilter(plane, 2 * int(np.ceil(2 * reach)) + 1, sigma, reach), np.float32)
