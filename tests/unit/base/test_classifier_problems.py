"""An item of `classifiers` that can't be meant so is refused, with the key, the value and the remedy."""

import pytest

from support.demo_config import refusal

pytestmark = pytest.mark.usefixtures("at_the_root")

SHOWN = {
    "name": "shown", "source": "few_shot", "checkpoint": "a/b", "label_column": "sentiment", "examples": 0,
    "template": "{} is {}", "predicts": "x", "made_for": "x", "reference": "x",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"classifiers__0__label_column": "mood"}, ["'mood'", "sentiment, source"]),
        ({"classifiers__0__label_column": None}, ["needs `label_column`"]),
        ({"classifiers__0__source": "checkpoint"}, ["needs `checkpoint`"]),
        ({"classifiers__0__labels": ["a", "b"]}, ["`labels` is for ready-made classifiers"]),
        ({"classifiers__0__kind": "multi_label"}, ["`kind` is for ready-made classifiers"]),
        ({"classifiers__0__source": "zero_shot"}, ["needs `checkpoint`", "needs `labels`", "`template`", "`kind`"]),
        ({"classifiers__0__source": "few_shot"}, ["needs `checkpoint`", "needs `template`", "needs `examples`"]),
        ({"classifiers": [SHOWN | {"template": "It is {}."}]}, ["`template` has 1 {}", "in that of its label"]),
        ({"classifiers": [SHOWN | {"kind": "single_label"}]}, ["`kind` is not for `source: few_shot`"]),
        ({"classifiers__0__label_map": {"a": ""}}, ["`classifiers[0].label_map.a` is ''", "should be non-empty"]),
        ({"classifiers": [SHOWN | {"examples": -1}]}, ["`classifiers[0].examples` is -1", "reads before each text"]),
        ({"classifiers": [SHOWN | {"template": "{}\\n{}"}]}, ["`template` has \\n as two characters"]),
        ({"classifiers__0__languages": ["en", "cz"]}, ["`languages`: 'cz' is the code of no language", "is cs"]),
        ({"classifiers__0__min_words": 9, "classifiers__0__max_words": 3}, ["`min_words` 9 is more than"]),
        ({"classifiers__0__examples": 3}, ["`examples` is for ready-made classifiers"]),
        ({"classifiers__0__template": "no place"}, ["`classifiers[0].template`", "'no place'", "a statement with {}"]),
        ({"classifiers__0__kind": "several"}, ["`classifiers[0].kind`", "'several'", "any number of them"]),
        ({"classifiers__0__threshold": 0.3}, ["`threshold` is for `kind: multi_label`"]),
        ({"classification__threshold": 1.5}, ["`classification.threshold`", "1.5", "at least so probable"]),
        ({"classifiers__0__label_separator": ";"}, ["`label_separator` is for `kind: multi_label`"]),
        (
            {
                "classifiers__0__source": "checkpoint",
                "classifiers__0__kind": "number",
                "classifiers__0__abstain_below": 0.5,
            },
            ["`abstain_below` is for `kind: single_label`"],
        ),
        ({"classification__window_overlap_tokens": 100}, ["100", "half of `max_length_tokens` 128"]),
        ({"classification__batch_tokens": 64}, ["`batch_tokens` 64", "128"]),
    ],
)
def test_a_wrong_classifier_is_refused_with_key_value_and_remedy(changes, named):
    said = refusal(changes)
    for part in named:
        assert part in said
