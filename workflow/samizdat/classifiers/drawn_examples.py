"""Draw the texts that a classifier is fine-tuned on: which are learned from, which select the best weights."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from samizdat.base.errors import UserError
from samizdat.base.escaping import shortened
from samizdat.base.seeds import derive_seed
from samizdat.records.corpus import LABEL_PREFIX

# A label of fewer drawn texts is not learned. With class weights, one text would count as much as all texts of another
# label; a label that one or two texts have is most often a typing error.
FEWEST_TEXTS = 5
# An F1 of fewer texts is chance: weights are not selected on them.
FEWEST_SELECTING = 20
NAMED_LABELS = 5  # at the terminal; the card has all


@dataclass(frozen=True)
class DrawnExamples:
    """The drawn texts, and the labels that they are too few for."""

    texts: pd.DataFrame  # `id`, `text`, `label` as a number, `selects`: whether the text is only selected on
    labels: list[str]  # by number
    unlearned: dict[str, int]  # label of the train split that is not learned → how many of the drawn texts have it
    unselected: dict[str, int]  # label that is learned, but that no text to select on has → texts to train on

    @property
    def selection_texts(self) -> int:
        """The number of texts to select on."""
        return int(self.texts["selects"].sum())

    def shortages(self, wanted_selection: bool) -> Iterator[str]:
        """Say for the terminal which labels had too few texts.

        Args:
            wanted_selection: whether the config wants texts to select on.
        """
        if self.unlearned:
            yield f"not learned, with fewer than {FEWEST_TEXTS} of the drawn texts: {counted_labels(self.unlearned)}"
        if self.unselected:
            yield f"learned, but with no text to select the best weights on: {counted_labels(self.unselected)}"
        if wanted_selection and not self.selection_texts:
            words = f"fewer than {FEWEST_SELECTING} texts of two labels would be left to select on"
            yield f"{words}: all are learned from, and the last weights are published"


def draw_examples(
    corpus: pd.DataFrame, column: str | None, most_texts: int, selection_share: float, seed: int
) -> DrawnExamples:
    """Draw texts of the train split with a human label.

    Args:
        corpus: all texts.
        column: the label column.
        most_texts: how many texts are drawn at most.
        selection_share: the share of their documents that is not trained on.
        seed: of this classifier.

    Raises:
        UserError: the column is missing, or fewer than two labels have enough texts.
    """
    train, name = labelled_texts(corpus, column)
    # The texts with the smallest seeds are a random sample that hardly changes when a text is added.
    order = np.argsort([derive_seed(seed, "draw", key) for key in train["id"]], kind="stable")
    drawn = train[["id", "document", "text", name]].iloc[order[:most_texts]]
    found = drawn[name].value_counts().to_dict()
    counts = {label: int(found.get(label, 0)) for label in sorted(train[name].unique())}
    labels = [label for label, texts in counts.items() if texts >= FEWEST_TEXTS]
    if len(labels) < 2:
        raise UserError(
            f"fewer than two values of the label {column!r} have {FEWEST_TEXTS} texts or more among the {len(drawn):,} "
            f"drawn from the train split: {counted_labels(counts) or 'no text has a value'}",
            remedy="name another label_column, raise finetuning.max_training_texts, or remove the classifier",
        )
    chosen = drawn[drawn[name].isin(labels)]
    selects = _select(chosen["document"], chosen[name], selection_share, seed)
    chosen = chosen.assign(label=chosen[name].map(labels.index), selects=selects).reset_index(drop=True)
    selected_on = set(chosen.loc[chosen["selects"], name])
    return DrawnExamples(
        texts=chosen,
        labels=labels,
        unlearned={label: texts for label, texts in counts.items() if label not in labels},
        unselected={label: counts[label] for label in labels if selected_on and label not in selected_on},
    )


def labelled_texts(corpus: pd.DataFrame, column: str | None) -> tuple[pd.DataFrame, str]:
    """Return the texts of the train split that have a human label, and the name of its column in the table.

    Args:
        corpus: all texts.
        column: the label column.

    Raises:
        UserError: the corpus has no such column.
    """
    if column is None or LABEL_PREFIX + column not in corpus:
        existing = [key.removeprefix(LABEL_PREFIX) for key in corpus.columns if key.startswith(LABEL_PREFIX)]
        raise UserError(
            f"the corpus has no label {column!r}; it has: {', '.join(existing) or 'none'}",
            remedy="name one of these as label_column of the classifier, or add it to corpus.label_columns",
        )
    name = LABEL_PREFIX + column
    return corpus[(corpus["split"] == "train") & corpus[name].notna()], name


def _select(documents: pd.Series, labels: pd.Series, share: float, seed: int) -> pd.Series:
    """Choose the texts to select on, by their documents.

    Texts of one document stay together, and adding a document moves no other. A label that would have too few texts to
    train on gets back all documents that have it. Fewer texts than FEWEST_SELECTING, or texts of a single label, select
    nothing, so then all are trained on.
    """
    bound = share * 2**63
    selects = documents.map(lambda document: derive_seed(seed, "select", document) < bound).astype(bool)
    for label in labels.unique():
        mine = labels == label
        if (mine & ~selects).sum() < FEWEST_TEXTS:
            selects &= ~documents.isin(documents[mine])
    return selects & (labels[selects].nunique() > 1 and selects.sum() >= FEWEST_SELECTING)


def counted_labels(labels: Mapping[str, int]) -> str:
    """Name labels with the number of their texts, as data: a label may have control characters."""
    named = [f"{shortened(label)!r} ({texts:,})" for label, texts in list(labels.items())[:NAMED_LABELS]]
    more = len(labels) - len(named)
    return ", ".join(named) + (f" and {more:,} more" if more else "")
