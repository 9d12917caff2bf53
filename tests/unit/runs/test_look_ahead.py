"""A wrong checkpoint is told before the first job, not when hours of training are over."""

import pytest
import yaml

from support import hub_fixtures

TARGET = "results/wrong/statistics/sample_quality.parquet"


@pytest.mark.parametrize(
    ("section", "key", "target"),
    [
        ("sample_quality", "encoder", TARGET),
        ("finetuning", "checkpoint", "results/wrong/classifiers/sentiment/card.json"),
    ],
)
@pytest.mark.parametrize(
    ("value", "told"),
    [("no/such/place", "no/such/place does not exist"), ("data", "data is no checkpoint of a model of texts")],
)
def test_a_wrong_checkpoint_is_told_before_the_first_job(checkout, section, key, target, value, told):
    config = checkout.overlay("wrong", name="wrong", **{section: {key: value}})
    done = checkout.snakemake("--configfile", config, "--", target)
    assert done.returncode == 1 and told in done.stderr and "What to do: " in done.stderr, done.stderr
    assert not (checkout.root / "results" / "wrong").exists()
    assert checkout.snakemake("--configfile", config, "--", "results/wrong/config.json").returncode == 0


def test_a_classifier_without_weights_is_told_before_the_first_job(checkout):
    folder = hub_fixtures.small_classifier(checkout.root)
    (folder / "model.safetensors").unlink()
    item = {"name": "mine", "source": "checkpoint", "checkpoint": folder.name,
            "predicts": "mood",
            "made_for": "tests", "reference": "none"}  # fmt: skip
    path = checkout.root / checkout.overlay("wrong", name="wrong")
    values = yaml.safe_load(path.read_text(encoding="utf-8")) | {"classifiers": [item]}
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    done = checkout.snakemake("--configfile", str(path), "--", "results/wrong/classifiers/mine/card.json")
    assert done.returncode == 1 and "checkpoint of the classifier mine" in done.stderr, done.stderr
    assert "it has no weights (*.safetensors)" in done.stderr


def test_an_encoder_to_fine_tune_whose_weights_are_a_pickle_is_told_before_the_first_job(checkout):
    folder = hub_fixtures.small_classifier(checkout.root)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    config = checkout.overlay("wrong", name="wrong", finetuning={"checkpoint": folder.name})
    done = checkout.snakemake("--configfile", config, "--", "results/wrong/classifiers/sentiment/card.json")
    assert done.returncode == 1 and "it has no weights (*.safetensors)" in done.stderr, done.stderr
