"""The gradients of a batch, summed over its micro-batches. On a GPU a micro-batch is recorded once and replayed."""

import torch

from samizdat.base.device import Device
from samizdat.models.workers import Workers


class GradientSum:
    """Adds the gradients of each micro-batch to those of the parameters, and its loss to a sum.

    Python starts the kernels of a small batch more slowly than a GPU computes them. So one process on a GPU records
    the forward and backward pass as a CUDA graph, which is one launch. Gradients then keep their addresses in memory:
    after a step they are set to zero, not freed.
    """

    def __init__(
        self,
        loss_of: torch.nn.Module,
        scaler: torch.amp.GradScaler,
        loss_sum: torch.Tensor,
        workers: Workers,
        device: Device,
        batch_tokens: int,
    ):
        """Keep what the sums are computed with; nothing is computed yet.

        Args:
            loss_of: from rows to their summed loss, as `Workers.wrap` returned it.
            scaler: of the loss, for float16.
            loss_sum: one number on the device; each micro-batch's share of the batch's mean loss is added to it.
            workers: the processes that share a batch.
            device: where the gradients are computed.
            batch_tokens: tokens of a batch, in all micro-batches and processes together.
        """
        self._loss_of, self._scaler, self._loss_sum = loss_of, scaler, loss_sum
        self._workers, self._batch_tokens = workers, batch_tokens
        self.records = device.kind == "cuda" and workers.count == 1
        self._recording: tuple[torch.cuda.CUDAGraph, torch.Tensor] | None = None  # with the rows that it reads

    def record(self, example: torch.Tensor) -> None:
        """On a GPU, record the passes for micro-batches of this shape; sums and random streams stay as they are.

        Args:
            example: rows `[sequences, context + 1]` on the device.
        """
        if not self.records:
            return
        rows, before = example.clone(), self._loss_sum.clone()
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.random.fork_rng(devices=[torch.cuda.current_device()]):
            with torch.cuda.stream(stream):
                self._add(rows)  # compiles, makes the gradients, and sets up the libraries
            torch.cuda.current_stream().wait_stream(stream)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, stream=stream):
                self._add(rows)
        self._recording = graph, rows
        self._loss_sum.copy_(before)
        for parameter in self._loss_of.parameters():
            if parameter.grad is not None:
                parameter.grad.zero_()

    def add(self, rows: torch.Tensor, *, last: bool) -> None:
        """Add the gradients and the loss of a micro-batch.

        Args:
            rows: `[sequences, context + 1]` on the device.
            last: whether it is the last of its batch; then the processes exchange their sums.
        """
        if self._recording is not None:
            graph, recorded_rows = self._recording
            recorded_rows.copy_(rows)
            graph.replay()
            return
        with self._workers.accumulating(self._loss_of, last=last):
            self._add(rows)

    def _add(self, rows: torch.Tensor) -> None:
        loss = self._loss_of(rows) / self._batch_tokens
        # Between processes gradients are averaged, but those of the batch are their sum.
        self._scaler.scale(loss * self._workers.count).backward()
        self._loss_sum += loss.detach()
