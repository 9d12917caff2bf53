"""Compute from scores how often each label is given, how good the classifiers are, and what they were made for."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from samizdat.base import stage
from samizdat.base.configuration import model_of
from samizdat.base.seeds import derive_seed
from samizdat.measures.bootstrap import Bootstrap
from samizdat.records.classifiers import ANSWERS, MULTI_LABEL, NUMBER, SCORES, SINGLE_LABEL, ClassifierCard
from samizdat.records.corpus import LABEL_PREFIX, TEXT_LANGUAGES, TEXTS
from samizdat.records.io import read_columns, read_document, read_table
from samizdat.records.models import TEST_LOSSES
from samizdat.records.samples import SAMPLES
from samizdat.records.statistics import STATISTICS
from samizdat.statistics import numbers, several_labels
from samizdat.statistics.agreement import agreement
from samizdat.statistics.association import associations, group_tests
from samizdat.statistics.calibration import examples
from samizdat.statistics.drawn_texts import drawn_texts
from samizdat.statistics.fitness import fitness, number_of_words
from samizdat.statistics.label_shares import divergences, label_shares
from samizdat.statistics.model_losses import model_losses
from samizdat.statistics.positions import positions
from samizdat.statistics.seeds import fold_seeds
from samizdat.statistics.tables import Row, write_rows
from samizdat.statistics.terms import telling_terms


@dataclass(frozen=True)
class StatisticsSettings:
    """The keys of `statistics` in the config, where each is explained."""

    confidence: float
    bootstrap_resamples: int


def compute_statistics(
    settings: StatisticsSettings,
    texts: Path,
    languages: Path,
    samples: tuple[Path, ...],
    losses: tuple[Path, ...],
    classifiers: tuple[Path, ...],
    scores: Path,
    out: Path,
    seed: int,
) -> str:
    """Write the tables of `records.statistics.STATISTICS` as Parquet.

    Texts that a classifier was trained or selected on, and texts without a label, are left out everywhere. For
    intervals documents are resampled, not single texts; each sample is a document of its own. `docs/methods.md` has
    every definition with its source.

    Args:
        settings: confidence and number of resamples.
        texts: the corpus.
        languages: the languages of its texts.
        samples: one table for each training of a model.
        losses: the files `models/<training>/test_losses.parquet`.
        classifiers: the folders `classifiers/<name>`.
        scores: the folder with `<name>/texts.parquet` and `<name>/samples.parquet`.
        out: the folder to write.
        seed: of the stage.

    Raises:
        UserError: a file is missing or damaged.
    """
    corpus = read_table(texts, TEXTS, without=("text", "sha256"))
    held_out = corpus["split"] == "test"
    corpus.loc[held_out, "text"] = read_columns(texts, "text", split="test")["text"].to_numpy()
    drawn = drawn_texts(texts, np.random.default_rng(derive_seed(seed, "texts")))
    if len(drawn) < len(corpus):
        stage.tell(f"words are compared and counted in {len(drawn):,} of {len(corpus):,} texts, drawn at random")
    written = pd.concat([read_table(path, SAMPLES) for path in samples], ignore_index=True)
    written["document"] = written["id"]
    published = written["model"].map(model_of) == written["model"]
    tables: dict[str, list[Row]] = {name: [] for name in STATISTICS}
    spoken = read_table(languages, TEXT_LANGUAGES).set_index("id")["language"]
    cards = {folder.name: read_document(ClassifierCard, folder / "card.json") for folder in classifiers}
    words = number_of_words(cards.values(), drawn["text"])
    judged = {}
    for name, card in cards.items():
        of_texts, of_samples = (read_table(scores / name / f"{one}.parquet", SCORES) for one in ("texts", "samples"))
        tables["fitness"] += fitness(card, of_texts, spoken, words)
        own, own_samples = _judged(corpus, of_texts, card), _judged(written, of_samples, card)
        bootstrap = _bootstrap(settings, seed, "classifier", name)
        first = own_samples[own_samples["id"].isin(written.loc[published, "id"])]
        judged[name] = own
        if card.kind == SINGLE_LABEL:
            found = divergences(card, own, own_samples, bootstrap)
            tables["divergences"] += fold_seeds(found, "observed_bits")
        for table, rows in _OF_KIND[card.kind](card, corpus, own, first, bootstrap):
            tables[table] += rows
    one_label = {name: card for name, card in cards.items() if card.kind == SINGLE_LABEL}
    together = _bootstrap(settings, seed, "classifiers")
    tables["associations"] += associations(one_label, judged, together)
    tables["group_tests"] += group_tests(one_label, judged, together)
    tables["positions"], tables["position_changes"] = positions(cards, corpus, judged, together)
    spoken = spoken.value_counts().sort_index()
    tables["languages"] += [{"language": code, "texts": count} for code, count in spoken.items()]
    tested = {path.parent.name: read_table(path, TEST_LOSSES) for path in losses}
    tables["model_losses"], tables["model_differences"] = model_losses(
        tested, corpus[held_out], _bootstrap(settings, seed, "models")
    )
    tables["terms"] += telling_terms(drawn, written[published], _bootstrap(settings, seed, "terms"))
    for name, schema in STATISTICS.items():
        write_rows(tables[name], schema, out / f"{name}.parquet")
    return f"classifiers: {len(classifiers)}; {settings.bootstrap_resamples:,} resamples for each interval"


def _of_single_label(
    card: ClassifierCard, corpus: pd.DataFrame, texts: pd.DataFrame, samples: pd.DataFrame, bootstrap: Bootstrap
) -> Iterator[tuple[str, Iterable[Row]]]:
    yield "label_shares", label_shares(card, texts, samples, bootstrap)
    yield "examples", examples(card.name, texts)
    if (column := _human(card)) in texts:
        yield from agreement(card, corpus, texts, column, bootstrap).items()


def _of_several_labels(
    card: ClassifierCard, corpus: pd.DataFrame, texts: pd.DataFrame, samples: pd.DataFrame, bootstrap: Bootstrap
) -> Iterator[tuple[str, Iterable[Row]]]:
    yield "label_shares", several_labels.shares(card, texts, samples, bootstrap)
    yield "label_differences", several_labels.differences(card, texts, samples, bootstrap)
    yield "cooccurrence", several_labels.cooccurrence(card, texts, bootstrap)
    yield "examples", several_labels.examples(card, texts)
    if (column := _human(card)) in texts:
        yield "quality", several_labels.quality(card, texts, column, bootstrap)


def _of_numbers(
    card: ClassifierCard, corpus: pd.DataFrame, texts: pd.DataFrame, samples: pd.DataFrame, bootstrap: Bootstrap
) -> Iterator[tuple[str, Iterable[Row]]]:
    yield "numbers", numbers.distributions(card, texts, samples, bootstrap)
    if (column := _human(card)) in texts:
        yield "numbers", numbers.rank_correlation(card, texts, column, bootstrap)


# The tables of one classifier.
_OF_KIND = {SINGLE_LABEL: _of_single_label, MULTI_LABEL: _of_several_labels, NUMBER: _of_numbers}


def _human(card: ClassifierCard) -> str:
    """Return the column of the human label that a classifier is compared with."""
    return LABEL_PREFIX + (card.label_column or "")


def _bootstrap(settings: StatisticsSettings, seed: int, *names: str) -> Bootstrap:
    return Bootstrap(settings.confidence, settings.bootstrap_resamples, derive_seed(seed, *names))


def _judged(frame: pd.DataFrame, scores: pd.DataFrame, card: ClassifierCard) -> pd.DataFrame:
    """Select the rows that a classifier said something of and was not trained on, and add what it said.

    New columns: `predicted`, `confidence`, `runner_up`, `runner_up_confidence`; or `labels` and `probabilities`; or
    `number`.
    """
    kept = scores[scores[ANSWERS[card.kind]].notna() & ~scores["seen_in_training"]]
    if card.kind != SINGLE_LABEL:
        return frame.merge(kept[["id", ANSWERS[card.kind], "probabilities"]], on="id", validate="one_to_one")
    probabilities = np.stack(kept["probabilities"].tolist()) if len(kept) else np.zeros((0, len(card.labels)))
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


if __name__ == "__main__":
    stage.run(compute_statistics)
