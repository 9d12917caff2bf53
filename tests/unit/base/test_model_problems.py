"""Models: shapes, batches and shares that don't fit are refused; what is not set is left to the recipe."""

import copy

import pytest
from snakemake.utils import update_config

from samizdat.base import configuration
from samizdat.base.errors import UserError
from support.demo_config import BASE, changed, refusal

pytestmark = pytest.mark.usefixtures("at_the_root")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"training__heads": 3}, ["`width` 256", "`heads` 3"]),
        ({"training__batch_tokens": "auto"}, ["`micro_batch_sequences` is set", "`batch_tokens` is left"]),
        ({"training__batch_tokens": 4097}, ["`batch_tokens` 4097", "= 8192"]),
        ({"training__keep_percents": [100, 10]}, ["`keep_percents` [100, 10]", "end with 100"]),
        ({"training__keep_percents": [10, 50]}, ["`keep_percents` [10, 50]", "end with 100"]),
        ({"training__warmup_share": 0.8}, ["0.8", "more than 1 together"]),
        ({"models__0__tokenizer": "other"}, ["'other'", "only own"]),
        ({"sampling__max_new_tokens": 256}, ["`sampling.max_new_tokens` 256", "`context_tokens` 64"]),
        ({"training__processes": 2}, ["`batch_tokens` 8192", "`processes` 2 = 16384"]),
        (
            {"training__processes": 3, "training__micro_batch_sequences": "auto"},
            ["`batch_tokens` 8192", "`context_tokens` 64 × `processes` 3 = 192"],
        ),
        ({"training__processes": "auto", "training__micro_batch_sequences": 100}, ["`batch_tokens` 8192", "= 6400"]),
        ({"training__processes": "all"}, ["`training.processes` is 'all'", "auto: one for each GPU"]),
    ],
)
def test_a_model_that_cant_be_trained_so_is_refused(changes, named):
    said = refusal(changes)
    for part in named:
        assert part in said


def test_what_is_not_set_is_left_to_the_recipe_and_what_is_set_counts():
    given = {"training": {"recipe": "auto", "epochs": 4.5, "layers": 3}, "models": [{"name": "m", "tokenizer": "own"}]}
    config = copy.deepcopy(BASE)
    update_config(config, given)
    configuration.leave_to_recipe(config, given)
    configuration.check(config)
    training = config["training"]
    assert {key for key, value in training.items() if value == "auto"} == {
        *configuration.RECIPE_KEYS, "recipe", "micro_batch_sequences", "precision", "compile"
    } - {"epochs", "layers"}  # fmt: skip
    assert (training["epochs"], training["layers"]) == (4.5, 3)
    assert config["tokenizers"][0]["vocabulary_size"] == "auto" and "vocabulary_size" not in config["tokenizers"][1]
    again = copy.deepcopy(config)  # a config as it is in results, where every key is set
    configuration.leave_to_recipe(again, config)
    assert again == config
    options = configuration.training_options(config, "m")
    assert set(options["recipe"]) == set(configuration.RECIPE_KEYS) - {"epochs", "layers"}
    assert (options["context_tokens"], options["width"], options["epochs"]) == (57, 0, 4.5)
    assert configuration.training_options(BASE, "gpt2-tiny")["recipe"] is None


def test_a_recipe_that_would_override_the_numbers_beside_it_is_refused_with_their_keys():
    config = changed(training__recipe="auto", training__layers=3)  # as written into config/config.yaml itself
    with pytest.raises(UserError, match="override its own numbers: layers, heads, ") as refused:
        configuration.leave_to_recipe(config, {"name": "mine"})
    assert "recipe: null" in refused.value.remedy and config["training"]["layers"] == 3
    config["training"] |= dict.fromkeys(configuration.RECIPE_KEYS, "auto")
    configuration.leave_to_recipe(config, {"training": {"seeds": 1}})
    assert config["training"]["layers"] == "auto"


def test_a_vocabulary_of_a_given_size_is_not_left_to_the_recipe():
    tokenizers = [{"name": "own", "source": "train", "vocabulary_size": 300}, {"name": "two", "source": "train"}]
    config = changed(tokenizers=tokenizers, training__recipe="auto")
    configuration.leave_to_recipe(config, {"tokenizers": tokenizers, "training": {"recipe": "auto"}})
    assert [item["vocabulary_size"] for item in config["tokenizers"]] == [300, "auto"]
