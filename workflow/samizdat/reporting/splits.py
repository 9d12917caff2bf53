"""Say what is in each split of the corpus, and what ties the splits together."""

from samizdat.base.language import message, plural, say
from samizdat.records.corpus import CorpusSummary
from samizdat.reporting.words import counted, joined

# Split → its name in a sentence.
NAMES = {"train": message("train"), "validation": message("validation"), "test": message("test")}


def texts_of_split(corpus: CorpusSummary, name: str) -> str:
    """Count the texts and the documents of a split."""
    return say(
        "{texts} of {documents}",
        texts=counted(corpus.splits[name], "text", "texts"),
        documents=counted(corpus.split_documents[name], "document", "documents"),
    )


def division(corpus: CorpusSummary) -> str:
    """Say who divided the texts, as the beginning of a sentence."""
    if not corpus.own_splits:
        return say("Its documents are divided into three splits")
    lacking = [say(name) for split, name in NAMES.items() if split not in corpus.own_splits]
    if not lacking:
        return say("It brings its own splits, kept as they are")
    return plural(
        "It brings its own splits, kept as they are ({splits}, which it lacks, is divided off its training texts)",
        "It brings its own splits, kept as they are ({splits}, which it lacks, are divided off its training texts)",
        len(lacking),
        splits=joined(lacking),
    )


def near_duplicates(corpus: CorpusSummary) -> list[str]:
    """Say how many texts are nearly the same as another, and whether any of them are in two splits."""
    if not corpus.near_duplicates:
        return [say("No two texts are nearly the same.")]
    near = plural(
        "{count}\u00a0text is nearly the same as another: equal but for case, blanks and punctuation, or with at "
        "least four fifths of their passages in common.",
        "{count}\u00a0texts are nearly the same as another: equal but for case, blanks and punctuation, or with at "
        "least four fifths of their passages in common.",
        corpus.near_duplicates,
    )
    if not corpus.held_out_copies:
        return [near, say("None of these pairs is in two splits.")]
    if corpus.own_splits:
        held_out = plural(
            "In the corpus’s own splits {count}\u00a0validation or held-out text is nearly the same as a text of "
            "another split, so expect a higher loss on new texts.",
            "In the corpus’s own splits {count}\u00a0validation or held-out texts are nearly the same as a text of "
            "another split, so expect a higher loss on new texts.",
            corpus.held_out_copies,
        )
    else:
        held_out = plural(
            "They tie together half of the corpus or more, so they are in several splits: {count}\u00a0validation or "
            "held-out text is nearly the same as a text of another split. Expect a higher loss on new texts.",
            "They tie together half of the corpus or more, so they are in several splits: {count}\u00a0validation or "
            "held-out texts are nearly the same as a text of another split. Expect a higher loss on new texts.",
            corpus.held_out_copies,
        )
    return [near, held_out]
