"""What a classifier says of texts: each text read whole, and only texts that are new."""

import hashlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import torch
from transformers import AutoModelForSequenceClassification, PreTrainedModel

from samizdat import program, unpadded
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
UNCERTAIN = "its most probable label is less probable than abstain_below"

# Where bfloat16 finds two labels nearer than this to each other, float32 decides: of 5,905 texts of the demo, bfloat16
# alone gave 10 another label than float32, 8 of them by less.
CLOSE_CALL = 0.01


@dataclass(frozen=True)
class ClassificationSettings:
    """The keys of `classification` in the config, where each is explained."""

    max_length_tokens: int
    window_overlap_tokens: int
    batch_tokens: int
    precision: str
    abstain_below: float


def score(
    settings: ClassificationSettings,
    classifier: Path,
    tables: tuple[Path, ...],
    scores: Path,
    store: Path,
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
        store: the SQLite file of scores that were computed before, shared by all runs.
        device: `auto`, `cpu`, `cuda` or `mps`.
        threads: batches that a CPU computes at once; their number changes no score.
        seed: of the stage; nothing is drawn, but libraries are seeded.

    Raises:
        UserError: memory is short or the device is not there.
    """
    chosen = prepare(device, threads=threads, seed=seed)
    card = read_document(ClassifierCard, classifier / "card.json")
    half = chosen.bfloat16 if settings.precision == "auto" else settings.precision == "bfloat16"
    mark = fingerprint(
        # The probabilities are kept, and when to abstain is decided with them at hand.
        settings={key: value for key, value in asdict(settings).items() if key != "abstain_below"},
        weights=card.weights_sha256,
        tokenizer=sha256_of(classifier / "tokenizer.json"),
        bfloat16=half,
        device=chosen.kind,
        torch=torch.__version__,
        code=code_digest("classification"),
    )
    frame = pd.concat([pq.read_table(table, columns=["id", "text"]).to_pandas() for table in tables])
    keys = [hashlib.sha256(text.encode()).digest() for text in frame["text"]]
    texts = dict(zip(keys, frame["text"], strict=True))
    places = {key: place for place, key in enumerate(texts)}
    probabilities = np.zeros((len(places), len(card.labels)), np.float32)
    windows = np.full(len(places), -1, np.int32)  # -1: not known yet
    shelf = ScoreStore(store, mark)
    for key, count, values in shelf.known(list(places)):
        windows[places[key]], probabilities[places[key]] = count, values
    new = [key for key in places if windows[places[key]] < 0]
    if new:
        bar = program.progress(f"scores {card.name}", len(new), "texts")
        try:
            for done in _compute([texts[key] for key in new], settings, classifier, chosen, half, threads):
                shelf.add((new[text], count, values) for text, count, values in done)
                for text, count, values in done:
                    windows[places[new[text]]], probabilities[places[new[text]]] = count, values
                bar.update(len(done))
        except torch.OutOfMemoryError:
            raise UserError(
                f"the {chosen.name} has too little memory for {settings.batch_tokens} tokens at once",
                remedy="halve classification.batch_tokens in the config",
            ) from None
        bar.close()
        # No window came of these, however often they are read.
        silent = [key for key in new if windows[places[key]] < 0]
        shelf.add((key, 0, probabilities[places[key]]) for key in silent)
    shelf.close()
    seen = set((classifier / "seen_texts.txt").read_text(encoding="utf-8").split())
    rows = [places[key] for key in keys]
    table = _as_table(frame["id"], probabilities[rows], windows[rows], card.labels, seen, settings.abstain_below)
    write_table(table, SCORES, scores)
    return f"{len(frame):,} texts, {len(new):,} of them new"


Scored = list[tuple[int, int, np.ndarray]]  # text's number, number of its windows, probabilities


def _compute(
    texts: list[str], settings: ClassificationSettings, folder: Path, device: Device, half: bool, threads: int
) -> Iterator[Scored]:
    """Score texts batch by batch: those whose last window stood in it.

    On a CPU each thread computes a batch of its own: nothing waits at a barrier inside of a matrix product, and
    the next texts are cut into tokens at the same time.
    """
    tokenizer = load(folder)
    model = _Model(folder, device, half)
    windows = cut(tokenizer, texts, settings.max_length_tokens, settings.window_overlap_tokens)
    parts: dict[int, list[tuple[Window, np.ndarray]]] = {}
    workers = threads if device.kind == "cpu" else 1
    under_way: deque[tuple[Batch, Future[np.ndarray]]] = deque()
    with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for batch in model.batches(windows, settings.batch_tokens, tokenizer.pad_token_id):
            under_way.append((batch, pool.submit(model.probabilities, batch)))
            if len(under_way) > 2 * workers:
                yield _finished(*under_way.popleft(), parts)
        while under_way:
            yield _finished(*under_way.popleft(), parts)


class _Model:
    """A classifier as it is applied: in float32, or in bfloat16 with float32 for what is close."""

    def __init__(self, folder: Path, device: Device, half: bool):
        """Load it onto the device, in both formats where it is to be applied in bfloat16."""
        self._device = device
        self._model = self._load(folder, torch.bfloat16 if half else torch.float32)
        self._exact = self._load(folder, torch.float32) if half else None
        # On a GPU padding costs less than one small product for each window.
        self._unpadded = device.kind == "cpu" and unpadded.can_read_end_to_end(self._model.config)
        if self._unpadded:
            unpadded.read_end_to_end(self._model)

    def batches(self, windows: Iterator[Window], batch_tokens: int, padding_id: int) -> Iterator[Batch]:
        """The windows in the batches that `probabilities` takes."""
        if not self._unpadded:
            return batches(windows, batch_tokens=batch_tokens, padding_id=padding_id)
        first = getattr(self._model.base_model.embeddings, "padding_idx", -1) + 1  # RoBERTa's count from there
        return unpadded.rows(windows, batch_tokens=batch_tokens, first_position=first)

    @torch.inference_mode()
    def probabilities(self, batch: Batch) -> np.ndarray:
        """Probabilities `[windows, labels]` in float32."""
        found = self._read(self._model, batch.inputs)[: len(batch.windows)]
        if self._exact is not None:
            ordered = np.sort(found, axis=1)
            # One by one, so that it depends on nothing else in the batch.
            for row in np.flatnonzero(ordered[:, -1] - ordered[:, -2] < CLOSE_CALL):
                (found[row],) = self._read(self._exact, {"input_ids": torch.tensor([batch.windows[row].tokens])})
        return found

    def _read(self, model: PreTrainedModel, inputs: dict[str, Any]) -> np.ndarray:
        kind = self._device.kind
        there = {name: value.to(kind) if isinstance(value, torch.Tensor) else value for name, value in inputs.items()}
        return model(**there).logits.float().softmax(dim=1).cpu().numpy()

    def _load(self, folder: Path, dtype: torch.dtype) -> PreTrainedModel:
        # On a CPU, whole score matrices of a few short windows in bfloat16 are faster than PyTorch's flash attention.
        plain = self._device.kind == "cpu" and dtype is torch.bfloat16
        model = AutoModelForSequenceClassification.from_pretrained(
            folder,
            dtype=dtype,
            attn_implementation="eager" if plain else None,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
        )
        return model.eval().to(self._device.kind)


def _finished(batch: Batch, computed: Future[np.ndarray], parts: dict[int, list[tuple[Window, np.ndarray]]]) -> Scored:
    """The texts that a batch completes; windows of others wait in `parts`."""
    complete = []
    for window, probabilities in zip(batch.windows, computed.result(), strict=True):
        mine = parts.setdefault(window.text, [])
        mine.append((window, probabilities))
        if len(mine) == window.of:
            complete.append((window.text, window.of, _mean(parts.pop(window.text))))
    return complete


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
    ids: pd.Series,
    probabilities: np.ndarray,
    windows: np.ndarray,
    labels: list[str],
    seen: set[str],
    abstain_below: float,
) -> pd.DataFrame:
    there = windows > 0
    certain = there & (probabilities.max(axis=1) >= abstain_below)
    best = np.array(labels, object)[probabilities.argmax(axis=1)]
    return pd.DataFrame(
        {
            "id": ids.to_numpy(),
            "label": np.where(certain, best, None),
            "probabilities": [values if known else None for values, known in zip(probabilities, there, strict=True)],
            "windows": windows.clip(min=0),
            "seen_in_training": ids.isin(seen).to_numpy(),
            "reason": np.where(certain, None, np.where(there, UNCERTAIN, UNREADABLE)),
        }
    )


if __name__ == "__main__":
    program.run(score)
