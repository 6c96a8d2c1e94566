"""Solved pointing given back as SPICE kernels, for SPICE, ISIS and all who read them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from perijove import __version__
from perijove.archive.label import ImageLabel
from perijove.constants import START_TIME_BIAS_S
from perijove.errors import OptionError
from perijove.geometry.camera import Camera, tdi_shift_px
from perijove.geometry.camera_keywords import all_bands, camera_keywords, misfit_px, principal_row_keyword
from perijove.geometry.ephemeris import frame_times
from perijove.geometry.kernel_files import write_ck, write_clock, write_spk, write_text_kernel
from perijove.geometry.kernels import OWN_PREFIX, Clock, KernelFolder
from perijove.geometry.label_time import Margin, attitude_segment, state_segment
from perijove.geometry.pointing import Pointing
from perijove.geometry.rotation import rotation_about
from perijove.geometry.timescale import et_to_utc, utc_to_et
from perijove.products.report import CREDIT

Floats = npt.NDArray[np.float64]
Comments = Mapping[str, Sequence[str]]
Moment = Literal["mid-exposure", "opening"]

#: Cameras whose numbers differ by less are one camera: pixels, and radians.
_SAME_CAMERA: Final = 1e-6
_CLOCK_NAMES: Final = (f"{OWN_PREFIX}leapseconds.tls", f"{OWN_PREFIX}clock.tsc")

# Paragraphs of the comments; lines that are set in stay as they are.
_MADE: Final = (
    f"Made by perijove {__version__} from raw images of JunoCam. This is not a kernel of the Juno mission.",
)
_TIMES: Final = (
    "Readers take the time of frame i (0, 1, ...) from the label,",
    "  START_TIME + 0.06188 s + i (INTERFRAME_DELAY + 0.001 s),",
    "as the instrument kernel says, plus what the table below has under 'opening': the time since the shutter opened, "
    "half a step of 3.2 ms where rows are numbered by where their charge began. A reader that takes another moment of "
    "the exposure (ISIS takes its middle) is off by half a row for every 1.6 ms between the two.",
    "",
    "The solved errors of the image's start and of its frame delay are folded in: at these times the kernels hold what "
    "was solved for the true ones, turned about Jupiter's pole by what the planet turned in between.",
)
_CK: Final = (
    "The CK holds the attitude of JUNO_SPACECRAFT (-61000) that makes JUNO_JUNOCAM, mounted as in the frames kernel "
    "juno_v12.tf, the camera frame that was solved: errors of the mounting are folded in, and it is no attitude for "
    "other instruments. One interpolation interval an image, a record at each frame, angular velocity from the turns "
    "to the frames before and after; beyond the frames the last turn goes on.",
)
_SPK: Final = (
    "The SPK holds Juno (-61) relative to Jupiter's centre (599) around each image, the solved offset along the track "
    "included; beyond the frames it is a free fall.",
)
_CAMERA: Final = (
    "To be loaded after the frames kernel juno_v12.tf and the instrument kernel juno_junocam_v03.ti: the optical axis "
    "lies {rows:+.3f} rows from where the instrument kernel has it, and +Z of JUNO_JUNOCAM becomes that axis, which "
    "turns the frame by {tilt:.6f} degrees about X. For ISIS it is one of the extra kernels, after its own.",
    "",
    "The CK does not depend on this kernel: without it the pixel that the instrument kernel has on the boresight "
    "looks the same way. The others are then off by, in full-resolution pixels over the framelet,",
    "",
)


@dataclass(frozen=True)
class ImagePointing:
    """One image and its solved pointing.

    Attributes
    ----------
    label : ImageLabel
    nominal_et : ndarray, (frames,)
        Times of the frames by the label alone, at which readers of the kernels will ask (`frame_times`).
    pointing : Pointing
        With the true times.
    """

    label: ImageLabel
    nominal_et: Floats
    pointing: Pointing

    def __post_init__(self) -> None:
        frozen = np.array(self.nominal_et, float)
        frozen.flags.writeable = False
        object.__setattr__(self, "nominal_et", frozen)

    @classmethod
    def of(cls, label: ImageLabel, pointing: Pointing, asked_at: Moment = "mid-exposure") -> "ImagePointing":
        """For readers that ask for this moment of the exposure, as ISIS does for its middle.

        They take rows as they are numbered, not where their charge was at that moment: the frame is turned with the
        rows, so that the pixel on their boresight looks where it did.
        """
        rows = tdi_shift_px(label.tdi_stages)
        cameras = {
            band: camera.with_rows_shifted(-rows).with_principal_row(rows) for band, camera in pointing.cameras.items()
        }
        band = next(iter(cameras))
        turn = rotation_about("x", pointing.cameras[band].tilt_rad - cameras[band].tilt_rad)
        turned = replace(pointing, camera_to_j2000=pointing.camera_to_j2000 @ turn, cameras=cameras)
        late = label.exposure_s / 2 if asked_at == "opening" else 0.0
        return cls(label, frame_times(label) - late, turned)

    @property
    def principal_row_px(self) -> float:
        """Rows by which the optical axis stands off the instrument kernel's."""
        moved = self.cameras["GREEN"].cy_px - Camera.for_band("GREEN").cy_px
        return moved - tdi_shift_px(self.label.tdi_stages)

    @property
    def cameras(self) -> dict[str, Camera]:
        """Full-resolution cameras of all bands, those of other images too."""
        return all_bands(self.pointing.cameras, self.label.methane_distortion_y_px)


def write_pointing_kernels(
    folder: Path,
    images: Sequence[ImagePointing],
    comments: Comments | None = None,
    clock: KernelFolder | None = None,
) -> list[Path]:
    """Write the pointing of images of one perijove as a CK, an SPK and the camera's text kernel.

    Parameters
    ----------
    folder : Path
        Made if it does not exist; files of the same names are replaced.
    images : sequence of ImagePointing
    comments : mapping of str to sequence of str, optional
        What the kernels shall say of themselves beyond what they are: headings and their paragraphs, such as the
        accuracy.
    clock : KernelFolder, optional
        Holds the leap seconds and the spacecraft clock to encode the CK's times with. Without them a clock of our
        own is written beside it.

    Returns
    -------
    list of Path
        Our own clock's two kernels if there are such, CK, SPK, and a text kernel for each camera that was solved:
        the optical axis is a number of each fit.

    Raises
    ------
    OptionError
        If there are no images, they are of several perijoves or overlap in time, or the folder cannot be written to.
    KernelError
        If SPICE cannot read the clock or write the kernels.
    """
    images = _in_order(images)
    given = clock.clock if clock else None
    used = given or Clock(*(folder / name for name in _CLOCK_NAMES))
    about_clock = _clock_told(used, given is None)
    last = {**(comments or {}), "Credit": [CREDIT]}
    told = {**_images_told(images), **about_clock, **last}
    written = []
    if given is None:
        write_clock(used, _text("Leap seconds and a clock for pointing of JunoCam", about_clock))
        written += [used.lsk, used.sclk]
    names = [str(image.label.product_id) for image in images]
    pieces = [(i.pointing, i.nominal_et, m, n) for i, m, n in zip(images, _margins(images), names, strict=True)]
    ck, spk = (folder / f"{_stem(images)}.{suffix}" for suffix in ("bc", "bsp"))
    write_ck(ck, [attitude_segment(*p) for p in pieces], used, _text("Attitude of JunoCam", {"Content": _CK, **told}))
    write_spk(spk, [state_segment(*p) for p in pieces], _text("Trajectory of Juno", {"Content": _SPK, **told}))
    written += [ck, spk]
    for group in _by_camera(images):
        path = folder / f"{_stem(group)}.ti"
        text = _text("Optical axis of JunoCam", {**_camera_told(group), **last})
        values = camera_keywords(group[0].cameras) | principal_row_keyword(group[0].principal_row_px)
        write_text_kernel(path, "IK", values, text)
        written.append(path)
    return written


def _in_order(images: Sequence[ImagePointing]) -> list[ImagePointing]:
    """Images in time order, after a look at them."""
    if not images:
        raise OptionError("no images to write kernels of; give at least one whose pointing was found")
    orbits = sorted({image.label.orbit for image in images})
    if len(orbits) > 1:
        raise OptionError(f"images of perijoves {', '.join(map(str, orbits))} in one kernel; write one for each")
    ordered = sorted(images, key=lambda image: float(image.nominal_et[0]))
    for one, next_one in pairwise(ordered):
        if next_one.nominal_et[0] <= one.nominal_et[-1]:
            raise OptionError(
                f"{one.label.product_id} and {next_one.label.product_id} overlap in time; give each image once"
            )
    return ordered


def _margins(images: Sequence[ImagePointing]) -> list[Margin]:
    """Neighbours share what lies between them, so that none speaks for another's frames."""
    between = [float(b.nominal_et[0] - a.nominal_et[-1]) / 2 for a, b in pairwise(images)]
    return [Margin(*pair) for pair in zip([np.inf, *between], [*between, np.inf], strict=True)]


def _by_camera(images: Sequence[ImagePointing]) -> list[list[ImagePointing]]:
    """Images that share a camera, in the order of their first ones."""
    groups: list[tuple[Floats, list[ImagePointing]]] = []
    for image in images:
        numbers = np.array([(c.cx_px, c.cy_px, c.k1, c.k2, c.tilt_rad) for c in image.cameras.values()])
        for known, group in groups:
            if np.abs(known - numbers).max() < _SAME_CAMERA:
                group.append(image)
                break
        else:
            groups.append((numbers, [image]))
    return [group for _, group in groups]


def _stem(images: Sequence[ImagePointing]) -> str:
    """Name of a kernel without its suffix: the perijove, the first image and the last."""
    first, last = (images[k].label.product_id for k in (0, -1))
    keys = dict.fromkeys(product.image_key.partition("_")[2] for product in (first, last))
    return f"{OWN_PREFIX}pj{first.orbit:02d}_{'-'.join(keys)}"


def _text(title: str, sections: Comments) -> list[str]:
    """Comment area: what it is, then paragraphs under headings."""
    lines = [title, "", *_MADE]
    for heading, paragraphs in sections.items():
        lines += ["", heading, "-" * len(heading), "", *paragraphs]
    return lines


def _images_told(images: Sequence[ImagePointing]) -> Comments:
    """Which images, at which times, and what was folded in."""
    form = "  {:25} {:23} {:>6} {:>8} {:>8} {:>8}"
    table = [form.format("product", "first frame, UTC", "frames", "opening", "start", "delay")]
    table += [form.format("", "", "", "ms", "ms", "us/frame")]
    for image in images:
        label, late = image.label, image.pointing.et - image.nominal_et
        opening = utc_to_et(label.start_time) + START_TIME_BIAS_S
        drift = float(late[-1] - late[0]) / max(len(late) - 1, 1)
        errors = (image.nominal_et[0] - opening) * 1e3, late[0] * 1e3, drift * 1e6
        when = et_to_utc(float(image.nominal_et[0]))
        table.append(form.format(str(label.product_id), when, len(late), *(f"{e:.2f}" for e in errors)))
    return {"Times": _TIMES, "Images": table}


def _clock_told(clock: Clock, own: bool) -> Comments:
    files = f"{clock.lsk.name} and {clock.sclk.name}"
    if own:
        text = (
            f"The CK's times are encoded with the clock of {files}, made by perijove. They must be loaded with it, "
            "last, and not together with a CK of the mission: the clock is not the spacecraft's."
        )
    else:
        text = (
            f"The CK's times were encoded with {files}; another version of the clock may decode them seconds off. "
            "ISIS takes an image's start from the clock count of its label: it needs a clock that agrees with "
            "START_TIME."
        )
    return {"Clock": [text]}


def _camera_told(images: Sequence[ImagePointing]) -> Comments:
    """The camera, and what is lost without it."""
    first = images[0]
    cameras = first.cameras
    rows = cameras["GREEN"].cy_px - Camera.for_band("GREEN").cy_px
    tilt = np.degrees(cameras["GREEN"].tilt_rad)
    lines = [line.format(rows=rows, tilt=tilt) for line in _CAMERA]
    lines.append("  band         rms  largest")
    for band, camera in cameras.items():
        off = misfit_px(camera, first.label.methane_distortion_y_px)
        lines.append(f"  {band:8} {np.sqrt(np.mean(off**2)):7.3f}  {off.max():7.3f}")
    return {"Camera": lines, "Valid for": [f"  {image.label.product_id}" for image in images]}
