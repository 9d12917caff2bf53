"""The how-to pages: each command is one that exists, and each config is one that a run accepts."""

import re
import shlex
from pathlib import Path

import pytest
import yaml
from snakemake.cli import get_argument_parser
from snakemake.utils import update_config

from samizdat.base import configuration
from samizdat.cli import make_parser

ROOT = Path(__file__).parents[2]
PAGES = sorted(path.name for path in (ROOT / "docs").glob("howto-*.md"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
# What a page tells to write, so it need not exist.
WRITTEN = {"config/mine.yaml"}


def blocks(page: str, language: str) -> list[str]:
    """Return a page's code blocks of a language, without their indentation."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


def problem(command: str) -> str | None:
    """Say what is wrong with a command: a target, a variable, a config, an option; None where nothing is."""
    words = [word for word in shlex.split(command) if not re.fullmatch(r"HF_HUB_OFFLINE=1", word)]
    program, *arguments = words
    if program == "samizdat":
        try:
            make_parser().parse_args(arguments)
        except SystemExit:
            return "samizdat doesn't know it"
        return None
    if program == "snakemake":
        try:
            get_argument_parser().parse_args(arguments)
        except SystemExit:
            return "snakemake doesn't know it"
        return None
    if words[:4] == ["python", "-m", "pip", "install"]:
        return None
    if program != "make":
        return f"{program} is no command of the project"
    for argument in arguments:
        name, given, value = argument.partition("=")
        if not given and not re.search(rf"^{re.escape(name)}:", MAKEFILE, re.MULTILINE):
            return f"there is no target {name}"
        if given and f"$({name})" not in MAKEFILE and f"$(call files,{name})" not in MAKEFILE:
            return f"the Makefile reads no {name}"
        for file in value.split() if name == "CONFIG" else ():
            if file not in WRITTEN and not (ROOT / file).is_file():
                return f"there is no {file}"
    return None


@pytest.mark.parametrize("page", PAGES)
def test_every_command_is_one_that_exists(page):
    commands = [line for block in blocks(page, "bash") for line in block.splitlines()]
    assert commands and not [f"{line}: {wrong}" for line in commands if (wrong := problem(line))]


def test_a_command_that_does_not_exist_is_found():
    wrong = ("make no-report", "make report SETTINGS=config/tiny.yaml", "make report CONFIG=config/none.yaml",
             "samizdat bundle results/x --texts files", "samizdat labels read x", "snake --cores all",
             "snakemake --core-of all")  # fmt: skip
    assert all(problem(command) for command in wrong)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "yaml")])
def test_every_config_is_accepted(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("report/notes.md", "data/labels/mine/mood/labels.parquet"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
    config |= {"name": "mine", "title": "Mine"}
    for block in blocks(page, "yaml"):
        given = yaml.safe_load(block)
        update_config(config, given)
        configuration.leave_to_recipe(config, given)
        configuration.check(config)


@pytest.mark.parametrize("page", ["../README.md", "howto-long-documents.md"])
def test_longer_samples_can_be_tried_with_the_tiny_settings(page):
    (longer,) = [block for block in blocks(page, "yaml") if "max_new_tokens: 200" in block and "recipe" in block]
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
    given = yaml.safe_load((ROOT / "config" / "tiny.yaml").read_text(encoding="utf-8"))
    update_config(given, yaml.safe_load(longer))
    update_config(config, given)
    configuration.leave_to_recipe(config, given)
    configuration.check(config)


def test_no_page_is_longer_than_a_screen():
    assert len(PAGES) == 10
    for page in PAGES:
        assert (ROOT / "docs" / page).read_text(encoding="utf-8").count("\n") <= 50, page
