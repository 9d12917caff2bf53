"""Make a classifier of a language model and some texts with their labels, without training."""

from dataclasses import asdict, replace
from pathlib import Path

from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

from samizdat.base import stage
from samizdat.base.errors import UserError
from samizdat.base.files import replacing_folder, sha256_of, write_text
from samizdat.checkpoints import sources
from samizdat.checkpoints.copying import load_whole, write_copy
from samizdat.checkpoints.encoding import load_tokenizer, refuse_unread_texts
from samizdat.checkpoints.reading import longest_input
from samizdat.classifiers.drawn_examples import FEWEST_TEXTS, counted_labels
from samizdat.classifiers.few_shot import EXAMPLES_FILE, make_prompt
from samizdat.classifiers.few_shot_contract import check_few_shot
from samizdat.classifiers.shown_examples import DrawnInTurn, cut_texts, draw_in_turn
from samizdat.records.classifiers import SINGLE_LABEL, ClassifierCard, ClassifierDescription, ShownExamples
from samizdat.records.corpus import TEXTS
from samizdat.records.io import read_table, write_document


def prepare_few_shot(
    description: ClassifierDescription,
    checkpoint: str,
    revision: str | None,
    label_names: dict[str, str],
    template: str,
    examples: int,
    max_length_tokens: int,
    texts: Path,
    out: Path,
    work: Path,
    seed: int,
) -> str:
    """Write a language model, its tokenizer, `examples.json`, `card.json`, and in `seen_texts.txt` the examples' ids.

    Args:
        description: what the classifier is; it says the labels of `label_column`.
        checkpoint: a folder or a Hub id of a causal language model.
        revision: its commit on the Hub.
        label_names: label of the corpus → the word that the model reads for it; without one, the label itself.
        template: a text and its label, with {} in the place of each.
        examples: how many texts of the train split the model is shown.
        max_length_tokens: the length of a window; examples are cut at it.
        texts: the corpus.
        out: the folder to write.
        work: private folder of the stage: holds a pickle while it is converted.
        seed: of this classifier.

    Raises:
        UserError: the corpus has too few labels or texts, the checkpoint can't be loaded, is no language model, can't
            read the template, the texts or so many tokens, or gives a text another score next to other texts.
    """
    drawn = draw_in_turn(read_table(texts, TEXTS), description.label_column, examples, seed)
    words = _words(description.name, drawn.labels, label_names)
    found = sources.locate(checkpoint, revision)
    tokenizer = load_tokenizer(found.path)
    cut = _cut(tokenizer, drawn, max_length_tokens, description.name)
    refuse_unread_texts(
        tokenizer, [*cut, *words], found.origin, remedy="name a language model that knows the language of the texts"
    )
    make_prompt(tokenizer, template, ShownExamples([], []), words)  # as `measure_examples` will ask, without an example
    shown = ShownExamples(cut, [words[drawn.labels.index(label)] for label in drawn.texts["label"]])
    model = load_whole(AutoModelForCausalLM, checkpoint, revision, found, work, "causal language model")
    beside, longest = make_prompt(tokenizer, template, shown, words).beside, longest_input(model)
    if longest is not None and beside + max_length_tokens > longest:
        raise UserError(
            f"{found.origin} reads at most {longest} tokens, and {examples} examples with the template take {beside} "
            f"beside the {max_length_tokens} of a window",
            remedy=f"lower `examples` or `max_length_tokens` of the classifier {description.name!r} in the config",
        )
    card = ClassifierCard(
        **asdict(description) | {"kind": SINGLE_LABEL},
        origin=found.origin,
        checkpoint_labels=drawn.labels,
        labels=drawn.labels,
        max_length_tokens=max_length_tokens,
        weights_sha256="",
        training_texts=examples,
        selection_texts=0,
        unlearned=drawn.unlearned,
        unselected={},
        hypotheses=[],
        entailment=[],
        template=template,
        words=words,
        model_type=model.config.model_type,
    )
    with replacing_folder(out) as folder:
        write_copy(model, tokenizer, folder, found.origin)
        check_few_shot(folder, tokenizer, card, shown)
        write_text(folder / "seen_texts.txt", "".join(f"{key}\n" for key in sorted(drawn.texts["id"])))
        write_document(shown, folder / EXAMPLES_FILE)
        write_document(replace(card, weights_sha256=sha256_of(folder / "model.safetensors")), folder / "card.json")
    return f"{found.origin}, shown {examples} texts: {', '.join(drawn.labels)}"


def _cut(tokenizer: PreTrainedTokenizerFast, drawn: DrawnInTurn, max_length_tokens: int, name: str) -> list[str]:
    """Cut the examples at the length of a window; tell of those, and of labels that have too few texts."""
    if drawn.unlearned:
        words = f"not its labels, with fewer than {FEWEST_TEXTS} texts in the train split"
        stage.tell(f"classifier {name}: {words}: {counted_labels(drawn.unlearned)}")
    whole = drawn.texts["text"].tolist()
    cut = cut_texts(tokenizer, whole, max_length_tokens)
    if shortened := sum(one != other for one, other in zip(cut, whole, strict=True)):
        stage.tell(f"classifier {name}: {shortened} of {len(whole)} examples are cut at max_length_tokens")
    return cut


def _words(name: str, labels: list[str], label_names: dict[str, str]) -> list[str]:
    """Return the word for each label.

    Raises:
        UserError: `label_names` names an unknown label, or two labels have one word.
    """
    if unknown := sorted(set(label_names) - set(labels)):
        raise UserError(
            f"`label_names` of the classifier {name!r} names {unknown}, and its labels are {labels}",
            remedy="correct the names on the left of `label_names` in the config",
        )
    words = [label_names.get(label, label) for label in labels]
    if len(set(words)) < len(words):
        raise UserError(
            f"two labels of the classifier {name!r} have one word: {words}",
            remedy="give each label a word of its own in `label_names`",
        )
    return words


if __name__ == "__main__":
    stage.run(prepare_few_shot)
