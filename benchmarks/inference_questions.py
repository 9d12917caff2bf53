"""List what is asked about made-up corpora: each claim of the report, and the intervals that no claim depends on.

Each question is a function of a `World`: it makes what the stages read, runs the stages' own functions, and asks
`samizdat.reporting.verdicts`, which every sentence asks. Without an effect there is nothing to be found.
"""

from collections.abc import Callable

from inference_agreement import miscalibrated, off_baseline, overconfident, raters
from inference_labels import (
    associated,
    changed_labels,
    different_groups,
    moved,
    several_between_groups,
    several_between_samples,
    unlike_texts,
)
from inference_numbers import right_of_several, spread_of_numbers
from inference_positions import changing
from inference_raters import judged_by_people
from inference_samples import (
    better_models,
    measured,
    off_held_out_ngrams,
    off_held_out_passages,
    told_apart,
    told_by_people,
)
from inference_terms import telling_of_groups, telling_of_samples
from inference_world import World

# What the report says → what asks for it, and what the effect is that its power is measured for.
QUESTIONS: dict[str, tuple[Callable[[World], bool], str]] = {
    "agrees with people more (less) than the most frequent label": (off_baseline, "10 points more"),
    "is not right as often as it says": (miscalibrated, "right 10 points less often"),
    "is right less (more) often than it says": (overconfident, "right 10 points less often"),
    "label shares differ between groups": (different_groups, "a fifth of the labels changed in one of two groups"),
    "Shares differ between groups of texts": (
        several_between_groups,
        "a fifth of the labels changed in one of two groups, two labels a text",
    ),
    "Shares differ between samples and texts": (
        several_between_samples,
        "a fifth of the samples’ labels changed, two labels a text",
    ),
    "becomes more (less) frequent through documents": (changing, "a fifth of the last texts’ labels changed"),
    "labels of two classifiers go together": (associated, "a fifth of the labels repeated"),
    "samples and texts differ": (unlike_texts, "a fifth of the samples’ labels changed"),
    "training moves the samples nearer (away)": (moved, "from two fifths of one rare label to the texts’ shares"),
    "a label’s share changes in training": (changed_labels, "the same"),
    "more (fewer) runs of four words are copied": (off_held_out_ngrams, "half as many again"),
    "samples share longer passages": (off_held_out_passages, "half as long again"),
    "is better than another model": (better_models, "0.04 bits per byte of 1.5, three seeds"),
    "people tell samples from texts": (told_by_people, "a fifth more texts called a person’s"),
    "a simple model distinguishes samples": (told_apart, "a fifth of the samples has a word of their own"),
    "words tell groups of texts apart": (
        telling_of_groups,
        "a fifth of the texts of one of two groups has one word more",
    ),
    "words tell samples from texts": (telling_of_samples, "a fifth of the samples has one word more"),
}
# What is asked for its intervals alone.
INTERVALS: dict[str, Callable[[World], bool]] = {
    "how far raters agree": raters,
    "how varied samples are": measured,
    "how numbers are spread": spread_of_numbers,
    "how often several labels are right": right_of_several,
    "how right classifiers are, from drawn rows": judged_by_people,
}
