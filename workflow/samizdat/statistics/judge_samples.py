"""What the samples are worth: varied or looping, written or copied, near to real texts or told apart from them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from samizdat.base import stage
from samizdat.base.device import Device, enough_memory, prepare
from samizdat.base.seeds import derive_seed
from samizdat.checkpoints.embedding import embed
from samizdat.measures import closeness, diversity, two_samples
from samizdat.measures.bootstrap import Bootstrap
from samizdat.measures.copies import Copies, known_words
from samizdat.records.corpus import TEXTS
from samizdat.records.io import read_table, write_table
from samizdat.records.sample_quality import COPIES, SAMPLE_QUALITY
from samizdat.records.samples import SAMPLES, begun_with_nothing, begun_with_prompts

# A measure of fewer texts, or blocks of words, is not reported.
FEWEST_UNITS = 5
# Shares of a text are counted in this many parts.
PARTS = 1_000_000


@dataclass(frozen=True)
class SampleQualitySettings:
    """The keys of `sample_quality` in the config, where each is explained."""

    encoder: str
    encoder_revision: str | None
    held_out_texts: int


def judge_samples(
    settings: SampleQualitySettings,
    confidence: float,
    bootstrap_resamples: int,
    texts: Path,
    samples: tuple[Path, ...],
    quality: Path,
    copies: Path,
    device: str,
    threads: int,
    seed: int,
) -> str:
    """Write `records.SAMPLE_QUALITY` and `records.COPIES`; `docs/methods.md` defines every measure.

    Args:
        settings: encoder and size of the baseline.
        confidence: of the intervals.
        bootstrap_resamples: behind each interval.
        texts: the corpus; its train split is what samples could be copied from, the other one the baseline.
        samples: one table for each model.
        quality: where to write the measures.
        copies: where to write each sample's longest copy.
        device: `auto`, `cpu`, `cuda` or `mps`.
        threads: threads of the numeric libraries.
        seed: of the stage.

    Raises:
        UserError: the encoder can't be had.
    """
    chosen = prepare(device, threads=threads, seed=seed)
    written = pd.concat([_own_words(read_table(path, SAMPLES)) for path in samples], ignore_index=True)
    corpus = read_table(texts, TEXTS)
    training = corpus.loc[corpus["split"] == "train", ["id", "text", "document"]].reset_index(drop=True)
    longest = int(max(written["own"].str.len().max(), 1))
    random = np.random.default_rng(derive_seed(seed, "held out"))
    held_out = _pieces(corpus[corpus["split"] == "validation"], longest, settings.held_out_texts, random)
    del corpus
    both = pd.concat([written, held_out], ignore_index=True)
    both["words"] = both["own"].map(diversity.split_words)
    found = _copies(both, training)
    write_table(found[COPIES.names], COPIES, copies)
    both = both.join(found[["copy_characters", "ngrams", "copied_ngrams", "known_words"]])
    bootstrap = Bootstrap(confidence, bootstrap_resamples, derive_seed(seed, "intervals"))
    real = both[both["subset"] == "held_out"]
    sets = list(_sets(both[both["subset"] == "samples"]))
    rows = [*_measures(real, {"subset": "held_out"}, bootstrap)]
    for names, part in sets:
        rows += _measures(part, names, bootstrap)
    compared = [(names, part) for names, part in sets if names["begun_with"] == "nothing"]
    for names, part in compared:
        rows += _told_apart(part, real, names, bootstrap)
    rows += _closeness(compared, real, _pieces(training, longest, len(real), random), settings, bootstrap, chosen)
    _write(rows, quality)
    return f"{len(written):,} samples beside {len(real):,} held-out texts"


def _own_words(samples: pd.DataFrame) -> pd.DataFrame:
    """Samples with what the model itself wrote, and where that begins."""
    begins = [len(row.prompt) if row.text.startswith(row.prompt) else 0 for row in samples.itertuples()]
    own = [text[begin:] for text, begin in zip(samples["text"], begins, strict=True)]
    return samples.assign(subset="samples", document=samples["id"], begin=begins, own=own)


def _pieces(texts: pd.DataFrame, longest: int, number: int, random: np.random.Generator) -> pd.DataFrame:
    """At most `number` texts drawn at random; one longer than a sample can be is cut into pieces between words."""
    rows = [
        (key, document, begin, text[begin:end])
        for key, document, text in zip(texts["id"], texts["document"], texts["text"], strict=True)
        for begin, end in _cuts(text, longest)
    ]
    drawn = random.permutation(len(rows))[:number]
    frame = pd.DataFrame([rows[place] for place in drawn], columns=["id", "document", "begin", "own"])
    return frame.assign(subset="held_out")


def _cuts(text: str, longest: int) -> Iterator[tuple[int, int]]:
    begin = 0
    while len(text) - begin > longest:
        blank = text.rfind(" ", begin + 1, begin + longest)
        end = blank if blank > 0 else begin + longest
        yield begin, end
        begin = end
    yield begin, len(text)


def _copies(both: pd.DataFrame, training: pd.DataFrame) -> pd.DataFrame:
    """`records.COPIES`, and how many words of each text the training texts know."""
    of_words, of_runs = known_words(both["words"].tolist(), training["text"])
    index = Copies(training["text"])
    rows = []
    for text, begin in zip(stage.progress("copies", len(both), "texts", items=both["own"]), both["begin"], strict=True):
        match = index.longest(text)
        rows.append(
            (
                len(text), match.characters, begin + match.start, training["id"][match.training_text], match.offset,
                text[match.start : match.start + match.characters],
            )
            if match
            else (len(text), 0, None, None, None, None)
        )  # fmt: skip
    columns = ["characters", "copy_characters", "copy_begin", "text_id", "text_offset", "passage"]
    frame = pd.DataFrame(rows, columns=columns).astype({"copy_begin": "Int64", "text_offset": "Int64"})
    return frame.assign(
        subset=both["subset"], id=both["id"], begin=both["begin"], ngrams=of_runs[:, 1], copied_ngrams=of_runs[:, 0],
        known_words=of_words[:, 0],
    )  # fmt: skip


def _sets(samples: pd.DataFrame) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """The sets of samples that are measured, each with its names."""
    nothing = begun_with_nothing(samples)
    prompts = begun_with_prompts(samples)
    for begun_with, part in (("nothing", nothing), ("prompts", prompts)):
        for (model, percent, temperature), rows in part.groupby(["model", "percent", "temperature"]):
            names = {"model": model, "percent": int(percent), "temperature": float(f"{temperature:g}")}
            yield {"subset": "samples", **names, "begun_with": begun_with}, rows


def _measures(part: pd.DataFrame, names: dict[str, Any], bootstrap: Bootstrap) -> Iterator[dict[str, Any]]:
    """Every measure that is a ratio of sums over texts, or over blocks of words."""
    words = part["words"].tolist()
    lengths = np.array([len(one) for one in words], np.int64)
    ones = np.ones(len(part), np.int64)
    random = np.random.default_rng(derive_seed(bootstrap.seed, "self-BLEU", *names.values()))
    bleu = diversity.self_bleu(words, random)
    scored = ~np.isnan(bleu)
    looping = np.array([diversity.loops(one) for one in words], np.int64)
    documents = pd.factorize(part["document"])[0]
    ratios = {
        "self_bleu": (np.round(bleu[scored] * PARTS).astype(np.int64), PARTS * ones[scored], documents[scored]),
        "loop_share": (looping, ones, documents),
        "length_words": (lengths, ones, documents),
        "known_word_share": (part["known_words"], lengths, documents),
        "copy_characters": (part["copy_characters"], ones, documents),
        "copied_ngram_share": (part["copied_ngrams"], part["ngrams"], documents),
    }
    for length in (1, 2, 3):
        blocks = diversity.distinct(words, length)
        ratios[f"distinct_{length}"] = (blocks[:, 0], blocks[:, 1], np.arange(len(blocks)))
    for metric, (above, below, owners) in ratios.items():
        if len(owners) < FEWEST_UNITS or not np.sum(below):
            continue
        counts = np.zeros((owners.max() + 1, 2), np.int64)
        np.add.at(counts, owners, np.column_stack([above, below]))
        totals = bootstrap.totals(counts, metric, *names.values())
        with np.errstate(invalid="ignore"):
            low, high = bootstrap.interval(totals[:, 0] / totals[:, 1])
        value = counts[:, 0].sum() / counts[:, 1].sum()
        yield {**names, "metric": metric, "units": len(owners), "value": value, "low": low, "high": high}


def _told_apart(
    part: pd.DataFrame, real: pd.DataFrame, names: dict[str, Any], bootstrap: Bootstrap
) -> Iterator[dict[str, Any]]:
    """How well a simple model tells samples from as many held-out texts."""
    number = min(len(part), len(real))
    if number < two_samples.FEWEST_TEXTS:
        return
    left, right = real.iloc[:number], part.iloc[:number]
    groups = [*left["document"], *right["document"]]
    seed = derive_seed(bootstrap.seed, "told apart", *names.values())
    verdict = two_samples.tell_apart(left["own"].tolist(), right["own"].tolist(), groups, seed)
    weights = [_drawn_texts(some["document"], bootstrap.resamples, derive_seed(seed, subset))
               for subset, some in (("held out", left), ("samples", right))]  # fmt: skip
    low, high = bootstrap.interval(two_samples.resampled_areas(verdict, *weights))
    yield {
        **names, "metric": "told_apart_area", "units": number, "value": verdict.area, "low": low, "high": high,
        "p_value": verdict.p_value,
    }  # fmt: skip


def _drawn_texts(documents: pd.Series, resamples: int, seed: int) -> np.ndarray:
    """How often each text is drawn when documents are drawn with replacement, `[resamples, texts]`."""
    owners, names = pd.factorize(documents)
    drawn = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), size=resamples)
    return drawn[:, owners]


def _closeness(
    compared: list[tuple[dict[str, Any], pd.DataFrame]],
    real: pd.DataFrame,
    training: pd.DataFrame,
    settings: SampleQualitySettings,
    bootstrap: Bootstrap,
    device: Device,
) -> Iterator[dict[str, Any]]:
    """How near each set of samples is to as many held-out texts, beside as many training texts."""
    enough = [(names, part, min(len(part), len(real), len(training))) for names, part in compared]
    enough = [(names, part, number) for names, part, number in enough if number >= closeness.FEWEST_TEXTS]
    if not enough:
        return
    most = max(number for _, _, number in enough)
    frames = [real[:most], training[:most], *(part[:number] for _, part, number in enough)]
    texts = [text for frame in frames for text in frame["own"]]
    with enough_memory(device, "the encoder of sample_quality", remedy="set `device: cpu` in the config"):
        points = embed(texts, settings.encoder, settings.encoder_revision, device.kind)
    of_real, of_training, *of_samples = np.split(points, np.cumsum([len(frame) for frame in frames])[:-1])
    for (names, part, number), own in zip(enough, of_samples, strict=True):
        seed = derive_seed(bootstrap.seed, "closeness", *names.values())
        counts = _clustered(own, part[:number], of_real[:number], real[:number], seed)
        value = closeness.closeness(np.stack([one.sum(axis=0) for one in counts]))
        resampled = [bootstrap.totals(one, "closeness", side, *names.values()) for side, one in enumerate(counts)]
        low, high = bootstrap.interval(closeness.closeness(np.stack(resampled, axis=1)))
        counts = _clustered(of_training[:number], training[:number], of_real[:number], real[:number], seed)
        ceiling = closeness.closeness(np.stack([one.sum(axis=0) for one in counts]))
        yield {
            **names, "metric": "closeness", "units": number, "value": float(value), "low": low, "high": high,
            "real_value": float(ceiling),
        }  # fmt: skip


def _clustered(
    left: np.ndarray, left_texts: pd.DataFrame, right: np.ndarray, right_texts: pd.DataFrame, seed: int
) -> list[np.ndarray]:
    """How many texts of each document stand in each cluster, `[documents, clusters]`, for both sets."""
    places = closeness.cluster(np.concatenate([left, right]), len(left), seed)
    tables = []
    for some, frame in zip(np.split(places, [len(left)]), (left_texts, right_texts), strict=True):
        owners = pd.factorize(frame["document"])[0]
        counts = np.zeros((owners.max() + 1, places.max() + 1), np.int64)
        np.add.at(counts, (owners, some), 1)
        tables.append(counts)
    return tables


def _write(rows: list[dict[str, Any]], path: Path) -> None:
    frame = pd.DataFrame(rows, columns=SAMPLE_QUALITY.names)
    for field in SAMPLE_QUALITY:
        if pa.types.is_floating(field.type):
            frame[field.name] = frame[field.name].astype(float)
    frame["percent"] = frame["percent"].astype("Int16")
    write_table(frame, SAMPLE_QUALITY, path)


if __name__ == "__main__":
    stage.run(judge_samples)
