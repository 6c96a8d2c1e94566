"""How clean, seamless and true in colour pictures are.

Usage: ``python benchmarks/quality.py RAW... [--calibration FOLDER] [--pointing FOLDER] [--picture OTHER.png]...``. Raw
images are drawn in the spacecraft's view at native scale. Of finished 8- or 16-bit RGB pictures (such as the mission's
map-projected products) is measured what needs no geometry. There is no rival to be run: the mission's pictures are the
baseline. Times nothing. Four measures:

*outliers*: of the natural picture, as it is encoded. In a channel, a pixel is an outlier if it differs from the
median of its 5 x 5 neighbourhood by more than 6 times the local noise and by more than these medians vary within 5 x
5, as they do across an edge. Noise is 1.2533 times the mean absolute difference within 63 x 63, twice with what
exceeds four times the noise capped, at least half a code of 255; black pixels weigh a fiftieth: where most of the
noise of the sky is cut off at black, it would seem small. Outliers of any channel that touch are one; up to 9 pixels
are isolated, more are a structure of the scene. Counted per million pixels that are known, with all within three
pixels; and of these where the mean of 31 x 31 of the brightest channel is above 10 codes of 255 (``lit``): what
remains in the dark are the tails of a noise that is cut off at black.

*lone pixels*: the same question asked of I/F, where noise is known: a pixel of a band is one if it differs from the
median of its 5 x 5 by more than 6 times the larger of the calibration's uncertainty there and of the scatter within
63 x 63, and by more than these medians vary within 5 x 5. The code of a picture is no place for that: it stretches
the dark tail of a noise, and its 63 x 63 mix bright ground with twilight. ``alone``: of these, those that at most a
third as much (as a part of the level) shows in another band, all being far from clipping: a cloud shows in all three.

*seams*: of the calibrated view, by band, where it is brighter than 15 % of the 95th percentile and below 90 % of the
level at which the band clips. ``overlap``: drawn once with the even frames alone and once with the odd ones; where both
see the same ground, difference over level, in pieces of 64 columns along each edge: median and 95th percentile of its
size, and the part of the median that noise makes.
``across``: the view as it is; straight lines are fitted to pixels 5 to 12 on either side of the line on which the
nearest frame changes, and are continued up to it; difference over level, in the same pieces. ``elsewhere``: the same
measure at lines a quarter and a half of a framelet away: what the scene itself does.

*fringe*: of the natural picture, decoded to linear light. Along the terminator (where the Sun is on the horizon of the
1-bar ellipsoid), in pieces of 64 pixels: R/G and B/G of the light within 20 pixels of it, on both sides, over R/G and
B/G of the light 80 to 120 pixels inside the day; minus one, the larger of the two sizes. Median and 90th percentile.
Pieces count where the light near the terminator is at least a tenth of a code of 255, as a mean. Finished pictures
have no geometry: there the edge of what is lit is taken, which is terminator or limb, and only its inner side.

*colour*: R/G and B/G of the sunlit ground with incidence and emission below 75 degrees and nothing clipped: of I/F
itself (ratio of sums), after division by Minnaert's law with an exponent fitted to each band, and of the decoded
picture. To be compared with 0.92 and 0.90, ratios of the full-disc albedo of Jupiter in the camera's bands (Karkoschka
1998: blue 0.454, green 0.507, red 0.467).
"""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import perijove
from perijove.calibrate.stack import calibrate
from perijove.project.resample import Framelets, gather

SIGMAS, ISOLATED_PX, NOISE_BOX, NOISE_FLOOR = 6.0, 9, 63, 0.5 / 255
BLACK_SHARE, LIT_CODE = 0.02, 10 / 255
PIECE, LIT_PART, NEAR_PX, FAR_PX = 64, 0.15, 5, 12
MIN_PIECE_PX = 150
FRINGE_PX, INSIDE_PX = 20, (80, 120)
MAX_ANGLE_DEG = 75.0
CLIPPED_PART = 0.9
PUBLISHED = {"R/G": 0.467 / 0.507, "B/G": 0.454 / 0.507}


def outliers(picture: np.ndarray, known: np.ndarray) -> dict[str, dict[str, float]]:
    """Isolated outliers per million pixels of a picture in 0..1, (height, width, channel)."""
    inside = cv2.erode(known.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    found = np.zeros(known.shape, np.uint8)
    for channel in np.moveaxis(picture, -1, 0):
        plane = np.ascontiguousarray(channel, np.float32)
        level = cv2.medianBlur(plane, 5)
        off = np.abs(plane - level)
        sigma = np.full_like(off, np.inf)
        share = np.where(plane > 0, np.float32(1.0), np.float32(BLACK_SHARE))
        shares = cv2.blur(share, (NOISE_BOX, NOISE_BOX))
        for _ in range(3):
            capped = share * np.minimum(off, 4 * sigma)
            sigma = np.maximum(1.2533 * cv2.blur(capped, (NOISE_BOX, NOISE_BOX)) / shares, NOISE_FLOOR)
        box = np.ones((5, 5), np.uint8)
        swell = cv2.dilate(level, box) - cv2.erode(level, box)
        found |= ((off > SIGMAS * sigma) & (off > swell)).astype(np.uint8)
    count, _, stats, centres = cv2.connectedComponentsWithStats(found, connectivity=8)
    lone = np.flatnonzero(stats[1:, cv2.CC_STAT_AREA] <= ISOLATED_PX) + 1
    at = np.rint(centres[lone]).astype(int)
    lit = inside & (cv2.blur(np.ascontiguousarray(picture.max(axis=-1), np.float32), (31, 31)) > LIT_CODE)
    report = {}
    for name, where in (("all", inside), ("lit", lit)):
        number = int(where[at[:, 1], at[:, 0]].sum()) if count > 1 else 0
        area = max(int(where.sum()), 1)
        report[name] = {"number": number, "megapixels": area / 1e6, "per_megapixel": 1e6 * number / area}
    return report


def lone_pixels(values: np.ndarray, sigma: np.ndarray, clipping: list[float]) -> dict[str, float]:
    """Pixels of I/F beyond noise and scatter, per million, and those that one band alone shows."""
    known = np.isfinite(values).all(axis=-1)
    inside = cv2.erode(known.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    box, found, parts, far = np.ones((5, 5), np.uint8), np.zeros(known.shape, np.uint8), [], []
    for index, clip in enumerate(clipping):
        plane = np.ascontiguousarray(np.nan_to_num(values[..., index]), np.float32)
        level = cv2.medianBlur(plane, 5)
        off = np.abs(plane - level)
        scatter = np.full_like(off, np.inf)
        for _ in range(3):
            scatter = 1.2533 * cv2.blur(np.minimum(off, 4 * scatter), (NOISE_BOX, NOISE_BOX))
        usual = np.maximum(np.nan_to_num(sigma[..., index], nan=np.inf), scatter)
        found |= ((off > SIGMAS * usual) & (off > cv2.dilate(level, box) - cv2.erode(level, box))).astype(np.uint8)
        parts.append((plane - level) / np.maximum(level, 1e-3))
        far.append(cv2.dilate(plane, np.ones((5, 5), np.uint8)) < CLIPPED_PART * clip)
    _, _, stats, centres = cv2.connectedComponentsWithStats(found, connectivity=8)
    at = np.rint(centres[1:][stats[1:, cv2.CC_STAT_AREA] <= ISOLATED_PX]).astype(int).reshape(-1, 2)
    at = at[inside[at[:, 1], at[:, 0]]]
    area = max(float(inside.sum()), 1.0)
    report = {"number": float(len(at)), "per_megapixel": 1e6 * len(at) / area}
    if len(clipping) > 1:
        unclipped = np.logical_and.reduce(far) & inside
        part = np.stack(parts, axis=-1)
        alone = [shows_in_one(part[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]) for x, y in at if unclipped[y, x]]
        report["alone"] = float(sum(alone))
        report["alone_per_megapixel"] = 1e6 * sum(alone) / max(float(unclipped.sum()), 1.0)
    return report


def shows_in_one(part: np.ndarray) -> bool:
    """Whether the largest deviation of a neighbourhood, (line, sample, band), is that of one band."""
    flat = part.reshape(-1, part.shape[-1])
    where, band = np.unravel_index(np.abs(flat).argmax(), flat.shape)
    others = np.delete(flat[where] * np.sign(flat[where, band]), band)
    return bool(others.max() < abs(flat[where, band]) / 3)


def piecewise(key: np.ndarray, **columns: np.ndarray) -> dict[str, np.ndarray]:
    """Means of columns over groups of equal keys that are large enough."""
    _, index, count = np.unique(key, return_inverse=True, return_counts=True)
    enough = count >= columns.pop("least", np.array(MIN_PIECE_PX))
    means = {name: np.bincount(index, c)[enough] / count[enough] for name, c in columns.items()}
    return {**means, "count": count[enough]}


def told(steps: np.ndarray) -> dict[str, float]:
    """Median and 95th percentile of the size, per cent."""
    size = 100 * np.abs(steps)
    if not size.size:
        return {"median": np.nan, "p95": np.nan}
    return {"median": float(np.median(size)), "p95": float(np.percentile(size, 95))}


def overlap_steps(even: np.ndarray, odd: np.ndarray, lit_level: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Relative difference of overlapping framelets in pieces along their edges, its error, and that of their halves."""
    both = np.isfinite(even) & np.isfinite(odd)
    both &= np.where(both, even + odd, 0.0) > 2 * lit_level
    _, edges = cv2.connectedComponents(both.astype(np.uint8), connectivity=8)
    y, x = np.nonzero(both)
    key = edges[y, x].astype(np.int64) * 65536 + x // PIECE
    difference, level = even[y, x] - odd[y, x], 0.5 * (even[y, x] + odd[y, x])
    side = np.where(x % PIECE < PIECE // 2, 1.0, -1.0)
    square, lean = difference.astype(float) ** 2, side * difference
    mean = piecewise(key, difference=difference, level=level, square=square, lean=lean, side=side)
    variance = np.maximum(mean["square"] - mean["difference"] ** 2, 0.0)
    # Half the difference between the means of the two halves, where both are there.
    halves = (mean["lean"] - mean["side"] * mean["difference"])[np.abs(mean["side"]) < 0.3]
    halves = halves / mean["level"][np.abs(mean["side"]) < 0.3]
    return mean["difference"] / mean["level"], np.sqrt(variance / mean["count"]) / mean["level"], halves


def line_steps(plane: np.ndarray, edge: tuple[np.ndarray, ...], lit_level: float) -> np.ndarray:
    """Relative step between straight lines fitted below and above given places, in pieces of neighbouring columns."""
    y, x, name = edge
    reach = np.arange(NEAR_PX, FAR_PX + 1)
    fits = (y >= FAR_PX) & (y < plane.shape[0] - FAR_PX - 1)
    y, x, name = y[fits], x[fits], name[fits]
    # Value of the fitted line at distance 0, as weights of the values at the distances `reach`.
    weights = np.linalg.pinv(np.stack([np.ones(reach.size), reach], axis=1))[0]
    below, above = (plane[y[:, None] + side * reach + (side > 0), x[:, None]] for side in (1, -1))
    step, level = (below - above) @ weights, 0.5 * (below + above).mean(axis=1)
    good = np.isfinite(step) & (level > lit_level)
    mean = piecewise(
        name[good] * 65536 + x[good] // PIECE, step=step[good], level=level[good], least=np.array(PIECE // 2)
    )
    return np.asarray(mean["step"] / mean["level"])


def seams(image: Any, raster: Any) -> Iterator[dict[str, Any]]:
    """Steps across the edges of framelets, by band, per cent."""
    pointing, bands = image.located.solution.pointing, image.label.bands
    ground = raster.view.ground()
    halves = []
    for parity in (0, 1):
        values = image.calibrated.i_over_f.copy()
        values[1 - parity :: 2] = np.nan
        halves.append(gather(ground, Framelets.of(values, bands, pointing))[0])
    planes = whole_planes(raster, [f"frame_{band.lower()}" for band in raster.bands])
    for index, band in enumerate(raster.bands):
        source, clipping = bands.index(band), CLIPPED_PART * image.calibrated.saturation_i_over_f[band]
        plane, *parts = (
            np.where(p < clipping, p, np.nan) for p in (raster.values[..., index], *(h[..., source] for h in halves))
        )
        lit_level = LIT_PART * float(np.nanpercentile(plane[plane > 0], 95))
        overlap, error, leaning = overlap_steps(parts[0], parts[1], lit_level)
        frame = planes[f"frame_{band.lower()}"]
        y, x = np.nonzero(np.abs(frame[1:] - frame[:-1]) == 1)
        edge = y, x, np.maximum(frame[y, x], frame[y + 1, x]).astype(np.int64)
        spacing = 115 // image.label.sampling_factor
        shifted = [(y + s * spacing // 4, x, edge[2] + 1000 * (s + 3)) for s in (-2, -1, 1, 2)]
        yield {
            "band": band,
            "pieces": len(overlap),
            "overlap": told(overlap),
            "scatter": told(leaning)["median"],
            "noise": float(67.45 * np.median(error)) if len(error) else np.nan,
            "across": told(line_steps(plane, edge, lit_level)),
            "elsewhere": told(np.concatenate([line_steps(plane, s, lit_level) for s in shifted])),
        }


def whole_planes(raster: Any, names: list[str]) -> dict[str, np.ndarray]:
    """Backplanes of a whole view by name."""
    blocks = [{name: planes[name].values for name in names} for planes in raster.backplanes()]
    return {name: np.concatenate([block[name] for block in blocks]) for name in names}


def decoded(picture: np.ndarray) -> np.ndarray:
    """Linear light of sRGB codes in 0..1 (IEC 61966-2-1)."""
    return np.where(picture <= 0.04045, picture / 12.92, ((picture + 0.055) / 1.055) ** 2.4)


def fringe(light: np.ndarray, distance: np.ndarray, low: float) -> dict[str, float]:
    """Change of R/G and B/G near the terminator, per cent, (height, width, RGB).

    ``distance`` is in pixels from it, positive in the day and NaN where there is no ground.
    """
    height, width = distance.shape
    pieces_x = -(-width // PIECE)
    y, x = np.mgrid[:height, :width]
    square = y // PIECE * pieces_x + x // PIECE
    tiles = -(-height // PIECE) * pieces_x
    sums = []
    with np.errstate(invalid="ignore"):
        for zone in (
            (distance >= low) & (distance <= FRINGE_PX),
            (distance >= INSIDE_PX[0]) & (distance <= INSIDE_PX[1]),
        ):
            at = square[zone]
            count = np.bincount(at, minlength=tiles)
            sums.append((count, np.stack([np.bincount(at, light[zone, c], tiles) for c in range(3)], axis=1)))
    near_count, near = sums[0]
    # Light inside the day is that of the five by five pieces around: it lies up to two pieces away.
    box = np.ones((5, 5), np.float32)
    shape = (-1, pieces_x)
    inside = np.stack(
        [
            cv2.filter2D(
                sums[1][1][:, c].reshape(shape).astype(np.float32), -1, box, borderType=cv2.BORDER_CONSTANT
            ).ravel()
            for c in range(3)
        ],
        axis=1,
    )
    good = (near_count >= 10 * PIECE) & (inside.min(axis=1) > 0) & (near.min(axis=1) > 0)
    good &= near[:, 1] > near_count * (0.1 / 255 / 12.92)
    changes = [near[good, c] / near[good, 1] / (inside[good, c] / inside[good, 1]) - 1 for c in (0, 2)]
    larger = 100 * np.abs(np.stack(changes)).max(axis=0)
    if not larger.size:
        return {"pieces": 0}
    red, blue = (100 * float(np.median(change)) for change in changes)
    return {
        "pieces": int(larger.size),
        "median": float(np.median(larger)),
        "p90": float(np.percentile(larger, 90)),
        "R/G": red,
        "B/G": blue,
    }


def signed_distance(day: np.ndarray, night: np.ndarray) -> np.ndarray:
    """Pixels from the line between day and night, positive in the day; NaN where there is neither."""
    to_night = cv2.distanceTransform((~night).astype(np.uint8), cv2.DIST_L2, 5)
    to_day = cv2.distanceTransform((~day).astype(np.uint8), cv2.DIST_L2, 5)
    return np.where(day, to_night, np.where(night, -to_day, np.nan))


def ratios(light: np.ndarray) -> dict[str, float]:
    """R/G and B/G of a sum of light, (n, RGB)."""
    total = light.sum(axis=0, dtype=float)
    return {"R/G": float(total[0] / total[1]), "B/G": float(total[2] / total[1])}


def levelled(values: np.ndarray, sun: np.ndarray, sight: np.ndarray) -> tuple[np.ndarray, list[float]]:
    """I/F over Minnaert's law with an exponent fitted to each band, (n, band), and the exponents."""
    path = np.log(sun * sight)
    out, exponents = np.empty_like(values), []
    for index in range(values.shape[1]):
        use = values[:, index] > 0
        k, _ = np.polyfit(path[use], np.log(values[use, index] * sight[use]), 1)
        out[:, index] = values[:, index] * sight / np.exp(k * path)
        exponents.append(float(k))
    return out, exponents


def colour(image: Any, raster: Any, picture: np.ndarray, angles: dict[str, np.ndarray]) -> dict[str, Any]:
    """Ratios of the sunlit ground."""
    ground = (angles["incidence_deg"] < MAX_ANGLE_DEG) & (angles["emission_deg"] < MAX_ANGLE_DEG)
    known = ground & np.isfinite(raster.values).all(axis=-1)
    limit = np.array([CLIPPED_PART * image.calibrated.saturation_i_over_f[band] for band in raster.bands])
    use = known & (raster.values < limit).all(axis=-1)
    sun, sight = (np.cos(np.radians(angles[f"{name}_deg"][use].astype(float))) for name in ("incidence", "emission"))
    values = raster.values[use].astype(float)
    corrected, exponents = levelled(values, sun, sight)
    return {
        "clipped_part": 1.0 - use.sum() / max(known.sum(), 1),
        "as_is": ratios(values),
        "levelled": ratios(corrected),
        "exponents": exponents,
        "picture": ratios(decoded(picture[use])),
    }


def read_picture(path: Path) -> np.ndarray:
    """RGB in 0..1, (height, width, 3), or grey with one channel."""
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise SystemExit(f"{path} is not a picture")
    scaled = pixels.astype(np.float32) / np.iinfo(pixels.dtype).max
    return scaled[..., None] if scaled.ndim == 2 else scaled[..., 2::-1]


def of_raw(path: Path, options: dict[str, Any]) -> dict[str, Any]:
    """All measures of a raw image."""
    image = perijove.open(path, **options)
    raster = image.view()
    with tempfile.TemporaryDirectory() as folder:
        picture = read_picture(raster.save(Path(folder) / "natural.png"))
    angles = whole_planes(raster, ["incidence_deg", "emission_deg"])
    report: dict[str, Any] = {
        "outliers": outliers(picture, np.isfinite(raster.values).all(axis=-1)),
        "lone": lone_pixels(raster.values, uncertainty(image, raster), clipping_of(image, raster)),
        "seams": list(seams(image, raster)),
    }
    if picture.shape[-1] == 3:
        day = angles["incidence_deg"] < 90
        distance = signed_distance(day, angles["incidence_deg"] >= 90)
        distance[~np.isfinite(raster.values).all(axis=-1)] = np.nan
        report["fringe"] = fringe(decoded(picture), distance, -FRINGE_PX)
        report["colour"] = colour(image, raster, picture, angles)
    return report


def clipping_of(image: Any, raster: Any) -> list[float]:
    """I/F from which each band of a view is clipped."""
    return [image.calibrated.saturation_i_over_f[band] for band in raster.bands]


def uncertainty(image: Any, raster: Any) -> np.ndarray:
    """Uncertainty of I/F on a view, (height, width, band)."""
    sigma = calibrate(image.stack, image.calibration, sigma=True).sigma
    framelets = Framelets.of(
        np.where(np.isfinite(sigma), sigma, np.nan), image.label.bands, image.located.solution.pointing
    )
    drawn = gather(raster.view.ground(), framelets, "bilinear")[0]
    return drawn[..., [image.label.bands.index(band) for band in raster.bands]]


def of_picture(path: Path) -> dict[str, Any]:
    """What can be measured of a finished picture."""
    picture = read_picture(path)
    known = picture.max(axis=-1) > 0
    report: dict[str, Any] = {"outliers": outliers(picture, known)}
    if picture.shape[-1] == 3:
        light = decoded(picture)
        smooth = cv2.GaussianBlur(light[..., 1].astype(np.float32), (0, 0), 2.0)
        lit = smooth > 0.02 * np.percentile(smooth[known], 95)
        report["fringe"] = fringe(light, signed_distance(lit, ~lit), 0.0)
        clipped = (picture >= 254.5 / 255).any(axis=-1)
        report["colour"] = {"clipped_part": float(clipped[lit].mean()), "picture": ratios(light[lit & ~clipped])}
    return report


def show(name: str, report: dict[str, Any]) -> None:
    """Print a report."""
    print(f"\n{name}")
    found = report["outliers"]
    for where, row in found.items():
        print(
            f"  outliers  {where} {row['per_megapixel']:8.1f} per Mpx ({row['number']} in {row['megapixels']:.2f} Mpx)"
        )
    if "lone" in report:
        lone = report["lone"]
        alone = (
            f"; in one band alone {lone['alone_per_megapixel']:.1f} ({lone['alone']:.0f})" if "alone" in lone else ""
        )
        print(f"  lone pixels beyond noise {lone['per_megapixel']:.1f} per Mpx ({lone['number']:.0f}){alone}")
    for row in report.get("seams", ()):
        figures = ", ".join(
            f"{way} {row[way]['median']:.2f} / {row[way]['p95']:.2f}" for way in ("overlap", "across", "elsewhere")
        )
        counted = f"{row['pieces']} pieces, scatter {row['scatter']:.2f} %, noise {row['noise']:.2f} %"
        print(f"  seams     {row['band']:8} {figures} % median / p95; {counted}")
    if "fringe" in report:
        rim = report["fringe"]
        if rim["pieces"]:
            print(
                f"  fringe    {rim['median']:.1f} / {rim['p90']:.1f} % median / p90 of {rim['pieces']} pieces; "
                f"median change of R/G {rim['R/G']:+.1f} %, of B/G {rim['B/G']:+.1f} %"
            )
        else:
            print("  fringe    no terminator with light on both sides")
    if "colour" in report:
        seen = report["colour"]
        for way in ("as_is", "levelled", "picture"):
            if way in seen:
                print(f"  colour    {way:9} R/G {seen[way]['R/G']:.3f}  B/G {seen[way]['B/G']:.3f}")
        exponents = ", ".join(f"{k:.2f}" for k in seen.get("exponents", ()))
        print(f"            {100 * seen['clipped_part']:.1f} % left out as clipped; exponents {exponents or '-'}")


def main(raws: list[Path], pictures: list[Path], options: dict[str, Any]) -> None:
    """Print the figures of every image."""
    published = ", ".join(f"{name} {value:.3f}" for name, value in PUBLISHED.items())
    print(f"published albedo: {published}")
    for path in raws:
        show(path.name, of_raw(path, options))
    for path in pictures:
        show(path.name, of_picture(path))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calibration", type=Path, help="folder of darks and flats")
    parser.add_argument("--pointing", type=Path, help="folder of solved pointing")
    parser.add_argument("--picture", type=Path, action="append", default=[], help="a finished picture")
    parser.add_argument("raw", type=Path, nargs="*")
    given = parser.parse_args()
    main(given.raw, given.picture, {"calibration": given.calibration, "pointing": given.pointing})
