"""The parts of the report about corpus, training, samples, the model's inside and provenance have no English words."""

import re
from collections.abc import Callable

import pytest
from matplotlib.text import Text

from samizdat.base.language import LANGUAGES, speaking
from samizdat.reporting import (
    copy_lengths,
    corpus,
    heads,
    held_out_loss,
    inside,
    provenance,
    sample_quality,
    samples,
    share_course,
    text_lengths,
    training,
)
from samizdat.reporting.style import Picture

SHOWN: list[Callable] = [
    corpus.opening, corpus.groups, text_lengths.lengths, corpus.human_labels, corpus.examples, corpus.dropped,
    corpus.vocabulary, training.opening, training.curves, training.models, training.yardsticks, training.log,
    samples.opening, samples.by_step, samples.held_out, samples.gallery, sample_quality.opening, sample_quality.variety,
    sample_quality.nearness, sample_quality.by_checkpoint, share_course.shares_by_step, copy_lengths.lengths,
    inside.costs, inside.every_cost, inside.next_tokens, inside.spent, inside.surprising, heads.heads, heads.maps,
    held_out_loss.limits, provenance.opening, provenance.rule_graph, provenance.settings, provenance.versions,
    provenance.hashes,
]  # fmt: skip
# They are frequent in English and no words of the other languages.
ENGLISH = re.compile(
    r"\b(the|of|and|is|are|with|which|that|than|texts|samples|held-out|step|words|tokens|head|layer|bits)\b"
)
# Names, texts of the corpus, code, and words that are the same in all languages.
NAMES = re.compile(r"<bdi[^>]*>.*?</bdi>|<code>.*?</code>|`[^`]*`|\[play\.html\]\S*|<[^>]*>")
DECIMAL_POINT = re.compile(r"(?<![\w.])\d+\.\d+(?![\w.])")


def words_of(shown) -> str:
    """Return all that a reader sees, without names, code and texts of the corpus."""
    if not isinstance(shown, Picture):
        return NAMES.sub("", shown.markdown)
    shown.canvas.draw()
    texts = [text.get_text() for text in shown.findobj(Text)]
    return "\n".join([shown.title, shown.alternative_text, *texts])


@pytest.mark.parametrize("language", sorted({*LANGUAGES} - {"en"}))
@pytest.mark.parametrize("show", SHOWN, ids=lambda show: f"{show.__module__.split('.')[-1]}.{show.__name__}")
def test_nothing_stays_english(run, show, language):
    with speaking(language):
        words = words_of(show(run))
    assert not ENGLISH.findall(words), words
    # German has a point between thousands; a version keeps its own.
    assert language == "de" or show is provenance.opening or not DECIMAL_POINT.search(words), words


def test_the_same_run_is_told_in_english_as_before(run):
    assert "The corpus holds" in corpus.opening(run).markdown
    with speaking("cs"):
        assert "Korpus obsahuje" in corpus.opening(run).markdown
