"""The gradients of a batch, summed over its micro-batches; on a GPU a micro-batch is recorded once and replayed."""

import torch

from samizdat.base.device import Device
from samizdat.models.workers import Workers


class GradientSum:
    """Adds a micro-batch's gradients to those that are there, and its loss to a sum.

    Python starts the kernels of a small batch more slowly than a GPU computes them. So one process on a GPU records
    forward and backward pass as a CUDA graph, which is one launch. Gradients then keep their places in memory: they are
    set to zero after a step, not given back.
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
        """Bind what is computed; nothing is yet.

        Args:
            loss_of: from rows to their summed loss, as `Workers.wrap` gives it.
            scaler: of the loss, for float16.
            loss_sum: one number on the device, to which each micro-batch's share of the loss is added.
            workers: the processes that share a batch.
            device: where it is computed.
            batch_tokens: of all micro-batches and processes together.
        """
        self._loss_of, self._scaler, self._loss_sum = loss_of, scaler, loss_sum
        self._workers, self._batch_tokens = workers, batch_tokens
        self.records = device.kind == "cuda" and workers.count == 1
        self._rows: torch.Tensor | None = None
        self._graph: torch.cuda.CUDAGraph | None = None

    def record(self, example: torch.Tensor) -> None:
        """On a GPU, record the passes for micro-batches of this shape; sums and random streams stay as they are.

        Args:
            example: rows `[sequences, context + 1]` on the device.
        """
        if not self.records:
            return
        self._rows = example.clone()
        before = self._loss_sum.clone()
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.random.fork_rng(devices=[torch.cuda.current_device()]):
            with torch.cuda.stream(aside):
                self._add(self._rows)  # compiles, makes the gradients, and sets up the libraries
            torch.cuda.current_stream().wait_stream(aside)
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph, stream=aside):
                self._add(self._rows)
        self._loss_sum.copy_(before)
        for parameter in self._loss_of.parameters():
            parameter.grad.zero_()

    def add(self, rows: torch.Tensor, *, last: bool) -> None:
        """Take in a micro-batch.

        Args:
            rows: `[sequences, context + 1]` on the device.
            last: of the batch; with it, the processes exchange what they have summed.
        """
        if self._graph is not None:
            self._rows.copy_(rows)
            self._graph.replay()
            return
        with self._workers.accumulating(self._loss_of, last=last):
            self._add(rows)

    def _add(self, rows: torch.Tensor) -> None:
        loss = self._loss_of(rows) / self._batch_tokens
        # Gradients are averaged over the processes, and the batch's is their sum.
        self._scaler.scale(loss * self._workers.count).backward()
        self._loss_sum += loss.detach()
