"""Round a model's weights to eight bits, for a page in which it runs, and measure what that costs."""

import math
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import GPT2LMHeadModel
from transformers.pytorch_utils import Conv1D

from samizdat.base import stage
from samizdat.base.device import prepare
from samizdat.base.errors import UserError
from samizdat.base.files import checked_sha256, replacing, replacing_folder
from samizdat.checkpoints.gpt2 import TANH_GELU, attention_scales, load_gpt2
from samizdat.models.int8 import quantise
from samizdat.models.row_loss import RowLoss
from samizdat.models.rows import read_tokens
from samizdat.models.text_losses import text_losses
from samizdat.records.io import read_document, write_document
from samizdat.records.models import ModelSummary, RoundedModel, TokenizerSummary

LARGEST_LOSS = 0.01  # bits per byte
SEQUENCES = 32  # that are computed at once, to measure


def round_weights(name: str, model: Path, tokenizer: Path, out: Path, device: str, threads: int, seed: int) -> str:
    """Write `records.models.RoundedModel` and the rounded weights of every kept checkpoint.

    Each row of a matrix is rounded to whole numbers from -127 to 127, times a scale of its own.

    Args:
        name: of the model.
        model: its folder.
        tokenizer: the folder of its tokenizer, with the tokens of the validation texts.
        out: the folder to write.
        device: `auto`, `cpu`, `cuda` or `mps`.
        threads: on a CPU.
        seed: of the stage; nothing here is random.

    Raises:
        UserError: a checkpoint is damaged or is of a kind that the page can't compute, or rounding costs too much.
    """
    chosen = prepare(device, threads=threads, seed=seed)
    vocabulary = read_document(TokenizerSummary, tokenizer / "summary.json")
    checkpoints = read_document(ModelSummary, model / "summary.json").checkpoints
    steps = dict(sorted(checkpoints.items(), key=lambda item: int(item[0])))
    checked_sha256(tokenizer / "tokens" / "validation.bin")
    tokens = read_tokens(tokenizer / "tokens" / "validation.bin", vocabulary.token_dtype)
    before: dict[str, float] = {}
    after: dict[str, float] = {}
    with replacing_folder(out) as folder:
        for percent in steps:
            gpt2 = load_gpt2(model, int(percent), chosen.kind)
            _refuse_unknown_function(gpt2, name)
            loss = RowLoss(gpt2, kind=chosen.kind, dtype=torch.float32)

            def measured(loss: RowLoss = loss, context: int = gpt2.config.n_positions) -> float:
                losses = text_losses(
                    loss, tokens, boundary=vocabulary.boundary_token_id, context_tokens=context, sequences=SEQUENCES
                )
                nats = float(sum(batch["nats"].sum() for batch in losses))
                return nats / math.log(2) / vocabulary.utf8_bytes["validation"]

            before[percent] = measured()
            rounded = _round(gpt2)
            after[percent] = measured()
            _refuse_costly(name, percent, before[percent], after[percent])
            with replacing(folder / f"{percent}.safetensors") as path:
                save_file(rounded, path)
        config = gpt2.config
        summary = RoundedModel(
            layers=config.n_layer,
            heads=config.n_head,
            width=config.n_embd,
            inner_width=config.n_inner or 4 * config.n_embd,
            context_tokens=config.n_positions,
            vocabulary_size=config.vocab_size,
            boundary_token_id=vocabulary.boundary_token_id,
            epsilon=config.layer_norm_epsilon,
            attention_scales=attention_scales(config),
            steps=steps,
            bits_per_byte=before,
            rounded_bits_per_byte=after,
        )
        write_document(summary, folder / "summary.json")
    worst = max(after[percent] - before[percent] for percent in steps)
    return f"checkpoints: {len(steps)}; rounding costs at most {max(worst, 0):.4f} bits per byte"


def _refuse_unknown_function(model: GPT2LMHeadModel, name: str) -> None:
    function = model.config.activation_function
    if function not in TANH_GELU:
        raise UserError(
            f"the model {name!r} has the activation function {function}; the page computes GPT-2's own, gelu_new",
            remedy="name a model with gelu_new under `play` in the config, or set `play: null`",
        )


def _round(model: GPT2LMHeadModel) -> dict[str, torch.Tensor]:
    """Round the model's matrices in their place; return what is written of it."""
    parts: dict[str, torch.Tensor] = {}
    for name, module in model.named_modules():
        tied = module is model.lm_head and module.weight is model.transformer.wte.weight
        for kind, parameter in module.named_parameters(recurse=False):
            key = f"{name.removeprefix('transformer.')}.{kind}"
            if parameter.dim() == 1:
                parts[key] = parameter.detach().float().cpu().contiguous()
            elif not tied:
                # The outputs of a Conv1D are its columns; those of other matrices, and tokens, are rows.
                along = 0 if isinstance(module, Conv1D) else 1
                numbers, scales = quantise(parameter.detach(), along)
                parameter.data.copy_(numbers * scales)
                parts[key] = (numbers if along else numbers.T).cpu().contiguous()
                parts[f"{key}.scales"] = scales.flatten().cpu().contiguous()
    return parts


def _refuse_costly(name: str, percent: str, before: float, after: float) -> None:
    if after - before > LARGEST_LOSS:
        raise UserError(
            f"in eight bits the model {name!r} at {percent} % of training needs {after:.4f} bits per byte, not "
            f"{before:.4f}: the page may cost {LARGEST_LOSS} at most",
            remedy="name another model under `play` in the config, or set `play: null`",
        )


if __name__ == "__main__":
    stage.run(round_weights)
