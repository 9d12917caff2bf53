"""Options of a stage whose value is a number or a word, such as `auto`."""

import json
import subprocess
import sys
from typing import Literal

import pytest

from samizdat.base import stage


def _stage(share: int | Literal["auto"], compiled: bool | Literal["auto"], most: int | None, rate: float) -> str:
    given.append((share, compiled, most, rate))
    return ""


given: list[tuple] = []


def call(folder, monkeypatch, **options) -> tuple:
    """What the stage is given when a command line has these options."""
    monkeypatch.setattr(stage.os, "_exit", lambda status: None)
    given.clear()
    words = {"share": "3", "compiled": "true", "most": "null", "rate": "2"} | options
    frame = {"work": folder / "work", "log": folder / "log", "title": "it"}
    stage.run(_stage, [f"--{name}={value}" for name, value in (words | frame).items()])
    return given[0]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, (3, True, None, 2.0)),
        ({"share": "auto", "compiled": "auto"}, ("auto", "auto", None, 2.0)),
        ({"share": "1", "compiled": "false", "most": "4"}, (1, False, 4, 2.0)),
        ({"rate": "0.5"}, (3, True, None, 0.5)),
    ],
)
def test_a_word_or_a_number_is_taken_for_what_it_is(tmp_path, monkeypatch, options, expected):
    found = call(tmp_path, monkeypatch, **options)
    assert found == expected and [type(one) for one in found] == [type(one) for one in expected]


@pytest.mark.parametrize(
    "wrong",
    [
        {"share": "many"}, {"share": '"auto"'}, {"share": "1.5"}, {"share": "true"}, {"share": "null"}, {"share": ""},
        {"compiled": "1"}, {"compiled": "yes"}, {"most": "auto"}, {"rate": "auto"}, {"rate": "true"},
    ],
    ids=str,
)  # fmt: skip
def test_other_words_are_refused_with_the_options_name(tmp_path, monkeypatch, capsys, wrong):
    with pytest.raises(SystemExit) as end:
        call(tmp_path, monkeypatch, **wrong)
    (name,) = wrong
    assert end.value.code == 2 and not given
    assert f"argument --{name}: invalid" in capsys.readouterr().err


def test_a_long_value_may_be_on_the_standard_input(tmp_path):
    paths = [f"results/demo/models/m{number}/model.safetensors" for number in range(5000)]
    program = (
        "from pathlib import Path; from samizdat.base import stage\n"
        "def count(paths: tuple[Path, ...]) -> str: return f'{len(paths)} {paths[-1]}'\n"
        "stage.run(count)"
    )
    frame = ["--work=work", "--log=log", "--title=it"]
    command = [sys.executable, "-c", program, "--paths=-", *frame]
    done = subprocess.run(command, cwd=tmp_path, input=json.dumps(paths), capture_output=True, text=True)
    assert done.returncode == 0 and f": 5000 {paths[-1]}\n" in done.stderr, done.stderr
