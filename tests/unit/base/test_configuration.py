"""The config: shipped configs pass; a wrong one is reported with the key, the value and the remedy."""

import copy
import re
from dataclasses import fields, is_dataclass
from importlib import import_module

import pytest
import yaml
from snakemake.utils import update_config

from samizdat.base import configuration
from samizdat.base.config_file import read_config
from samizdat.base.errors import UserError
from support.demo_config import BASE, ROOT, changed, refusal

pytestmark = pytest.mark.usefixtures("at_the_root")


@pytest.mark.parametrize("overlay", sorted((ROOT / "config").glob("*.yaml")), ids=lambda path: path.name)
def test_every_shipped_config_is_valid(overlay):
    config = copy.deepcopy(BASE)
    update_config(config, yaml.safe_load(overlay.read_text(encoding="utf-8")))
    configuration.check(config)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"trainign": {}}, ["`trainign`", "did you mean `training`"]),
        ({"models__0__widht": 64}, ["`models[0].widht`", "did you mean `width`"]),
        ({"seed": "one"}, ["`seed`", "'one'", "not a whole number", "Master seed"]),
        ({"device": "gpu"}, ["`device`", "'gpu'", "cuda"]),
        ({"language": "cz"}, ["`language`: 'cz' is the code of no language", "a country, whose language is cs"]),
        ({"language": "xx-CZ"}, ["`language`: 'xx' is the code of no language", "ISO 639-1"]),
        ({"name": "../up"}, ["`name`", "'../up'"]),
        ({"sampling__temperatures": [0]}, ["`sampling.temperatures[0]` is 0", "above 0", "`top_k: 1` takes the most"]),
        ({"training__epochs": "4,5"}, ["`training.epochs`", "'4,5'", "number", "write 4.5"]),
        ({"training__epochs": "auto", "training__checkpoint": "a/b"}, ["`checkpoint` is set", "set epochs, too"]),
        ({"training__learning_rate": "auto", "training__optimizer": "adamw"}, ["`optimizer: muon`", "learning_rate"]),
        ({"training__context_tokens": "auto"}, ["`batch_tokens` is set", "`context_tokens` is left to a recipe"]),
        ({"models__0__seeds": 0}, ["`models[0].seeds`", "less than the minimum", "How often the model is trained"]),
        ({"tokenizers__0__checkpoint": "a/b"}, ["'own' has `checkpoint`, which is for `source: checkpoint`"]),
        ({"tokenizers__1__vocabulary_size": 999}, ["'gpt2' has `vocabulary_size`, which is for `source: train`"]),
        (
            {"corpus__source": "files", "corpus__paths": ["data"]},
            ["`title` is the demo's", BASE["title"], "`name` is the demo's"],
        ),
        ({"classification__threshold": {"joy": 2}}, ["`classification.threshold.joy` is 2", "one for each label"]),
        ({"notes": "report/none.md"}, ["`notes`", "report/none.md", "create it"]),
        ({"tokenizers__0__vocabulary_size": None}, ["`tokenizers[0].vocabulary_size`"]),
        ({"name": "demo\n"}, ["`name` can't be 'demo\\n'"]),
        ({"models__0__name": "$(touch PWNED)"}, ["`models[0].name`"]),
        ({"push__model": "other"}, ["`push.model` is 'other'", "only gpt2-tiny"]),
        ({"push__repository": "no-owner"}, ["`push.repository`", "'no-owner'", "owner/name"]),
        ({"training__micro_batch_sequences": "many"}, ["`training.micro_batch_sequences` is 'many'", "auto: as many"]),
        ({"training__micro_batch_sequences": 0}, ["`training.micro_batch_sequences` is 0"]),
        ({"training__compile": "yes"}, ["`training.compile` is 'yes'", "'auto'", "long trainings"]),
        ({"training__compile": 1}, ["`training.compile` is 1"]),
        ({"training__precision": "tf32"}, ["`training.precision` is 'tf32'", "'float16'"]),
        ({"training__resume_every_seconds": -1}, ["`training.resume_every_seconds` is -1", "after every step"]),
        ({"training__resume_every_steps": 25}, ["did you mean `resume_every_seconds`"]),
        ({"classification__batch_tokens": "all"}, ["`classification.batch_tokens` is 'all'", "as suits the device"]),
        ({"classification__precision": "int8"}, ["`classification.precision` is 'int8'", "'float16'"]),
        ({"classifiers__1__name": "sentiment"}, ["two items have the name 'sentiment'"]),
        ({"classifiers__1__name": "Sentiment"}, ["two items have the name 'sentiment'", "more than capital letters"]),
        ({"threads": 2.0}, ["`threads` is 2.0", "Write 2, without a point"]),
        ({"training__layers": 4.0}, ["`training.layers` is 4.0", "Write 4, without a point"]),
        (
            {"sampling__slots": "64"},
            ["write 64, without quotes; behind --config, what is inside another key is always"],
        ),
        ({"push__private": "false"}, ["Write true or false, without quotes; behind --config, what is inside another"]),
        ({"name": 2024}, ["For text write \"2024\", in quotes; behind --config: 'name=!!str 2024', in these quotes"]),
        ({"title": True}, ["behind --config: 'title=!!str True'"]),
        ({"models__0__name": 7}, ['For text write "7", in quotes']),
        ({"pdf": 1}, ["Write true or false, without quotes (behind --config: True or False)"]),
        ({"play": "null"}, ["for no such page write null without quotes, or `play=` behind --config"]),
        ({"notes": "My own words. " * 30}, ["`notes`: the file My own words. ", "does not exist"]),
        ({"training__checkpoint": ""}, ["`training.checkpoint` is ''", "null: train from scratch"]),
        ({"models__0__revision": ""}, ["`models[0].revision` is ''"]),
        ({"prompts": [f"{number} {'نص' * 40}" for number in range(300)]}, ["too long to be given", "some `prompts`"]),
        ({"name": "Scores"}, ["`name`: 'Scores' is a folder of work/ that all runs share"]),
    ],
)
def test_a_wrong_config_is_refused_with_key_value_and_remedy(changes, named):
    said = refusal(changes)
    for part in named:
        assert part in said


@pytest.mark.parametrize(
    "changes",
    [
        {"training__micro_batch_sequences": "auto", "training__processes": "auto"},
        {"training__micro_batch_sequences": "auto", "training__processes": 2},
        {"training__compile": "auto"},
        {"training__compile": False},
        {"training__precision": "float16", "classification__precision": "float16", "finetuning__precision": "float16"},
        {"training__resume_every_seconds": 0},
        {"training__resume_every_seconds": 1.5},
        {"classification__batch_tokens": "auto"},
        {"models__0__micro_batch_sequences": "auto", "classifiers__0__batch_tokens": "auto"},
    ],
)
def test_what_the_machine_may_decide_is_left_to_it(changes):
    configuration.check(changed(**changes))


def test_the_remedy_for_a_number_behind_config_makes_it_text():
    from snakemake.cli import parse_config

    assert parse_config(["name=2024"]) == {"name": 2024}
    assert parse_config(["name=!!str 2024", "title=!!str True", "play="]) == {
        "name": "2024", "title": "True", "play": None,
    }  # fmt: skip


def test_a_file_that_is_no_file_or_may_not_be_read_is_not_told_as_missing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/labels/demo/mood/labels.parquet").mkdir(parents=True)
    (tmp_path / "notes.md").symlink_to("notes.md")
    said = refusal({"human_labels": ["demo/mood", "demo/anger"], "notes": "notes.md"})
    assert "data/labels/demo/mood/labels.parquet, which is no file; `samizdat label read`" in said
    assert "data/labels/demo/anger/labels.parquet, which does not exist" in said
    assert "the file notes.md can't be read: Too many levels of symbolic links" in said


def test_all_problems_are_named_at_once():
    with pytest.raises(UserError) as error:
        configuration.check(changed(seed="x", device="y", trainign=1))
    assert str(error.value).count("\n  - ") == 3


def test_an_item_overrides_what_it_inherits():
    config = changed(models__0__width=128, classifiers__0__max_length_tokens=64, classifiers__0__epochs=7.0)
    inherited = {key: value for key, value in BASE["training"].items() if key != "seeds"}
    assert configuration.model_settings(config, "gpt2-tiny") == inherited | {"width": 128}
    scoring = {key: value for key, value in BASE["classification"].items() if key not in ("threshold", "jobs")}
    assert configuration.scoring_settings(config, "sentiment") == scoring | {"max_length_tokens": 64}
    assert configuration.classifier_description(config, "sentiment")["threshold"] == 0.5
    config["classifiers"][0]["threshold"] = {"joy": 0.3}
    assert configuration.classifier_description(config, "sentiment")["threshold"] == {"joy": 0.3}
    assert configuration.finetuning_settings(config, "sentiment") == BASE["finetuning"] | {"epochs": 7.0}
    assert configuration.finetuning_settings(config, "source") == BASE["finetuning"]


def _keys(section):
    return configuration.load_schema()["properties"][section]["properties"]


def test_every_key_has_a_description():
    schema = configuration.load_schema()
    for name, key in schema["properties"].items():
        assert key.get("description"), name
        for inner, value in (key.get("properties") or key.get("items", {}).get("properties", {})).items():
            assert value.get("description"), f"{name}.{inner}"


@pytest.mark.parametrize(
    ("section", "module", "settings"),
    [
        ("corpus", "corpus.import_corpus", "CorpusSettings"),
        ("training", "models.settings", "TrainingSettings"),
        ("sampling", "samples.generate_samples", "SamplingSettings"),
        ("classification", "classifiers.text_scores", "ClassificationSettings"),
        ("finetuning", "classifiers.loop", "FinetuningSettings"),
        ("sample_quality", "statistics.judge_samples", "SampleQualitySettings"),
        ("statistics", "statistics.compute_statistics", "StatisticsSettings"),
    ],
)
def test_schema_default_config_and_stage_have_the_same_keys(section, module, settings):
    stage = getattr(import_module(f"samizdat.{module}"), settings)
    assert is_dataclass(stage)
    names = {field.name for field in fields(stage)}
    # How many trainings or jobs there are is no setting of a training or a job.
    assert (
        names | {"training": {"seeds"}, "classification": {"threshold", "jobs"}}.get(section, set())
        == set(_keys(section))
        == set(BASE[section])
    )


def test_a_model_is_trained_once_for_each_seed_with_the_same_settings():
    assert list(configuration.trainings(BASE)) == ["gpt2-tiny"]
    config = changed(training__seeds=2, models__0__width=128)
    config["models"] = [*config["models"], {"name": "seed2", "tokenizer": "own", "seeds": 1}]
    assert list(configuration.trainings(config)) == ["gpt2-tiny", "gpt2-tiny.seed2", "seed2"]
    first, second = (configuration.model_settings(config, name) for name in ("gpt2-tiny", "gpt2-tiny.seed2"))
    assert first == second and first["width"] == 128
    assert first == configuration.model_settings(changed(models__0__width=128), "gpt2-tiny")
    assert [configuration.model_of(name) for name in configuration.trainings(config)] == ["gpt2-tiny"] * 2 + ["seed2"]


def numbers_of(schema, where=""):
    """Yield the place and the schema of each number."""
    kinds = schema.get("type", ())
    if {"integer", "number"} & set([kinds] if isinstance(kinds, str) else kinds):
        yield where, schema
    for key, value in schema.items():
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                yield from numbers_of(inner, f"{where}.{key}")


def test_every_number_has_a_largest_value_and_every_pattern_an_end():
    schema = configuration.load_schema()
    numbers = list(numbers_of(schema))
    assert len(numbers) > 40
    assert not [where for where, number in numbers if not {"maximum", "exclusiveMaximum"} & number.keys()]
    text = configuration.SCHEMA_PATH.read_text(encoding="utf-8")
    patterns = [pattern for pattern in re.findall(r'pattern: "(.*?)"[,}]', text) if "$" in pattern]
    assert len(patterns) >= 6 and all(pattern.endswith("$(?!\\\\n)") for pattern in patterns)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"name": "demo\n"}, "`name`"),
        ({"language": "en\n"}, "`language`"),
        ({"push__repository": "a/b\n"}, "`push.repository`"),
        ({"corpus__dataset": "a/b\n"}, "`corpus.dataset`"),
        ({"corpus__label_columns": ["mood\n"]}, "`corpus.label_columns[0]`"),
        ({"title": "a\0b"}, "`title` has a zero"),
        ({"title": " \n"}, "not only blanks"),  # a PDF must have a title
        ({"prompts": ["\ud800"]}, "`prompts[0]` has a zero or half a character, '\\ud800'"),
        ({"corpus": {"\ud800": 1}}, "`corpus` has a zero"),
        ({"training__epochs": float("inf")}, "`training.epochs` is inf"),
        ({"sampling__temperatures": [float("nan")]}, "`sampling.temperatures[0]` is nan"),
        ({"training__width": 99999999998}, "`training.width` is 99999999998"),
        ({"seed": 10**4000}, "`seed`"),
    ],
    ids=str,
)
def test_what_no_step_could_use_is_refused_by_name(changes, named):
    said = refusal(changes)
    assert named in said and len(said) < 2000


def test_a_config_that_repeats_itself_without_end_is_refused_at_once(tmp_path):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 10)}]" for number in range(1, 12)]
    file = tmp_path / "bomb.yaml"
    file.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(UserError, match=r"bomb\.yaml has more than 100,000 values"):
        read_config(file)
    bomb = yaml.safe_load("\n".join(lines))
    for config in (bomb, BASE | {"prompts": bomb["a11"]}):
        with pytest.raises(UserError, match="more than 100,000 values"):
            configuration.check(config)
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(UserError, match="lists or mappings in each other"):
        configuration.check(BASE | {"prompts": deep})


def test_a_value_of_the_command_line_is_not_told_as_one_of_the_file_that_it_overrides(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("training:\n  epochs: 2\n  layers: 0\nseed: 3\n", encoding="utf-8")
    config = changed(training__epochs="many", training__layers=0, seed=-1)
    given = {"training": {"epochs": "many"}, "seed": -1}
    with pytest.raises(UserError) as raised:
        configuration.check(config, [file], given)
    said = str(raised.value)
    assert "mine.yaml, line 3" in said and "line 2" not in said and "line 4" not in said
    assert "`training.epochs` is 'many'" in said and "`seed` is -1" in said
