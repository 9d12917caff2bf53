"""Read a finished run, each file when it is first asked for."""

import io
import os
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from samizdat.base.configuration import trainings
from samizdat.base.errors import UserError
from samizdat.base.files import MAKE_AGAIN, checked_bytes
from samizdat.base.language import speak
from samizdat.records.classifiers import MULTI_LABEL, NUMBER, SCORES, SINGLE_LABEL, ClassifierCard, Kind
from samizdat.records.corpus import CorpusSummary
from samizdat.records.io import count_rows, read_batches, read_document, read_rows, read_table, read_where
from samizdat.records.labels import RATER_QUALITY
from samizdat.records.models import TRAIN_LOG_COLUMNS, ModelSummary, TokenizerSummary
from samizdat.records.run import Manifest
from samizdat.records.sample_quality import COPIES, SAMPLE_QUALITY
from samizdat.records.samples import SAMPLES
from samizdat.records.statistics import STATISTICS
from samizdat.records.yardsticks import YARDSTICKS
from samizdat.reporting.frames import Row, rows_of
from samizdat.reporting.originals import Originals
from samizdat.reporting.text_columns import text_columns
from samizdat.reporting.words import is_null

# The environment variable that names another run than the one that the notebook is in.
RUN_VARIABLE = "SAMIZDAT_RUN"
# How many texts are read where a few from all parts of the corpus are enough.
SOME_TEXTS = 2000


def _statistics(name: str, kind: Kind | None = None) -> "cached_property[pd.DataFrame]":
    """Make the property of a run that is a table of its statistics."""
    return cached_property(lambda run: run.statistics(name, kind))


class Run:
    """The results of one run, under the names that its config gives."""

    # Label shares by single-label classifiers in sets of texts and samples: `records.statistics.LABEL_SHARES`.
    shares = _statistics("label_shares", SINGLE_LABEL)
    # The same of multi-label classifiers; the label is null for texts without a label.
    several_shares = _statistics("label_shares", MULTI_LABEL)
    # How well single-label classifiers agree with people: `records.statistics.QUALITY`.
    quality = _statistics("quality", SINGLE_LABEL)
    # The same of multi-label classifiers.
    several_quality = _statistics("quality", MULTI_LABEL)
    # Tests of each label of multi-label classifiers: `records.statistics.LABEL_DIFFERENCES`.
    label_differences = _statistics("label_differences")
    # Which labels of multi-label classifiers go together: `records.statistics.COOCCURRENCE`.
    cooccurrence = _statistics("cooccurrence")
    # What classifiers say that give numbers: `records.statistics.NUMBERS`.
    numbers = _statistics("numbers")
    # Labels and numbers in each fifth of long documents: `records.statistics.POSITIONS`.
    positions = _statistics("positions")
    # How they change from beginning to end: `records.statistics.POSITION_CHANGES`.
    position_changes = _statistics("position_changes")
    # Labels that people gave against labels that classifiers give: `records.statistics.CONFUSION`.
    confusion = _statistics("confusion")
    # How often labels are right, by their probability: `records.statistics.CALIBRATION`.
    calibration = _statistics("calibration")
    # How strongly two classifiers' labels are associated: `records.statistics.ASSOCIATIONS`.
    associations = _statistics("associations")
    # Tests of label shares between groups: `records.statistics.GROUP_TESTS`.
    group_tests = _statistics("group_tests")
    # The texts that classifiers are most and least certain of: `records.statistics.EXAMPLES`.
    certain_examples = _statistics("examples")
    # The differences of each two models: `records.statistics.MODEL_DIFFERENCES`.
    model_differences = _statistics("model_differences")
    # The terms that tell groups, or samples and texts, apart: `records.statistics.TERMS`.
    terms = _statistics("terms")
    # Languages of the texts: `records.statistics.LANGUAGES`.
    languages = _statistics("languages")
    # How many texts a classifier was not made for: `records.statistics.FITNESS`.
    fitness = _statistics("fitness")

    def __init__(self, folder: Path):
        """Open `results/<name>/`, and read its manifest.

        Raises:
            UserError: the folder has no manifest, or one of another version.
        """
        self.folder = folder
        self.manifest = read_document(Manifest, folder / "manifest.json")
        self.config: dict[str, Any] = self.manifest.config
        self.language: str = self.config["language"]
        self.publish_texts: bool = self.config["publish_texts"]
        self.confidence: float = self.config["statistics"]["confidence"]

    @cached_property
    def corpus(self) -> CorpusSummary:
        """What was read and kept, and what was not."""
        return read_document(CorpusSummary, self.folder / "corpus" / "summary.json")

    @cached_property
    def texts(self) -> pd.DataFrame:
        """All that is known of the texts but the texts themselves: `text_columns.text_columns`."""
        return text_columns(self._corpus_file)

    @property
    def _corpus_file(self) -> Path:
        return self.folder / "corpus" / "texts.parquet"

    def ids(self) -> Iterator[pd.Series]:
        """Read the ids of all texts in batches, in the order of `texts`."""
        return (batch["id"] for batch in read_batches(self._corpus_file, "id"))

    @cached_property
    def held_out(self) -> pd.DataFrame:
        """The held-out rows of `texts`, in order, with the `id` of each."""
        rows = self.texts[self.texts["split"] == "test"].reset_index(drop=True)
        return rows.assign(id=read_where(self._corpus_file, "split", ["test"], "id")["id"])

    def texts_of(self, ids: Iterable[str]) -> dict[str, str]:
        """Read the texts with these ids."""
        found = read_where(self._corpus_file, "id", [*ids], "id", "text")
        return dict(zip(found["id"], found["text"], strict=True))

    @cached_property
    def some_texts(self) -> list[str]:
        """About SOME_TEXTS texts, from all parts of the corpus."""
        rows = np.arange(count_rows(self._corpus_file))
        chosen = rows % max(1, len(rows) // SOME_TEXTS) == 0
        return [*read_rows(self._corpus_file, chosen, "text")["text"]]

    @cached_property
    def tokenizers(self) -> dict[str, TokenizerSummary]:
        """Tokenizers by name, in the config's order."""
        folder = self.folder / "tokenizers"
        names = [item["name"] for item in self.config["tokenizers"]]
        return {name: read_document(TokenizerSummary, folder / name / "summary.json") for name in names}

    @cached_property
    def models(self) -> dict[str, ModelSummary]:
        """Models by name, in the config's order."""
        folder = self.folder / "models"
        names = [item["name"] for item in self.config["models"]]
        return {name: read_document(ModelSummary, folder / name / "summary.json") for name in names}

    @cached_property
    def training(self) -> pd.DataFrame:
        """The training logs of all models: `records.models.TRAIN_LOG_COLUMNS`, and a column `model`.

        Raises:
            UserError: a log has other columns.
        """
        return self._logs(list(self.models))

    @cached_property
    def other_trainings(self) -> pd.DataFrame:
        """The logs of the same models' trainings with other seeds, in the same columns; `model` names the training.

        Raises:
            UserError: a log has other columns.
        """
        return self._logs([name for name in trainings(self.config) if name not in self.models])

    def _logs(self, names: list[str]) -> pd.DataFrame:
        """Read the training logs of some trainings."""
        logs = [pd.DataFrame(columns=[*TRAIN_LOG_COLUMNS, "model"])] if not names else []
        for name in names:
            path = self.folder / "models" / name / "train_log.csv"
            log = pd.read_csv(io.BytesIO(checked_bytes(path)))
            if tuple(log.columns) != TRAIN_LOG_COLUMNS:
                raise UserError(
                    f"{path} has other columns than this version writes: {', '.join(log.columns)}",
                    remedy=MAKE_AGAIN,
                )
            logs.append(log.assign(model=name))
        return pd.concat(logs, ignore_index=True)

    @cached_property
    def samples(self) -> pd.DataFrame:
        """The samples of all models: `records.samples.SAMPLES`."""
        tables = [read_table(self.folder / "samples" / f"{name}.parquet", SAMPLES) for name in self.models]
        return pd.concat(tables, ignore_index=True)

    @cached_property
    def shown_samples(self) -> pd.DataFrame:
        """The samples that may be shown: all, or those without a passage of a corpus that is not published."""
        if self.publish_texts:
            return self.samples
        texts = (text for batch in read_batches(self._corpus_file, "text") for text in batch["text"])
        originals = Originals(texts, self.samples["text"])
        own = ~self.samples["text"].map(originals.occur_in)
        return self.samples[own & (self.samples["prompt_kind"] != "held_out")]

    @cached_property
    def shown_ids(self) -> frozenset[str]:
        """The ids of `shown_samples`."""
        return frozenset(self.shown_samples["id"])

    @cached_property
    def sample_quality(self) -> pd.DataFrame:
        """How good the samples are: `records.sample_quality.SAMPLE_QUALITY`."""
        return read_table(self.folder / "statistics" / "sample_quality.parquet", SAMPLE_QUALITY)

    @cached_property
    def copies(self) -> pd.DataFrame:
        """The longest passages copied from training texts: `records.sample_quality.COPIES`."""
        return read_table(self.folder / "statistics" / "copies.parquet", COPIES)

    @cached_property
    def yardsticks(self) -> dict[str, Row]:
        """What others need for the held-out texts, by name: `records.yardsticks.YARDSTICKS`."""
        table = read_table(self.folder / "statistics" / "yardsticks.parquet", YARDSTICKS)
        return {row["yardstick"]: row for row in rows_of(table)}

    @cached_property
    def rater_quality(self) -> pd.DataFrame:
        """What raters said of drawn texts, and what follows: `records.labels.RATER_QUALITY`."""
        return read_table(self.folder / "statistics" / "rater_quality.parquet", RATER_QUALITY)

    @cached_property
    def longest_copies(self) -> dict[str, Row]:
        """A sample's id → its row of `copies`."""
        return {row["id"]: row for row in rows_of(self.copies[self.copies["subset"] == "samples"])}

    @cached_property
    def cards(self) -> dict[str, ClassifierCard]:
        """Classifiers by name, in the config's order."""
        names = [item["name"] for item in self.config["classifiers"]]
        folder = self.folder / "classifiers"
        return {name: read_document(ClassifierCard, folder / name / "card.json") for name in names}

    @cached_property
    def sample_labels(self) -> dict[str, dict[str, list[tuple[str, float]]]]:
        """Classifier → sample's id → its labels and their probabilities; of a number the number, under no name."""
        return {
            name: {row["id"]: _labels(row, card) for row in rows_of(self._scores(name, "samples"))}
            for name, card in self.cards.items()
        }

    def _scores(self, classifier: str, subset: str) -> pd.DataFrame:
        return read_table(self.folder / "scores" / classifier / f"{subset}.parquet", SCORES)

    def of_kind(self, kind: Kind) -> list[str]:
        """Name the classifiers of a kind, in the config's order."""
        return [name for name, card in self.cards.items() if card.kind == kind]

    @cached_property
    def divergences(self) -> pd.DataFrame:
        """How far samples are from texts: `records.statistics.DIVERGENCES`.

        Classifiers and models are in the config's order.
        """
        frame = self.statistics("divergences")
        place = {name: number for names in (self.cards, self.models) for number, name in enumerate(names)}
        return frame.sort_values(["classifier", "model"], key=lambda names: names.map(place), kind="stable")

    @cached_property
    def model_losses(self) -> dict[str, Row]:
        """Model → its bits per byte of the held-out texts: `records.statistics.MODEL_LOSSES`."""
        return {row["model"]: row for row in rows_of(self.statistics("model_losses"))}

    def statistics(self, name: str, kind: Kind | None = None) -> pd.DataFrame:
        """Read a table of `records.statistics.STATISTICS`; with a kind, the rows of its classifiers."""
        table = read_table(self.folder / "statistics" / f"{name}.parquet", STATISTICS[name])
        return table if kind is None else table[table["classifier"].isin(self.of_kind(kind))]


def _labels(row: Row, card: ClassifierCard) -> list[tuple[str, float]]:
    """List what a row of `SCORES` says of its text."""
    if card.kind == NUMBER:
        return [] if is_null(row["number"]) else [("", row["number"])]
    one = [] if is_null(row["label"]) else [row["label"]]
    given = one if card.kind == SINGLE_LABEL or row["labels"] is None else row["labels"]
    return [(label, float(row["probabilities"][card.labels.index(label)])) for label in given]


def open_run() -> Run:
    """Open the run that the environment variable `SAMIZDAT_RUN` names, else the folder above the current one.

    From now on the report's language is spoken.

    Raises:
        UserError: that folder has no finished run.
    """
    named = os.environ.get(RUN_VARIABLE)
    folder = Path(named) if named else Path("..")
    if not (folder / "manifest.json").is_file():
        raise UserError(
            f"{folder.absolute()} is no finished run (it has no manifest.json)",
            remedy=f"open the notebook in results/<run>/report/, or set {RUN_VARIABLE} to the folder of a finished run",
        )
    run = Run(folder)
    speak(run.config["report_language"])
    return run
