"""What is said of classifiers, and how far to believe them, is in the language of the report, numbers too."""

import re

import pytest
from matplotlib.text import Text

from samizdat.base.language import ENGLISH, speaking
from samizdat.reporting import agreement, classifiers, fitness, human_agreement, label_comparison, trust
from samizdat.reporting.style import Picture

SAID = (
    classifiers.cards, classifiers.learned, classifiers.shares_by_group, fitness.counts, fitness.warnings,
    label_comparison.opening, label_comparison.shares, label_comparison.by_training, label_comparison.divergences,
    trust.calibration, trust.associations, trust.group_tests, trust.examples, agreement.opening, agreement.scores,
    agreement.every_score, agreement.confusion, human_agreement.ceiling,
)  # fmt: skip
IN_BRIEF = (classifiers.in_brief, label_comparison.in_brief, agreement.in_brief)
# Words that are the same in both languages, and names.
SAME = {
    "interval", "divergence", "model", "text", "macro", "sentiment", "source", "mood", "letter", "poem", "negative",
    "neutral", "positive", "good", "bad", "gpt", "tiny",
}  # fmt: skip
OF_CARDS = ("what it was told", "from nothing", "model: nothing", "nowhere", "tests")


def shown(said) -> str:
    """Return all words that a reader gets of a text, a table or a figure, without markup and texts of the corpus."""
    if not isinstance(said, Picture):
        return re.sub(f"<bdi lang=.*?</bdi>|<.*?>|`.*?`|{'|'.join(OF_CARDS)}", "", str(said))
    said.draw_without_rendering()
    return "\n".join([said.alternative_text, *(text.get_text() for text in said.findobj(Text))])


def all_shown(run, language: str) -> dict[str, str]:
    """Say everything in a language."""
    with speaking(language):
        whole = {f"{one.__module__} {one.__name__}": shown(one(run)) for one in SAID}
        brief = {f"{one.__module__} {one.__name__}": shown(one(run, next(iter(run.cards)))) for one in IN_BRIEF}
    return whole | brief


def words(text: str) -> set[str]:
    return {word for word in re.findall(r"[^\W\d_]{3,}", text.lower()) if word not in SAME}


@pytest.mark.parametrize("fixture", ["run", "two_labels"])
def test_no_english_word_and_no_english_number_is_left(fixture, request):
    run = request.getfixturevalue(fixture)
    english, czech = all_shown(run, ENGLISH), all_shown(run, "cs")
    for name, text in czech.items():
        assert not words(text) & words(english[name]), name
        assert not re.search(r"\d\.\d", text), name
