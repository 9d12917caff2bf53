"""Compute from scores how often each label is given, how good the classifiers are, and what they were made for."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from samizdat.base import stage
from samizdat.base.configuration import model_of
from samizdat.base.seeds import derive_seed
from samizdat.measures.arrays import Counts
from samizdat.measures.bootstrap import Bootstrap
from samizdat.records.classifiers import MULTI_LABEL, NUMBER, SINGLE_LABEL, ClassifierCard
from samizdat.records.corpus import LABEL_PREFIX, TEXT_LANGUAGES
from samizdat.records.io import count_rows, read_batches, read_document, read_table
from samizdat.records.models import TEST_LOSSES
from samizdat.records.samples import SAMPLES
from samizdat.records.statistics import STATISTICS
from samizdat.statistics import numbers, several_labels
from samizdat.statistics.agreement import agreement
from samizdat.statistics.association import associations, group_tests
from samizdat.statistics.calibration import examples
from samizdat.statistics.drawn_texts import drawn_texts
from samizdat.statistics.fitness import fitness, number_of_words
from samizdat.statistics.judged_texts import Judged, judged_texts
from samizdat.statistics.label_shares import divergences, label_shares
from samizdat.statistics.model_losses import model_losses
from samizdat.statistics.positions import positions
from samizdat.statistics.seeds import fold_seeds
from samizdat.statistics.tables import Row, write_rows
from samizdat.statistics.terms import telling_terms
from samizdat.statistics.text_table import text_table


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
    tables: dict[str, list[Row]] = {name: [] for name in STATISTICS}
    cards = {folder.name: read_document(ClassifierCard, folder / "card.json") for folder in classifiers}
    written = pd.concat([read_table(path, SAMPLES) for path in samples], ignore_index=True)
    written["document"] = written["id"]
    published = written[written["model"].map(model_of) == written["model"]]
    # First what reads words: they are not in memory together with the table of all texts.
    tables["terms"], words = _of_words(texts, published, cards, settings, seed)
    spoken = read_table(languages, TEXT_LANGUAGES).set_index("id")["language"]
    corpus = text_table(texts)
    judged = {}
    for name, card in cards.items():
        own = judged_texts(corpus, _ids(texts), scores / name / "texts.parquet", card)
        own_samples = judged_texts(written.drop(columns="id"), written["id"], scores / name / "samples.parquet", card)
        tables["fitness"] += fitness(card, own, spoken, words)
        bootstrap = _bootstrap(settings, seed, "classifier", name)
        if card.kind == SINGLE_LABEL:
            found = divergences(card, own.texts, own_samples.texts, bootstrap)
            tables["divergences"] += fold_seeds(found, "observed_bits")
        first = own_samples.texts[own_samples.texts.index.isin(published.index)]
        for table, rows in _OF_KIND[card.kind](card, corpus, own, first, bootstrap):
            tables[table] += rows
        judged[name] = own.texts[["document", "group", _SAID[card.kind]]]
    one_label = {name: card for name, card in cards.items() if card.kind == SINGLE_LABEL}
    together = _bootstrap(settings, seed, "classifiers")
    tables["associations"] += associations(one_label, judged, together)
    tables["group_tests"] += group_tests(one_label, judged, together)
    tables["positions"], tables["position_changes"] = positions(cards, corpus, judged, together)
    spoken = spoken.value_counts().sort_index()
    tables["languages"] += [{"language": code, "texts": count} for code, count in spoken.items()]
    tested = {path.parent.name: read_table(path, TEST_LOSSES, without=("tokens", "token_nats")) for path in losses}
    tables["model_losses"], tables["model_differences"] = model_losses(
        tested, corpus.loc[corpus["split"] == "test", ["document", "bytes"]], _bootstrap(settings, seed, "models")
    )
    for name, schema in STATISTICS.items():
        write_rows(tables[name], schema, out / f"{name}.parquet")
    return f"classifiers: {len(classifiers)}; {settings.bootstrap_resamples:,} resamples for each interval"


def _ids(texts: Path) -> Iterator[str]:
    for batch in read_batches(texts, "id"):
        yield from batch["id"].tolist()


def _of_words(
    texts: Path, samples: pd.DataFrame, cards: dict[str, ClassifierCard], settings: StatisticsSettings, seed: int
) -> tuple[list[Row], Counts]:
    """Make the rows of `TERMS`, and count the words of texts; of a large corpus texts are drawn for both."""
    drawn = drawn_texts(texts, np.random.default_rng(derive_seed(seed, "texts")))
    if len(drawn) < (number := count_rows(texts)):
        stage.tell(f"words are compared and counted in {len(drawn):,} of {number:,} texts, drawn at random")
    terms = [*telling_terms(drawn, samples, _bootstrap(settings, seed, "terms"))]
    return terms, number_of_words(cards.values(), drawn["text"])


def _of_single_label(
    card: ClassifierCard, corpus: pd.DataFrame, own: Judged, samples: pd.DataFrame, bootstrap: Bootstrap
) -> Iterator[tuple[str, Iterable[Row]]]:
    yield "label_shares", label_shares(card, own.texts, samples, bootstrap)
    yield "examples", examples(card.name, own.clearest)
    if (column := _human(card)) in corpus:
        yield from agreement(card, corpus, own.texts, column, bootstrap).items()


def _of_several_labels(
    card: ClassifierCard, corpus: pd.DataFrame, own: Judged, samples: pd.DataFrame, bootstrap: Bootstrap
) -> Iterator[tuple[str, Iterable[Row]]]:
    yield "label_shares", several_labels.shares(card, own.texts, samples, bootstrap)
    yield "label_differences", several_labels.differences(card, own.texts, samples, bootstrap)
    yield "cooccurrence", several_labels.cooccurrence(card, own.texts, bootstrap)
    yield "examples", several_labels.examples(card, own.clearest)
    if (column := _human(card)) in corpus:
        yield "quality", several_labels.quality(card, own.texts, column, bootstrap)


def _of_numbers(
    card: ClassifierCard, corpus: pd.DataFrame, own: Judged, samples: pd.DataFrame, bootstrap: Bootstrap
) -> Iterator[tuple[str, Iterable[Row]]]:
    yield "numbers", numbers.distributions(card, own.texts, samples, bootstrap)
    if (column := _human(card)) in corpus:
        yield "numbers", numbers.rank_correlation(card, own.texts, column, bootstrap)


# The tables of one classifier.
_OF_KIND = {SINGLE_LABEL: _of_single_label, MULTI_LABEL: _of_several_labels, NUMBER: _of_numbers}
# The column of `judged_texts.Judged.texts` that has what the classifier says.
_SAID = {SINGLE_LABEL: "predicted", MULTI_LABEL: "labels", NUMBER: "number"}


def _human(card: ClassifierCard) -> str:
    """Return the column of the human label that a classifier is compared with."""
    return LABEL_PREFIX + (card.label_column or "")


def _bootstrap(settings: StatisticsSettings, seed: int, *names: str) -> Bootstrap:
    return Bootstrap(settings.confidence, settings.bootstrap_resamples, derive_seed(seed, *names))


if __name__ == "__main__":
    stage.run(compute_statistics)
