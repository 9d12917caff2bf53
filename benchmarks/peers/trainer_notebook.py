"""Train as a usual course notebook does: GPT-2's vocabulary and transformers' Trainer, in float32."""

import argparse
import json
import math
import time
from pathlib import Path

import pandas as pd
import torch
from scoring import Scorer
from transformers import (
    AutoTokenizer,
    DataCollatorForLanguageModeling,
    GPT2Config,
    GPT2LMHeadModel,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)


class Clock(TrainerCallback):
    """Records when each step ended; scores the model after some steps, and does not count that time."""

    def __init__(self, scorer: Scorer | None, at: set[int], started: float):
        """Score after the steps `at`."""
        self.scorer, self.at, self.started = scorer, at, started
        self.scoring_seconds = 0.0
        self.step_ends: list[float] = []
        self.curve: list[tuple[float, int, float]] = []

    def on_step_end(self, args, state, control, model=None, **unused):
        """Record the end of a step, and score the model if it is due."""
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.step_ends.append(time.time() - self.started - self.scoring_seconds)
        if self.scorer is not None and state.global_step in self.at:
            begun = time.time()
            model.eval()
            bits = self.scorer.bits_per_byte(lambda inputs: model(inputs.to(model.device)).logits)
            model.train()
            self.scoring_seconds += time.time() - begun
            self.curve.append((self.step_ends[-1], state.global_step, bits))


def main() -> None:
    """Train, and write the measurements as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--layers", type=int, required=True)
    parser.add_argument("--heads", type=int, required=True)
    parser.add_argument("--width", type=int, required=True)
    parser.add_argument("--context", type=int, required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--evaluations", type=int, required=True)
    parser.add_argument("--device", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    started = time.time()
    context = options.context
    torch.set_num_threads(options.threads)

    texts = pd.read_parquet(options.texts)
    tokenizer = AutoTokenizer.from_pretrained(options.tokenizer)
    tokenizer.pad_token = tokenizer.eos_token

    def stream(split: str) -> list[int]:
        """Join the tokens of the split's texts, with an end-of-text token before each text."""
        encoded = tokenizer(list(texts.loc[texts["split"] == split, "text"]), verbose=False)["input_ids"]
        return [token for text in encoded for token in [tokenizer.eos_token_id, *text]]

    train = stream("train")
    blocks = [{"input_ids": train[at : at + context]} for at in range(0, len(train) - context + 1, context)]
    model = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=len(tokenizer),
            n_positions=context,
            n_layer=options.layers,
            n_head=options.heads,
            n_embd=options.width,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )
    scorer = None
    if options.evaluations:
        held_out = pd.Series(stream("validation")).to_numpy("uint16")
        utf8_bytes = sum(len(text.encode()) for text in texts.loc[texts["split"] == "validation", "text"])
        scorer = Scorer(
            held_out,
            boundary=tokenizer.eos_token_id,
            context=context,
            rows=max(1, 2048 // context),
            utf8_bytes=utf8_bytes,
        )
    every = max(1, options.steps // max(1, options.evaluations))
    clock = Clock(scorer, {*range(every, options.steps + 1, every), options.steps}, started)
    arguments = TrainingArguments(
        output_dir=str(options.out.parent / "trainer"),
        per_device_train_batch_size=options.batch,
        max_steps=options.steps,
        learning_rate=2.5e-4,
        lr_scheduler_type="cosine",
        warmup_steps=math.ceil(0.05 * options.steps),
        weight_decay=0.01,
        logging_steps=50,
        save_strategy="no",
        report_to="none",
        use_cpu=options.device == "cpu",
        seed=2014,
    )
    Trainer(
        model=model,
        args=arguments,
        train_dataset=blocks,
        data_collator=DataCollatorForLanguageModeling(tokenizer, mlm=False),
        callbacks=[clock],
    ).train()
    record = {
        "seconds": time.time() - started,
        "scoring_seconds": clock.scoring_seconds,
        "step_ends": clock.step_ends,
        "tokens_per_step": context * options.batch,
        "train_tokens": len(train),
        "curve": clock.curve,
    }
    options.out.write_text(json.dumps(record), encoding="utf-8")


if __name__ == "__main__":
    main()
