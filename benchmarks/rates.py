"""Measure the peak rate of a machine in matrix products, and compute the operations of a training step."""

import time
from collections.abc import Callable

import torch


def matrix_rate(kind: str, threads: int, sizes: tuple[int, ...], dtype: torch.dtype = torch.bfloat16) -> list[float]:
    """Measure operations per second of large square products: five measurements of the fastest size.

    Args:
        kind: `cpu` or `cuda`.
        threads: number of threads on the CPU.
        sizes: rows and columns to try.
        dtype: bfloat16, or int8 with sums in int32.
    """
    torch.set_num_threads(threads)
    rates = [_rates(kind, size, dtype) for size in sizes]
    return max(rates, key=max)


def _rates(kind: str, size: int, dtype: torch.dtype) -> list[float]:
    left, right = ((torch.randn(size, size, device=kind) * 30).to(dtype) for _ in range(2))
    multiply = torch._int_mm if dtype is torch.int8 else torch.matmul
    repeats = 3 if kind == "cpu" else 20

    def products() -> None:
        for _ in range(repeats):
            multiply(left, right)

    seconds_of(products, kind)
    return [repeats * 2 * size**3 / seconds_of(products, kind) for _ in range(5)]


def seconds_of(work: Callable[[], object], kind: str) -> float:
    """Return the duration of a call in seconds, with the GPU's work."""
    if kind == "cuda":
        torch.cuda.synchronize()
    started = time.perf_counter()
    work()
    if kind == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def operations_per_token(*, layers: int, width: int, context: int, vocabulary: int) -> int:
    """Compute the operations of a GPT-2's training step per token; an addition and a multiplication are two.

    `6 N + 12 L d T` (Chowdhery et al., PaLM, 2022, appendix B): each weight that takes part in a matrix product
    multiplies and adds once forward and twice backward; attention's two products with T tokens do so for each of
    L layers of width d. `N` is 12 L d² for the blocks and V d for the head, which shares the embedding's weights;
    looking up embeddings needs no operation. The optimizer's own products (Muon's) are not counted, and the
    masked half of attention is.
    """
    weights = 12 * layers * width**2 + vocabulary * width
    return 6 * weights + 12 * layers * width * context
