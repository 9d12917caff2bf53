"""What a classifier says of texts: each text read whole, and only texts that are new."""

import hashlib
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import torch
from transformers import AutoModelForSequenceClassification, PreTrainedModel

from samizdat import program
from samizdat.code import code_digest
from samizdat.device import Device, prepare
from samizdat.errors import UserError
from samizdat.files import sha256_of
from samizdat.records import SCORES, ClassifierCard, read_document, write_table
from samizdat.reuse import fingerprint
from samizdat.score_store import ScoreStore
from samizdat.vocabulary import load
from samizdat.windows import Batch, Window, batches, cut

UNREADABLE = "the classifier's tokenizer finds no token in it"


@dataclass(frozen=True)
class ClassificationSettings:
    """The keys of `classification` in the config, where each is explained."""

    max_length_tokens: int
    window_overlap_tokens: int
    batch_tokens: int
    precision: str


def score(
    settings: ClassificationSettings,
    classifier: Path,
    tables: tuple[Path, ...],
    scores: Path,
    work: Path,
    device: str,
    threads: int,
    seed: int,
) -> str:
    """Score every text of the tables and write `records.SCORES`, row by row in their order.

    A text longer than a window is read in several that overlap; its probabilities are the mean of theirs,
    weighted by their lengths in tokens. A text's score depends on the text and the classifier alone.

    Args:
        settings: windows, batches and number format.
        classifier: a folder with checkpoint, tokenizer, `card.json` and `seen_texts.txt`.
        tables: Parquet files with the columns `id` and `text`.
        scores: where to write.
        work: private state: the store of scores.
        device: `auto`, `cpu`, `cuda` or `mps`.
        threads: threads of the numeric libraries.
        seed: of the stage; nothing is drawn, but libraries are seeded.

    Raises:
        UserError: memory is short or the device is not there.
    """
    chosen = prepare(device, threads=threads, seed=seed)
    card = read_document(ClassifierCard, classifier / "card.json")
    half = chosen.bfloat16 if settings.precision == "auto" else settings.precision == "bfloat16"
    mark = fingerprint(
        settings=asdict(settings),
        weights=card.weights_sha256,
        tokenizer=sha256_of(classifier / "tokenizer.json"),
        bfloat16=half,
        device=chosen.kind,
        threads=threads,
        torch=torch.__version__,
        code=code_digest("classification"),
    )
    frame = pd.concat([pq.read_table(table, columns=["id", "text"]).to_pandas() for table in tables])
    keys = [hashlib.sha256(text.encode()).hexdigest() for text in frame["text"]]
    store = ScoreStore(work / "scores.sqlite", mark)
    known = store.load()
    new = {key: text for key, text in zip(keys, frame["text"], strict=True) if key not in known}
    if new:
        try:
            known |= _compute(new, settings, classifier, card, chosen, half, store)
        except torch.OutOfMemoryError:
            raise UserError(
                f"the {chosen.name} has too little memory for {settings.batch_tokens} tokens at once",
                remedy="halve classification.batch_tokens in the config",
            ) from None
    store.close()
    seen = set((classifier / "seen_texts.txt").read_text(encoding="utf-8").split())
    write_table(_as_table(frame["id"].tolist(), keys, known, card.labels, seen), SCORES, scores)
    return f"{len(frame):,} texts, {len(new):,} of them new"


def _compute(
    new: dict[str, str],
    settings: ClassificationSettings,
    folder: Path,
    card: ClassifierCard,
    device: Device,
    half: bool,
    store: ScoreStore,
) -> dict[str, tuple[int, np.ndarray]]:
    """Score texts by their keys, keeping them in the store batch by batch."""
    tokenizer = load(folder)
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, dtype=torch.float32, use_safetensors=True, local_files_only=True, trust_remote_code=False
    )
    model.eval().to(device.kind)
    keys = list(new)
    windows = list(cut(tokenizer, list(new.values()), settings.max_length_tokens, settings.window_overlap_tokens))
    expected = Counter(window.text for window in windows)
    done: dict[int, list[tuple[Window, np.ndarray]]] = {}
    computed: dict[str, tuple[int, np.ndarray]] = {}
    bar = program.progress(f"scores {card.name}", len(keys), "texts")
    for batch in batches(windows, batch_tokens=settings.batch_tokens, padding_id=tokenizer.pad_token_id):
        complete = []
        for window, probabilities in zip(batch.windows, _probabilities(model, batch, device, half), strict=False):
            parts = done.setdefault(window.text, [])
            parts.append((window, probabilities))
            if len(parts) == expected[window.text]:
                complete.append((keys[window.text], len(parts), _mean(done.pop(window.text))))
        store.add(complete)
        computed |= {key: (count, probabilities) for key, count, probabilities in complete}
        bar.update(len(complete))
    bar.close()
    return computed


@torch.inference_mode()
def _probabilities(model: PreTrainedModel, batch: Batch, device: Device, half: bool) -> np.ndarray:
    """Probabilities `[rows, labels]` in float32; rows behind the batch's windows mean nothing."""
    input_ids, attention_mask = (
        tensor.to(device.kind, non_blocking=True) for tensor in (batch.input_ids, batch.attention_mask)
    )
    with torch.autocast(device.kind, dtype=torch.bfloat16, enabled=half):
        logits = model(input_ids=input_ids, attention_mask=attention_mask).logits
    return logits.float().softmax(dim=1).cpu().numpy()


def _mean(parts: list[tuple[Window, np.ndarray]]) -> np.ndarray:
    """The windows' probabilities weighted by their lengths; one window's stay bit for bit."""
    if len(parts) == 1:
        return parts[0][1]
    # Longest first and by content, so that the order in which batches came can't change a sum.
    parts = sorted(parts, key=lambda part: (-len(part[0].tokens), part[0].tokens))
    weights = np.array([len(window.tokens) for window, _ in parts], np.float64)
    values = np.stack([probabilities for _, probabilities in parts]).astype(np.float64)
    return (weights @ values / weights.sum()).astype(np.float32)


def _as_table(
    ids: list[str], keys: list[str], known: dict[str, tuple[int, np.ndarray]], labels: list[str], seen: set[str]
) -> pd.DataFrame:
    found = [known.get(key) for key in keys]
    return pd.DataFrame(
        {
            "id": ids,
            "label": [labels[int(entry[1].argmax())] if entry else None for entry in found],
            "probabilities": [entry[1] if entry else None for entry in found],
            "windows": [entry[0] if entry else 0 for entry in found],
            "seen_in_training": [key in seen for key in ids],
            "reason": [None if entry else UNREADABLE for entry in found],
        }
    )


if __name__ == "__main__":
    program.run(score)
