"""Train a GPT-2 by code of our own with nanoGPT's settings: AdamW, warm-up and cosine, random windows, compiled."""

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from scoring import Scorer
from torch.nn import functional
from transformers import GPT2Config, GPT2LMHeadModel

from samizdat.models.rows import read_tokens
from samizdat.records.io import read_document
from samizdat.records.models import TokenizerSummary

# nanoGPT's settings for small models (README, config/train_shakespeare_char.py); weight decay of train.py.
PEAK_RATE, FLOOR_RATE = 1e-3, 1e-4
WEIGHT_DECAY, GRADIENT_CLIP = 0.1, 1.0
WARM_UP_SHARE = 0.05  # 100 of 2,000 steps


def rate_at(done: float) -> float:
    """Return the learning rate after this share of the run: linear warm-up, then cosine to a tenth."""
    if done < WARM_UP_SHARE:
        return PEAK_RATE * done / WARM_UP_SHARE
    left = 0.5 * (1 + math.cos(math.pi * min(1.0, (done - WARM_UP_SHARE) / (1 - WARM_UP_SHARE))))
    return FLOOR_RATE + left * (PEAK_RATE - FLOOR_RATE)


def main() -> None:
    """Train for the given seconds, without warm-up and scoring, or steps, and write the measurements as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--layers", type=int, required=True)
    parser.add_argument("--heads", type=int, required=True)
    parser.add_argument("--width", type=int, required=True)
    parser.add_argument("--context", type=int, required=True)
    parser.add_argument("--rows", type=int, required=True)
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--seconds", type=float)
    length.add_argument("--steps", type=int)
    parser.add_argument("--beta2", type=float, default=0.95)  # train.py's
    parser.add_argument("--compiled", choices=["yes", "no"], default="yes")
    parser.add_argument("--evaluations", type=int, required=True)
    parser.add_argument("--precision", choices=["float32", "bfloat16"], required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    started = time.time()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1337)
    vocabulary = read_document(TokenizerSummary, options.tokenizer / "summary.json")
    tokens = {
        split: np.asarray(read_tokens(options.tokenizer / "tokens" / f"{split}.bin", vocabulary.token_dtype))
        for split in ("train", "validation")
    }
    scorer = Scorer(
        tokens["validation"],
        boundary=vocabulary.boundary_token_id,
        context=options.context,
        rows=options.rows,
        utf8_bytes=vocabulary.utf8_bytes["validation"],
    )
    model = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=vocabulary.vocabulary_size,
            n_positions=options.context,
            n_layer=options.layers,
            n_head=options.heads,
            n_embd=options.width,
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
            bos_token_id=vocabulary.boundary_token_id,
            eos_token_id=vocabulary.boundary_token_id,
        )
    )
    matrices = [parameter for parameter in model.parameters() if parameter.ndim >= 2]
    vectors = [parameter for parameter in model.parameters() if parameter.ndim < 2]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": WEIGHT_DECAY}, {"params": vectors, "weight_decay": 0.0}],
        lr=PEAK_RATE,
        betas=(0.9, options.beta2),
        fused=True,
    )

    def logits_of(inputs: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=options.precision == "bfloat16"):
            return model(inputs, use_cache=False).logits

    compiled = torch.compile(logits_of) if options.compiled == "yes" else logits_of
    random = np.random.default_rng(1337)

    def step(rate: float) -> None:
        for group in optimizer.param_groups:
            group["lr"] = rate
        starts = random.integers(0, len(tokens["train"]) - options.context - 1, options.rows)
        windows = np.stack([tokens["train"][at : at + options.context + 1] for at in starts]).astype(np.int64)
        rows = torch.from_numpy(windows)
        logits = compiled(rows[:, :-1])
        functional.cross_entropy(logits.float().flatten(0, 1), rows[:, 1:].flatten()).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), GRADIENT_CLIP)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    step(0.0)  # compiles, and changes no weight
    warm_up_seconds = time.time() - started
    begun, scoring_seconds, steps = time.time(), 0.0, 0
    curve: list[tuple[float, int, float]] = []

    def trained() -> float:
        """Return the share of the run that is done."""
        return steps / options.steps if options.steps else (time.time() - begun - scoring_seconds) / options.seconds

    while (done := trained()) < 1:
        step(rate_at(done))
        steps += 1
        if trained() * options.evaluations >= len(curve) + 1:
            before = time.time()
            bits = scorer.bits_per_byte(compiled)
            scoring_seconds += time.time() - before
            curve.append((time.time() - started, steps, bits))
            print(f"step {steps}: {bits:.4f} bits per byte", flush=True)
    record = {
        "seconds": time.time() - started,
        "warm_up_seconds": warm_up_seconds,
        "scoring_seconds": scoring_seconds,
        "tokens_per_second": steps * options.rows * options.context / (time.time() - begun - scoring_seconds),
        "curve": curve,
    }
    options.out.write_text(json.dumps(record), encoding="utf-8")


if __name__ == "__main__":
    main()
