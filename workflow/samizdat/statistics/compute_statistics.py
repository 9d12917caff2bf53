"""What the scores say: label shares, divergences and quality, each with a bootstrap interval."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from samizdat.base import stage
from samizdat.base.seeds import derive_seed
from samizdat.measures import label_metrics
from samizdat.measures.bootstrap import Bootstrap, count_by_document
from samizdat.records.classifiers import SCORES, ClassifierCard
from samizdat.records.corpus import LABEL_PREFIX, TEXTS
from samizdat.records.io import read_document, read_table, write_table
from samizdat.records.samples import SAMPLES, begun_with_nothing, begun_with_prompts
from samizdat.records.statistics import STATISTICS
from samizdat.statistics.agreement import agreement
from samizdat.statistics.association import associations, group_tests
from samizdat.statistics.certainty import examples
from samizdat.statistics.fitness import fitness, languages


@dataclass(frozen=True)
class StatisticsSettings:
    """The keys of `statistics` in the config, where each is explained."""

    confidence: float
    bootstrap_resamples: int


def compute_statistics(
    settings: StatisticsSettings,
    texts: Path,
    samples: tuple[Path, ...],
    classifiers: tuple[Path, ...],
    scores: Path,
    out: Path,
    seed: int,
) -> str:
    """Write the tables of `statistics_records.STATISTICS` as Parquet.

    Texts that a classifier was trained or selected on, and texts without a label, count nowhere. Intervals
    come from resampled documents, not sentences; a sample is a document of its own. `docs/methods.md` has
    every definition with its source.

    Args:
        settings: confidence and number of resamples.
        texts: the corpus.
        samples: one table for each model.
        classifiers: the folders `classifiers/<name>`.
        scores: the folder with `<name>/texts.parquet` and `<name>/samples.parquet`.
        out: the folder to write.
        seed: of the stage.
    """
    corpus = read_table(texts, TEXTS)
    written = pd.concat([read_table(path, SAMPLES) for path in samples], ignore_index=True)
    written["document"] = written["id"]
    tables: dict[str, list[dict[str, Any]]] = {name: [] for name in STATISTICS}
    spoken = languages(corpus)
    cards = {folder.name: read_document(ClassifierCard, folder / "card.json") for folder in classifiers}
    judged = {}
    for name, card in cards.items():
        of_texts = read_table(scores / name / "texts.parquet", SCORES)
        judged[name] = _judged(corpus, of_texts, card)
        judged_samples = _judged(written, read_table(scores / name / "samples.parquet", SCORES), card)
        bootstrap = _bootstrap(settings, seed, name)
        tables["label_shares"] += _label_shares(card, judged[name], judged_samples, bootstrap)
        tables["divergences"] += _divergences(card, judged[name], judged_samples, bootstrap)
        tables["fitness"] += fitness(card, corpus, of_texts, spoken)
        tables["examples"] += examples(name, judged[name])
        column = LABEL_PREFIX + (card.label_column or "")
        if column in judged[name]:
            for table, rows in agreement(card, corpus, judged[name], column, bootstrap).items():
                tables[table] += rows
    together = Bootstrap(settings.confidence, settings.bootstrap_resamples, derive_seed(seed, "classifiers"))
    tables["associations"] += associations(cards, judged, together)
    tables["group_tests"] += group_tests(cards, judged, together)
    found = spoken.value_counts()
    tables["languages"] += [{"language": code, "texts": count} for code, count in found.sort_index().items()]
    for name, schema in STATISTICS.items():
        _write(tables[name], schema, out / f"{name}.parquet")
    return f"{len(classifiers)} classifiers, {settings.bootstrap_resamples:,} resamples behind each interval"


def _bootstrap(settings: StatisticsSettings, seed: int, classifier: str) -> Bootstrap:
    return Bootstrap(settings.confidence, settings.bootstrap_resamples, derive_seed(seed, "classifier", classifier))


def _judged(frame: pd.DataFrame, scores: pd.DataFrame, card: ClassifierCard) -> pd.DataFrame:
    """The rows that a classifier gave a label to and was not trained on, with that label and the next.

    New columns: `predicted`, `confidence`, `runner_up`, `runner_up_confidence`.
    """
    kept = scores[scores["label"].notna() & ~scores["seen_in_training"]]
    probabilities = np.stack(kept["probabilities"]) if len(kept) else np.zeros((0, len(card.labels)))
    order = np.argsort(-probabilities, axis=1, kind="stable")
    ranked = np.take_along_axis(probabilities, order, axis=1).astype(float)
    labels = np.array(card.labels, object)[order]
    found = pd.DataFrame(
        {
            "id": kept["id"].to_numpy(),
            "predicted": labels[:, 0],
            "confidence": ranked[:, 0],
            "runner_up": labels[:, 1],
            "runner_up_confidence": ranked[:, 1],
        }
    )
    return frame.merge(found, on="id", validate="one_to_one")


def _label_shares(
    card: ClassifierCard, texts: pd.DataFrame, samples: pd.DataFrame, bootstrap: Bootstrap
) -> Iterator[dict[str, Any]]:
    """Rows of `statistics_records.LABEL_SHARES`: a label's share in each set of texts and of samples."""
    for subset, kind, group, part in _sets(texts, samples):
        counts = count_by_document(part, ("predicted",), (card.labels,))
        totals = bootstrap.totals(counts, "shares", subset, kind, group or "")
        low, high = bootstrap.interval(label_metrics.shares(totals))
        count = counts.sum(axis=0)
        share = label_metrics.shares(count)
        for number, label in enumerate(card.labels):
            yield {
                "classifier": card.name,
                "subset": subset,
                "group_kind": kind,
                "group": group,
                "label": label,
                "count": count[number],
                "share": share[number],
                "low": low[number],
                "high": high[number],
            }


def _sets(texts: pd.DataFrame, samples: pd.DataFrame) -> Iterator[tuple[str, str, str | None, pd.DataFrame]]:
    """The sets whose label shares are reported, empty ones left out: subset, kind, group, rows."""
    if len(texts):
        yield "texts", "all", None, texts
    for group, part in texts.groupby("group"):
        yield "texts", "group", group, part
    published = begun_with_nothing(samples)
    if len(published):
        yield "samples", "all", None, published
    for kind, part in (
        ("model", published),
        ("temperature", published),
        ("percent", begun_with_prompts(samples)),
    ):
        for group, rows in part.groupby(kind):
            yield "samples", kind, f"{group:g}" if kind == "temperature" else str(group), rows


def _divergences(
    card: ClassifierCard, texts: pd.DataFrame, samples: pd.DataFrame, bootstrap: Bootstrap
) -> Iterator[dict[str, Any]]:
    """Rows of `statistics_records.DIVERGENCES`: how far the samples' label shares are from the texts'."""
    if texts.empty:
        return
    counts = count_by_document(texts, ("predicted",), (card.labels,))
    reference = label_metrics.shares(counts.sum(axis=0))
    references = label_metrics.shares(bootstrap.totals(counts, "divergence", "texts"))
    for model, percent, temperature, begun_with, part in _sample_sets(samples):
        rows = count_by_document(part, ("predicted",), (card.labels,))
        names = ("divergence", model, percent, "all" if temperature is None else temperature, begun_with)
        resampled = label_metrics.shares(bootstrap.totals(rows, *names))
        low, high = bootstrap.interval(label_metrics.jensen_shannon_bits(resampled, references))
        random = np.random.default_rng(derive_seed(bootstrap.seed, *names, "chance"))
        drawn = label_metrics.shares(random.multinomial(len(part), reference, size=bootstrap.resamples))
        chance = label_metrics.jensen_shannon_bits(drawn, references)
        yield {
            "classifier": card.name,
            "model": model,
            "percent": percent,
            "temperature": temperature,
            "begun_with": begun_with,
            "samples": len(part),
            "texts": len(texts),
            "jensen_shannon_bits": label_metrics.jensen_shannon_bits(label_metrics.shares(rows.sum(axis=0)), reference),
            "low": low,
            "high": high,
            "chance_bits": np.quantile(chance, bootstrap.confidence),
        }


def _sample_sets(samples: pd.DataFrame) -> Iterator[tuple[str, int, float | None, str, pd.DataFrame]]:
    """The sets of samples that are held against the texts: model, percent, temperature, beginning, rows."""
    nothing = begun_with_nothing(samples)
    prompts = begun_with_prompts(samples)
    for begun_with, part in (("nothing", nothing), ("prompts", prompts)):
        for (model, percent), rows in part.groupby(["model", "percent"]):
            yield model, int(percent), None, begun_with, rows
            for temperature, some in rows.groupby("temperature"):
                yield model, int(percent), float(f"{temperature:g}"), begun_with, some


def _write(rows: list[dict[str, Any]], schema: pa.Schema, path: Path) -> None:
    frame = pd.DataFrame(rows, columns=schema.names)
    for field in schema:
        if pa.types.is_floating(field.type):
            frame[field.name] = frame[field.name].astype(float)
    write_table(frame, schema, path)


if __name__ == "__main__":
    stage.run(compute_statistics)
