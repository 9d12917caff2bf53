"""The page in which a model runs is refused where it would show texts, or is known to be too large."""

import pytest

from samizdat.base import configuration
from support.demo_config import changed, refusal

pytestmark = pytest.mark.usefixtures("at_the_root")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"play": "other"}, ["`play` is 'other'", "only gpt2-tiny"]),
        ({"play": True}, ["`play` is true", "not text or null"]),
        (
            {"play": "gpt2-tiny", "publish_texts": False},
            ["a model can write texts down that it has learned", "`publish_texts` is false", "`play: null`"],
        ),
        (
            # 12 · 12 · 768² and (6,144 + 64) · 768 weights, a byte each, three times, in base64.
            {"play": "gpt2-tiny", "training__layers": 12, "training__heads": 12, "training__width": 768},
            ["the model 'gpt2-tiny' would have about 359 MB for its 3 checkpoints", "60 MB"],
        ),
        (
            # The blocks alone would fit: 12 · 4 · 384² weights, three times.
            {"play": "gpt2-tiny", "training__width": 384, "models__0__tokenizer": "gpt2"},
            ["would have about 106 MB", "`keep_percents`"],
        ),
    ],
)
def test_a_page_that_must_not_be_made_is_refused(changes, named):
    said = refusal(changes)
    for part in named:
        assert part in said


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"training__width": 512, "training__keep_percents": [100]},
        # Sizes that are known only later.
        {"training__width": 1024, "training__checkpoint": "a/b"},
    ],
)
def test_a_model_may_run_in_a_page_where_it_is_not_known_to_be_too_large(changes):
    configuration.check(changed(play="gpt2-tiny", **changes))
