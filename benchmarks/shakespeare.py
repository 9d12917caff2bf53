"""Train on Tiny Shakespeare, beside nanoGPT's settings for a CPU, at nanoGPT's own split, in bits per character.

    python benchmarks/shakespeare.py TEXT            about fifteen minutes on a quiet machine
    python benchmarks/shakespeare.py TEXT --quick    the same code with tiny models; records nothing

TEXT is char-rnn's `tinyshakespeare/input.txt`: 1,115,394 characters of Shakespeare's plays. The last tenth of the
characters is the validation split, as nanoGPT has it. For us each speech is a text, and the boundary between two texts
stands for the blank line between them; so the bits of texts and boundaries are divided by all characters, blank lines
included. Both sides choose their best value on that split, as nanoGPT does: neither is a value of unseen texts.
"""

import argparse
import hashlib
import math
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from record import Figure, middle, show, write
from stage import Run, settings_of, train
from training import peer

from samizdat.models.make_tokenizer import TokenizerSettings, make_tokenizer
from samizdat.records.corpus import TEXTS
from samizdat.records.io import read_document, write_document, write_table
from samizdat.records.models import TokenizerSummary

SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
TRAIN_SHARE = 0.9
SEED, THREADS = 2014, 2
# What nanoGPT's README publishes for three minutes on an A100, in nats a character.
PUBLISHED = 1.4697


@dataclass(frozen=True)
class Plan:
    """How much of everything is run: FULL for the record, QUICK to see that the code works."""

    vocabulary_size: int
    minutes: dict[str, Any]  # settings of the run of three minutes
    short: dict[str, Any]  # of the run that is scheduled to end at about the peer's best value
    repeats: int  # of the short run
    peer: dict[str, Any]  # nanoGPT's command for a CPU (README)


LONG = {"layers": 4, "heads": 4, "width": 256, "context_tokens": 128, "batch_tokens": 2048, "epochs": 10.0,
        "matrix_learning_rate": 0.003, "learning_rate": 0.007, "weight_decay": 1.3, "evaluations": 2}  # fmt: skip
SHORT = LONG | {"layers": 2, "context_tokens": 64, "batch_tokens": 1024, "epochs": 0.35, "evaluations": 2,
                "matrix_learning_rate": 0.004, "learning_rate": 0.01, "compile": False}  # fmt: skip
PEER = {"layers": 4, "heads": 4, "width": 128, "context": 64, "rows": 12, "steps": 2000, "beta2": 0.99,
        "compiled": "no", "precision": "float32", "evaluations": 8}  # fmt: skip
FULL = Plan(2048, LONG, SHORT, 3, PEER)
QUICK = Plan(
    512, LONG | {"layers": 1, "width": 64, "heads": 2, "epochs": 0.05}, SHORT | {"width": 64, "epochs": 0.05}, 2,
    PEER | {"layers": 1, "width": 32, "steps": 40, "evaluations": 2},
)  # fmt: skip


@dataclass(frozen=True)
class Play:
    """The text, cut where nanoGPT cuts it."""

    train: str
    validation: str

    @classmethod
    def read(cls, path: Path) -> "Play":
        """Read the file, which must be the one that nanoGPT's figures are of."""
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != SHA256:
            raise SystemExit(f"{path} is not tinyshakespeare/input.txt of char-rnn: its SHA-256 is another one")
        text = content.decode("ascii")
        cut = int(len(text) * TRAIN_SHARE)
        return cls(text[:cut], text[cut:])


def main() -> None:
    """Run all rows and record them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="samizdat-shakespeare-") as folder:
        figures, notes = measured(Play.read(options.text), QUICK if options.quick else FULL, Path(folder))
    show(figures)
    if not options.quick:
        write("shakespeare", figures, notes)


def measured(play: Play, plan: Plan, folder: Path) -> tuple[dict[str, Figure], dict[str, Any]]:
    """Run both sides in turns."""
    speeches, characters = folder / "speeches", folder / "characters"
    write_speeches(play, plan.vocabulary_size, speeches)
    write_characters(play, characters)
    shape = read_document(TokenizerSummary, speeches / "summary.json")
    # From bits a byte of the texts to bits a character of the file; all letters are ASCII.
    share = shape.utf8_bytes["validation"] / len(play.validation)

    def ours(name: str, settings: dict[str, Any]) -> Run:
        print(f"— our stage, {name}", flush=True)
        whole = settings_of(**settings, micro_batch_sequences="auto", keep_percents=[100])
        return train(whole, speeches, folder / name, device="cpu", threads=THREADS, seed=SEED)

    nanogpt, short = [], []
    for number in range(plan.repeats):  # in turns, since the speed of a machine changes with time
        nanogpt.append(peer("nanogpt_settings.py", {"tokenizer": characters, "threads": THREADS, **plan.peer}, folder))
        short.append(ours(f"short-{number}", plan.short))
    long = ours("three-minutes", plan.minutes)

    best = min(bits for _, _, bits in nanogpt[0]["curve"])
    theirs = [seconds_to_best(run) for run in nanogpt]
    to_best = [run.seconds_to(best / share) for run in short]
    figures = {
        "nanogpt_bits": Figure("nanoGPT's settings for a CPU: best validation bits per character", best),
        "nanogpt_seconds": middle("its seconds to that value, start included, evaluations left out", theirs),
        "seconds_to_it": middle("our seconds to that value, start and evaluations included", to_best),
        "time_ratio": middle(
            "our time to that value as a share of its time",
            [one / other for one, other in zip(to_best, theirs, strict=True)], 1 / 6, less_is_better=True,
        ),
        "published_bits": Figure(
            "what nanoGPT publishes for three minutes on an A100: validation bits per character",
            PUBLISHED / math.log(2),
        ),
        "bits_in_three_minutes": Figure(
            "ours on two CPU cores: validation bits per character",
            min(bits for _, _, bits in long.curve) * share, 1.95, less_is_better=True,
        ),
        "seconds": Figure("its seconds, start, compilation and evaluations included", long.seconds, 180,
                          less_is_better=True),
    }  # fmt: skip
    curves = {"nanogpt": nanogpt, "short": [run.curve for run in short], "long": long.curve}
    settings = {"vocabulary_size": plan.vocabulary_size, "long": plan.minutes, "short": plan.short, "peer": plan.peer}
    return figures, {"bits_per_character_of_a_bit_per_byte": share, "curves": curves, "settings": settings}


def seconds_to_best(run: dict[str, Any]) -> float:
    """Return the seconds from the peer's start to its best value, without those of its evaluations."""
    number, (seconds, _, _) = min(enumerate(run["curve"]), key=lambda one: one[1][2])
    return seconds - run["scoring_seconds"] * (number + 1) / len(run["curve"])


def write_speeches(play: Play, vocabulary_size: int, folder: Path) -> None:
    """Write a vocabulary of the train split, and each speech as a text in its tokens."""
    # The stage wants a third split, on which nothing is chosen; what comes of it is not shown here.
    splits = {"train": play.train, "validation": play.validation, "test": play.validation}
    rows = [
        {"id": f"{split} {number}", "text": speech, "document": split, "split": split,
         "sha256": hashlib.sha256(speech.encode()).hexdigest()}
        for split, text in splits.items() for number, speech in enumerate(text.strip("\n").split("\n\n"))
    ]  # fmt: skip
    table = pd.DataFrame(rows).assign(group=None, ratings=None, raters=None)
    write_table(table[TEXTS.names], TEXTS, folder / "texts.parquet")
    make_tokenizer(
        TokenizerSettings("speeches", "train", vocabulary_size, None, None), folder / "texts.parquet", None, folder
    )


def write_characters(play: Play, folder: Path) -> None:
    """Write the characters as tokens, as nanoGPT has them, so that each of the validation split is a target once."""
    letters = sorted(set(play.train + play.validation))
    numbers = {letter: number for number, letter in enumerate(letters)}
    # The first target's input is the last character before it; the last target is what ends the stream.
    streams = {"train": play.train, "validation": play.train[-1] + play.validation[:-1]}
    (folder / "tokens").mkdir(parents=True)
    for split, text in streams.items():
        np.array([numbers[letter] for letter in text], "<u2").tofile(folder / "tokens" / f"{split}.bin")
    lengths = {"train": len(play.train), "validation": len(play.validation)}
    summary = TokenizerSummary(
        name="characters", vocabulary_size=len(letters), tokens=lengths, utf8_bytes=lengths,
        changed=dict.fromkeys(lengths, 0), characters_per_token=1.0,
        boundary_token_id=numbers[play.validation[-1]], token_dtype="uint16",
    )  # fmt: skip
    write_document(summary, folder / "summary.json")


if __name__ == "__main__":
    main()
