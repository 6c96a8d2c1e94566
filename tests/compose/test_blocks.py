"""Blocks of rows give what the whole gives."""

import numpy as np
import pytest

from perijove.compose.blocks import by_rows


@pytest.mark.parametrize("shape", [(1, 5), (700, 90), (333, 400), (2, 70_000)])
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
        by_rows(work, np.repeat(np.arange(400, dtype=np.float32)[:, None], 400, axis=1))
