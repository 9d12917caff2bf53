"""Say what is in each split of the corpus, and what ties the splits together."""

from samizdat.records.corpus import SPLITS, CorpusSummary
from samizdat.reporting.words import counted, joined


def texts_of_split(corpus: CorpusSummary, name: str) -> str:
    """Count the texts and the documents of a split."""
    return f"{counted(corpus.splits[name], 'text')} of {counted(corpus.split_documents[name], 'document')}"


def division(corpus: CorpusSummary) -> str:
    """Say who divided the texts, as the beginning of a sentence."""
    if not corpus.own_splits:
        return "Its documents are divided into three splits"
    lacking = joined([name for name in SPLITS if name not in corpus.own_splits])
    return "It brings its own splits, kept as they are" + (
        f" ({lacking}, which it lacks, {'are' if ' ' in lacking else 'is'} divided off its training texts)"
        if lacking
        else ""
    )


def near_duplicates(corpus: CorpusSummary) -> list[str]:
    """Say how many texts are nearly the same as another, and whether any of them are in two splits."""
    if not corpus.near_duplicates:
        return ["No two texts are nearly the same."]
    near = (
        f"{counted(corpus.near_duplicates, 'text is', 'texts are')} nearly the same as another: equal but for case, "
        "blanks and punctuation, or with at least four fifths of their passages in common."
    )
    if not corpus.held_out_copies:
        return [near, "None of these pairs is in two splits."]
    held_out = counted(corpus.held_out_copies, "validation or held-out text is", "validation or held-out texts are")
    if corpus.own_splits:
        return [
            near,
            f"In the corpus’s own splits {held_out} nearly the same as a text of another split, so expect a higher "
            "loss on new texts.",
        ]
    return [
        near,
        "They tie together half of the corpus or more, so they are in several splits: "
        f"{held_out} nearly the same as a text of another split. Expect a higher loss on new texts.",
    ]
