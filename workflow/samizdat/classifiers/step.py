"""One step of a classifier's fine-tuning; on a GPU it is recorded once for each shape of a batch, then replayed."""

from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import torch
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from transformers import PreTrainedModel

from samizdat.base.device import Device
from samizdat.optimization.gradients import make_scaler, take_step

GRADIENT_CLIP = 1.0
# On a CPU, for texts up to this length, whole score matrices are faster in bfloat16 than flash attention: with
# 24 tokens, forward and backward take 4 ms, not 20 (32 texts, 12 heads of 32, two cores of a Sapphire Rapids Xeon).
SHORT_TEXT_TOKENS = 128


class _Recording(NamedTuple):
    """A recorded step, and the tensors that it reads and writes."""

    graph: torch.cuda.CUDAGraph
    inputs: dict[str, torch.Tensor]
    loss: torch.Tensor


class FinetuningStep:
    """Loss, gradients, clipping and AdamW for one batch after the other.

    The step of a small encoder is hundreds of kernels of some microseconds each: a GPU finishes them sooner than
    Python starts them. So the second batch of a shape is recorded as a CUDA graph, and this batch and all later ones
    of its shape are one launch each. The recording has the kernels of the first step, and so gives the same bits.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        device: Device,
        dtype: torch.dtype,
        class_weights: torch.Tensor | None,
        learning_rate: float,
        weight_decay: float,
    ):
        """Make the optimiser; nothing is computed yet.

        Args:
            model: with a classification head, on the device, in float32.
            device: where the model is.
            dtype: of the matrix products.
            class_weights: weights of the labels in the loss, on the device; None: all labels alike.
            learning_rate: the peak.
            weight_decay: a step subtracts from every weight this times the learning rate times the weight.
        """
        self._model, self._kind, self._dtype = model, device.kind, dtype
        self._class_weights = class_weights
        # Some models of other architectures copy to or from the device inside a step, which can't be recorded.
        self._recorded = device.kind == "cuda" and hasattr(model.config, "attention_probs_dropout_prob")
        # A recorded step reads the learning rate from the device.
        self._rate = torch.tensor(learning_rate, device=device.kind)
        self._optimizer = torch.optim.AdamW(
            model.parameters(),
            lr=self._rate if self._recorded else learning_rate,
            weight_decay=weight_decay,
            fused=True,
            capturable=self._recorded,
        )
        self._parameters = list(model.parameters())
        self._scaler = make_scaler(device.kind, dtype)
        self._recordings: dict[torch.Size, _Recording] = {}
        self._seen_shapes: set[torch.Size] = set()
        if self._recorded:
            self._memory = torch.cuda.graph_pool_handle()
            self._stream = torch.cuda.Stream()

    def logits(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """Compute the logits of a batch on the CPU: `[rows, labels]` in float32, on the device."""
        return self._logits({name: values.to(self._kind) for name, values in batch.items()})

    def learn(self, batch: dict[str, torch.Tensor], learning_rate: float) -> torch.Tensor:
        """Take one step.

        Args:
            batch: what the model reads, `[rows, tokens]`, and `targets` `[rows]`, on the CPU.
            learning_rate: of this step.

        Returns:
            The loss before the step, on the device, without gradients; the next step may overwrite it.
        """
        if not self._recorded:
            self._optimizer.param_groups[0]["lr"] = learning_rate
            return self._step({name: values.to(self._kind) for name, values in batch.items()})
        # Others read the weights, and the loss, on the current stream: it and the step's own wait for each other.
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            self._rate.fill_(learning_rate)
            loss = self._step_or_replay(batch)
        torch.cuda.current_stream().wait_stream(self._stream)
        return loss

    def _step_or_replay(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """Take the step of a shape's first batch; record that of the second, and replay it from then on."""
        shape = batch["input_ids"].shape
        pinned = {name: values.pin_memory() for name, values in batch.items()}
        if shape not in self._seen_shapes:
            self._seen_shapes.add(shape)
            return self._step({name: values.to(self._kind, non_blocking=True) for name, values in pinned.items()})
        if shape not in self._recordings:
            self._recordings[shape] = self._record(batch)
        recording = self._recordings[shape]
        for name, values in pinned.items():
            recording.inputs[name].copy_(values, non_blocking=True)
        recording.graph.replay()
        return recording.loss

    def _record(self, batch: dict[str, torch.Tensor]) -> _Recording:
        """Record a step for batches of this one's shape; nothing is computed."""
        inputs = {name: torch.empty_like(values, device=self._kind) for name, values in batch.items()}
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._memory, stream=self._stream):
            loss = self._step(inputs)
        return _Recording(graph, inputs, loss)

    def _step(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        # Recorded steps share the memory of their gradients; other steps give it back.
        self._optimizer.zero_grad(set_to_none=not self._recorded)
        loss = functional.cross_entropy(self._logits(inputs), inputs["targets"], weight=self._class_weights)
        self._scaler.scale(loss).backward()
        take_step(self._parameters, [self._optimizer], self._scaler, GRADIENT_CLIP)
        return loss.detach()

    def _logits(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        # No cache: a weight that was cast outside of a recording must not be used inside it.
        cast = torch.autocast(
            self._kind, dtype=self._dtype, enabled=self._dtype is not torch.float32, cache_enabled=False
        )
        with cast, self._attention(inputs["input_ids"].shape[1]):
            output = self._model(**{name: values for name, values in inputs.items() if name != "targets"})
            logits: torch.Tensor = output.logits.float()
            return logits

    def _attention(self, tokens: int) -> AbstractContextManager[None]:
        """Choose how attention is computed in texts of this length."""
        short = self._kind == "cpu" and self._dtype is torch.bfloat16 and tokens <= SHORT_TEXT_TOKENS
        return sdpa_kernel(SDPBackend.MATH) if short else nullcontext()
