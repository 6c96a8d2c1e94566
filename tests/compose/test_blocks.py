"""Blocks of rows give what the whole gives."""

import cv2
import numpy as np
import pytest

from perijove.compose.blocks import ahead, at_once, by_rows, sampled


@pytest.mark.parametrize("shape", [(1, 5), (4000, 90), (1111, 400), (2, 200_000)])
def test_blocks_give_what_the_whole_gives(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    colour, cover = rng.random((*shape, 3)).astype(np.float32), rng.random(shape).astype(np.float32)

    def work(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return a * b[..., None], a[..., 0] + b

    for made, expected in zip(by_rows(work, colour, cover), work(colour, cover), strict=True):
        np.testing.assert_array_equal(made, expected)
        assert made.dtype == np.float32


def test_an_error_in_a_block_is_raised() -> None:
    def work(a: np.ndarray) -> tuple[np.ndarray]:
        if a[0, 0] > 0:
            raise ValueError("later")
        return (a,)

    with pytest.raises(ValueError, match="later"):
        by_rows(work, np.repeat(np.arange(1200, dtype=np.float32)[:, None], 400, axis=1))


def test_what_looks_around_is_given_rows_beyond_its_block() -> None:
    plane = np.random.default_rng(2).random((3000, 300)).astype(np.float32)

    def mean(rows: np.ndarray) -> tuple[np.ndarray]:
        return (cv2.blur(rows, (9, 9), borderType=cv2.BORDER_CONSTANT),)

    seen: list[int] = []

    def noted(rows: np.ndarray) -> tuple[np.ndarray]:
        seen.append(len(rows))
        # Work within work is not shared out again.
        return by_rows(mean, rows, halo=4)

    (made,) = by_rows(noted, plane, halo=4)
    assert len(seen) > 3
    # Sums run down the rows in another order.
    np.testing.assert_allclose(made, mean(plane)[0], atol=1e-6)


@pytest.mark.parametrize("lit", [0, 7])
def test_a_sample_is_never_empty_where_there_is_something(lit: int) -> None:
    planes = np.arange(400).reshape(20, 20)
    where = np.zeros((20, 20), bool)
    where[1, 1 : 1 + 2 * lit : 2] = True
    assert len(sampled(planes, where, 4)) == lit


def test_the_next_is_made_ahead_and_errors_come_in_their_turn() -> None:
    def made(n: int) -> int:
        if n == 3:
            raise ValueError("third")
        return n * n

    got: list[tuple[int, int]] = []
    with pytest.raises(ValueError, match="third"):
        got.extend(ahead(made, range(1, 6)))
    assert got == [(1, 1), (2, 4)]
    assert at_once(made, [1, 2]) == [1, 4]
    assert list(ahead(made, [])) == []
