"""Say what is in each split of the corpus, and what ties the splits together."""

from samizdat.records.corpus import CorpusSummary
from samizdat.reporting.words import counted


def texts_of_split(corpus: CorpusSummary, name: str) -> str:
    """Count the texts and the documents of a split."""
    return f"{counted(corpus.splits[name], 'text')} of {counted(corpus.split_documents[name], 'document')}"


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
    return [
        near,
        "They tie together half of the corpus or more, so they are in several splits: "
        f"{counted(corpus.held_out_copies, 'validation or held-out text is', 'validation or held-out texts are')} "
        "nearly the same as a text of another split. Expect a higher loss on new texts.",
    ]
