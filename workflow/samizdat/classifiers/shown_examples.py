"""Draw the texts that a few-shot classifier is shown with their labels: in turn over the labels, by the seed."""

from dataclasses import dataclass

import pandas as pd
from transformers import PreTrainedTokenizerFast

from samizdat.base.errors import UserError
from samizdat.base.seeds import derive_seed
from samizdat.classifiers.drawn_examples import FEWEST_TEXTS, counted_labels, labelled_texts


@dataclass(frozen=True)
class DrawnInTurn:
    """The drawn texts in the order in which they are shown, and the labels that have too few texts."""

    texts: pd.DataFrame  # `id`, `text`, `label`
    labels: list[str]
    unlearned: dict[str, int]  # label of the train split that is not one of `labels` → how many texts have it


def draw_in_turn(corpus: pd.DataFrame, column: str | None, number: int, seed: int) -> DrawnInTurn:
    """Draw examples from the train split: each label once, in an order drawn by the seed, then each once more.

    So the labels are balanced, and fewer examples are the first ones of more.

    Args:
        corpus: all texts.
        column: the label column.
        number: how many examples.
        seed: of this classifier.

    Raises:
        UserError: the column is missing, fewer than two labels have enough texts, or there are fewer texts than asked.
    """
    train, name = labelled_texts(corpus, column)
    counts = {str(label): int(texts) for label, texts in train[name].value_counts().sort_index().items()}
    labels = [label for label, texts in counts.items() if texts >= FEWEST_TEXTS]
    if len(labels) < 2:
        raise UserError(
            f"fewer than two values of the label {column!r} have {FEWEST_TEXTS} texts or more in the train split: "
            f"{counted_labels(counts) or 'no text has a value'}",
            remedy="name another label_column, or remove the classifier",
        )
    known = train[train[name].isin(labels)]
    if number > len(known):
        raise UserError(
            f"{number} examples are asked for, and the train split has {len(known)} texts with a label",
            remedy="lower `examples` of the classifier in the config",
        )
    drawn = pd.DataFrame({"id": known["id"], "text": known["text"], "label": known[name]})
    drawn["order"] = [derive_seed(seed, "draw", key) for key in drawn["id"]]
    drawn["turn"] = drawn.sort_values("order").groupby("label").cumcount()
    drawn["place"] = [derive_seed(seed, "turn", *row) for row in zip(drawn["turn"], drawn["label"], strict=True)]
    chosen = drawn.sort_values(["turn", "place"])[["id", "text", "label"]].head(number).reset_index(drop=True)
    return DrawnInTurn(chosen, labels, {label: texts for label, texts in counts.items() if label not in labels})


def cut_texts(tokenizer: PreTrainedTokenizerFast, texts: list[str], max_length_tokens: int) -> list[str]:
    """Cut texts behind their first `max_length_tokens` tokens."""
    if not texts:
        return []
    encoded = tokenizer(texts, add_special_tokens=False, split_special_tokens=True, return_offsets_mapping=True)
    return [
        text if len(places) <= max_length_tokens else text[: places[max_length_tokens - 1][1]]
        for text, places in zip(texts, encoded["offset_mapping"], strict=True)
    ]
