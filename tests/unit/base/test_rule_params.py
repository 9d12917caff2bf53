"""Values that rules give to a command line: what a shell makes of them is what they were."""

import argparse
import errno
import json
import os
import shlex
import subprocess
import sys
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from snakemake.rules import Rule
from snakemake.utils import format as snakemake_format

from samizdat.base import rule_params
from samizdat.base.config_file import read_config
from samizdat.base.rule_params import (
    Contents,
    digest_of_files,
    folder_of,
    nameable,
    options,
    paths,
    state_of_folder,
    untracked,
    verbatim,
)
from samizdat.base.stage_arguments import add_options, arguments_for

words = st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",)))


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}(_[a-z]{1,8})?", fullmatch=True), words))
def test_a_shell_gives_the_stage_each_text_unchanged(values):
    values = {key: text for key, text in values.items() if text.strip('"') != "null"}
    spelled = shlex.split(options(values)(None))
    assert spelled == [f"--{key.replace('_', '-')}={value}" for key, value in sorted(values.items(), key=_option)]


@dataclass(frozen=True)
class Settings:
    """One field of each kind that can have strings of a user."""

    title: str
    column: str | None
    prompts: tuple[str, ...]
    label_map: dict[str, str]
    encoding: str | dict[str, str]


mappings = st.dictionaries(words, words, max_size=3)
ANY = st.builds(
    Settings, words, st.none() | words, st.lists(words, max_size=3).map(tuple),
    mappings, words.filter(lambda text: not text.startswith('{"')) | mappings,
)  # fmt: skip
PRINT_ARGUMENTS = "import json, sys; print(json.dumps(sys.argv[1:]))"


@settings(max_examples=60)
@given(ANY)
@example(Settings("null", "null", ("null",), {"null": "null"}, "null"))
@example(Settings('"null"', '"null', ('"null"',), {}, 'null"'))
@example(Settings("true", "1", ("true", "1"), {"1": "true"}, "1"))
@example(
    Settings("{draft} {{x}} {config[name]}", "a\nb", ("$(touch PWNED)", "\n", ""), {"`x`": "'\"\\"}, {"*": "<results>"})
)
def test_any_string_goes_from_the_config_through_snakemake_and_the_shell_to_the_stage(tmp_path_factory, given):
    folder = tmp_path_factory.mktemp("shell")
    read = read_config(_written(asdict(given), folder / "mine.yaml")).values
    assert _written(read, folder / "c.json") and read_config(folder / "c.json").values == read
    # As Snakemake formats the shell line of a rule.
    line = snakemake_format("{python:q} -c {code:q} {params}", python=sys.executable, code=PRINT_ARGUMENTS,
                            params=options(read)(None))  # fmt: skip
    done = subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, text=True, check=True)
    parser = argparse.ArgumentParser()
    add_options(parser, {"settings": Settings})
    values = vars(parser.parse_args(json.loads(done.stdout)))
    assert arguments_for({"settings": Settings}, values) == {"settings": given}
    assert {path.name for path in folder.iterdir()} == {"mine.yaml", "c.json"}


def _written(values, path):
    path.write_text(json.dumps(values) if path.suffix == ".json" else yaml.safe_dump(values), encoding="utf-8")
    return path


def _option(item):
    return item[0].replace("_", "-")


@pytest.mark.parametrize("value", [None, True, 3, 0.5, [], ["a b", "'"], {"b": 1, "a": [2]}])
def test_all_but_text_is_json(value):
    (spelled,) = shlex.split(options({"a_key": value})(None))
    name, _, text = spelled.partition("=")
    assert name == "--a-key" and json.loads(text) == value


@given(st.lists(words))
def test_files_are_one_option(files):
    (spelled,) = shlex.split(paths(files))
    assert json.loads(spelled) == files


def test_a_name_that_snakemake_would_read_as_a_wildcard_is_no_input():
    names = ["a.txt", "b{c}.txt", "<d>.txt", " e.txt", "f\n.txt", "g.txt "]
    assert nameable(names) == ["a.txt"]
    assert folder_of("results/a/b.txt") == "results/a"


def test_the_content_of_files_decides_and_not_their_dates(tmp_path):
    def contents():
        return Contents(tmp_path / "work" / "contents.json").of([str(odd), str(tmp_path / "missing.txt")])(None)

    odd, other = tmp_path / "{draft}.txt", tmp_path / "other.txt"
    odd.write_text("one", encoding="utf-8")
    first = contents()
    os.utime(odd, (1, 1))
    assert contents() == first
    other.write_text("two", encoding="utf-8")
    os.utime(other, (1, 1))
    other.replace(odd)  # as long as the first, and as old
    assert contents() != first
    odd.write_text("one", encoding="utf-8")
    cache = tmp_path / "work" / "contents.json"
    for damaged in ("damaged", "[]", "7", cache.read_text(encoding="utf-8").replace("a", "b")):
        cache.write_text(damaged, encoding="utf-8")
        assert contents() == first


def test_an_unchanged_file_is_read_once(tmp_path, monkeypatch):
    read, file = [], tmp_path / "a.txt"
    hashed = rule_params.sha256_of
    monkeypatch.setattr(rule_params, "sha256_of", lambda path: read.append(path.name) or hashed(path))
    file.write_text("one", encoding="utf-8")
    for _ in range(2):
        Contents(tmp_path / "contents.json").of([str(file)])(None)
    assert read == ["a.txt"]


def test_other_weights_in_a_checkpoints_folder_change_the_param(tmp_path):
    weights = tmp_path / "model {x}" / "model.safetensors"
    weights.parent.mkdir()
    weights.write_bytes(b"one")
    first = state_of_folder(str(weights.parent))
    assert state_of_folder(str(weights.parent)) == first
    weights.write_bytes(b"others")
    assert state_of_folder(str(weights.parent)) != first
    for name in (None, "", "owner/name", "name" * 100):
        assert state_of_folder(name) == "[]"


def test_a_checkpoints_folder_that_cant_be_read_is_left_to_the_step(tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    assert [name for name, *_ in json.loads(state_of_folder(str(tmp_path)))] == ["config.json"]

    def refuse(path, **_):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    for question in ("is_file", "iterdir"):  # a folder without the right to enter, and one without the right to list
        with monkeypatch.context() as one:
            one.setattr(Path, question, refuse)
            assert state_of_folder(str(tmp_path)) == "[]"


def test_another_version_of_a_checkpoints_package_is_another_state():
    assert state_of_folder("package:numpy/core") == metadata.version("numpy")
    for name in ("package:nothing_such/model", "package:/model", "package:"):  # the step says what is wrong with it
        assert state_of_folder(name) == ""


def test_the_digest_of_files_depends_on_their_text_alone(tmp_path):
    files = [tmp_path / "a.smk", tmp_path / "b.smk"]
    for file in files:
        file.write_text(file.name, encoding="utf-8")
    first = digest_of_files(files)
    assert digest_of_files([Path(file) for file in files]) == first
    files[1].write_text("other", encoding="utf-8")
    assert digest_of_files(files) != first


def test_snakemake_makes_an_untracked_param_of_a_jobs_input():
    param = untracked(verbatim("{x} 1"))
    assert Rule._is_deriving_function(param) and not Rule._is_deriving_function(verbatim("1"))
    assert param(None, input=[]) == "{x} 1"
