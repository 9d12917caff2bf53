"""Batches that the threads of a CPU compute side by side, each with its matrix products for itself."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import torch

from samizdat.checkpoints.windows import Batch


def computed_batches(
    batches: Iterable[Batch], compute: Callable[[Batch], np.ndarray], kind: str, threads: int
) -> Iterator[tuple[Batch, np.ndarray]]:
    """Compute batches in their order.

    On a CPU each thread computes a batch of its own: no thread waits for another inside of a matrix product, and the
    next texts are cut into tokens at the same time. On a GPU one batch is computed while the next one is made.

    Args:
        batches: the batches.
        compute: what is called with each batch.
        kind: of the device.
        threads: batches that a CPU computes at once.

    Yields:
        A batch, and what `compute` returned.
    """
    workers = threads if kind == "cpu" else 1
    under_way: deque[tuple[Batch, Future[np.ndarray]]] = deque()
    with one_thread(kind), ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for batch in batches:
            under_way.append((batch, pool.submit(compute, batch)))
            if len(under_way) > 2 * workers:
                batch, result = under_way.popleft()
                yield batch, result.result()
        while under_way:
            batch, result = under_way.popleft()
            yield batch, result.result()


@contextmanager
def one_thread(kind: str) -> Iterator[None]:
    """On a CPU, let the thread that calls this compute alone while others do.

    Threads that share a matrix product divide it by its shape, and then equal rows can get different results. And a
    thread that helps waits for the next work at full speed, which takes the time of one that computes.
    """
    before = torch.get_num_threads()
    if kind == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
