"""The README's commands and configs work as written."""

import re

import yaml
from snakemake.utils import update_config

from conftest import ROOT
from samizdat.base import configuration
from support.readme import README, blocks

# Where each command of the README is run: in this file, in another test, in the fixture `tiny`, or by CI.
COMMANDS = {
    "sudo apt install python3-venv git make": "tests/fresh.sh",
    "make report": "in earnest, before a release",
    "make report CONFIG=config/tiny.yaml": "the fixture tiny",
    "snakemake --cores all": "test_tiny_run",
    'make report CONFIG="config/tiny.yaml config/mine.yaml"': "test_tutorial",
    "make report CONFIG=config/mine.yaml": "test_tutorial, planned",
    "make plan": "test_tutorial",
    "make verify": "test_verified_run",
    "make verify RUN=their.zip COPIES=their.ipynb": "test_verified_run",
    "make bundle": "test_verified_run",
    "make clean": "test_clean",
    "make report CONFIG=config/gpu.yaml": "here, planned",
    'samizdat sample "The movie"': "test_sample_command",
    'samizdat sample --percent 10 --temperature 0.7 "The movie"': "test_sample_command",
    "samizdat label draw --run demo --classifier sentiment --raters anna ben --rows 200": "tests/unit/labels",
    "samizdat label draw --run demo --origin --raters anna ben": "tests/unit/labels",
    "samizdat label read data/labels/demo/sentiment": "tests/unit/labels",
    "snakemake --cores all push --configfile config/mine.yaml": "test_push",
    "SAMIZDAT_RUN=results/mine quarto render report/": "test_render_report",
    ".venv/bin/python -m ipykernel install --user --name samizdat --display-name Samizdat": "test_running_again",
    "make test": "CI",
    "make lint": "CI",
}


def test_every_command_is_one_that_is_run_somewhere():
    shown = [line for block in blocks("bash") for line in block.splitlines() if line.strip()]
    assert set(shown) == set(COMMANDS)


def test_every_config_is_accepted(tmp_path, monkeypatch):
    for text in blocks("yaml"):
        config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
        given = yaml.safe_load(text)
        update_config(config, given)
        configuration.leave_to_recipe(config, given)
        config["notes"] = str(ROOT / config["notes"])
        configuration.check(config)


def test_every_file_that_it_names_exists():
    for key in re.findall(
        r"`(config/[a-z]+\.yaml|report/(?!report|play\.html|quarto\.ipynb|index\.html)[a-z.]+|docs/[a-z.]+)`", README
    ):
        assert (ROOT / key).is_file() or key == "config/mine.yaml", key


def test_the_config_for_a_gpu_is_planned_whole(checkout):
    planned = checkout.planned_jobs("--configfile", "config/gpu.yaml")
    assert planned["import_classifier"] == 4 and planned["score_texts"] == 8
