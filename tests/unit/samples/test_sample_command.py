"""`samizdat sample`: what a person sees who types a prompt."""

import json
import os
import pty
import select
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from samizdat.cli import main
from samizdat.records.io import read_table
from samizdat.records.samples import SAMPLES
from samizdat.samples.generate_samples import SamplingSettings, generate_samples
from support import warm_python
from support.small_model import write_run_of_a_model

SETTINGS = SamplingSettings(
    samples_per_prompt=2, held_out_prompts=0, held_out_prompt_words=2, unprompted_samples=0, temperatures=(0.7, 1.0),
    top_k=0, top_p=0.95, repetition_penalty=1.1, no_repeat_ngram=0, max_new_tokens=20, slots=4,
)  # fmt: skip
WORKFLOW = Path(__file__).parents[3] / "workflow"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A folder with `results/small`, of one model and its samples."""
    root = tmp_path_factory.mktemp("cli")
    folder = root / "results" / "small"
    write_run_of_a_model(folder, asdict(SETTINGS) | {"temperatures": list(SETTINGS.temperatures)})
    generate_samples(
        SETTINGS, "m", ("", "letter 3"), (50, 100), folder / "models" / "m", folder / "texts.parquet",
        folder / "samples.parquet", "cpu", threads=1, seed=9,
    )  # fmt: skip
    return root


def run(root, *options, typed=None, environment=None):
    """Run the command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", "from samizdat.cli import main; main()", "sample", "--run", "small", *options],
        cwd=root, env=environment or warm_python.programs_environment(), input=typed, capture_output=True, check=False,
    )  # fmt: skip


@pytest.fixture
def at(results, monkeypatch):
    monkeypatch.chdir(results)


def said(capfd, *options):
    main(["sample", "--run", "small", *options])
    return capfd.readouterr().out


def test_a_sample_of_the_report_is_written_again(at, capfd):
    samples = read_table(Path("results/small/samples.parquet"), SAMPLES)
    rows = samples.drop_duplicates(["percent", "prompt", "temperature"]).to_dict("records")
    assert len(rows) == 8 and any("\n" not in row["text"] for row in rows)
    for row in rows:
        options = ["--percent", str(row["percent"]), "--temperature", f"{row['temperature']:g}"]
        written = said(capfd, *options, "--seed", str(row["seed"]), row["prompt"])
        # Shown is what can't be seen, too; what can be compared is the visible rest.
        assert "".join(filter(str.isalnum, written)) == "".join(filter(str.isalnum, row["text"]))


def test_every_setting_of_the_config_can_be_changed(at, capfd):
    # One that does not end after some tokens, which is how the settings could tell.
    seed = next(str(seed) for seed in range(5, 50) if len(said(capfd, "--seed", str(seed), "letter")) > 30)
    usual = said(capfd, "--seed", seed, "letter")
    assert usual.startswith("letter") and usual == said(capfd, "--seed", seed, "letter")
    for option in (
        ["--temperature", "1.9"], ["--top-k", "1"], ["--top-p", "0.01"], ["--max-new-tokens", "3"], ["--percent", "50"],
    ):  # fmt: skip
        assert said(capfd, "--seed", seed, *option, "letter") != usual, option
    assert said(capfd, "--seed", "4", "letter") != usual
    greedy = said(capfd, "--temperature", "0", "--repetition-penalty", "1", "letter")
    assert greedy == said(capfd, "--temperature", "0", "--repetition-penalty", "1", "--seed", "7", "letter")
    assert said(capfd, "--temperature", "0", "--repetition-penalty", "1", "--no-repeat-ngram", "1", "letter") != greedy


def test_what_is_piped_in_and_out_is_lines_of_valid_text_without_controls(results):
    done = run(results, "--temperature", "1.8", typed="letter 1\n\n\x1b[31mred ein sch\u00f6ner\n".encode())
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode("utf-8", errors="strict")
    assert text.startswith("letter 1") and "␛[31mred ein schöner" in text
    assert not [character for character in text if character < " " and character != "\n"]


def test_a_mark_of_the_encoding_is_no_letter_of_a_prompt(results):
    marked, plain = (run(results, typed=mark + b"letter\n") for mark in (b"\xef\xbb\xbf", b""))
    assert marked.returncode == 0 and marked.stdout == plain.stdout


@pytest.mark.parametrize("content", [b"", b"{", b"\xff{}"])
def test_a_damaged_config_is_told(at, capfd, monkeypatch, tmp_path, content):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "results" / "small" / "config.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(SystemExit) as error:
        said(capfd, "x")
    message = capfd.readouterr().err
    assert error.value.code == 1 and "config.json is damaged" in message and "bug" not in message


@pytest.mark.parametrize("change", [None, {"models": 7}, {"sampling": {}}, {"sampling": []}, {"threads": None}])
def test_a_config_of_another_version_is_told_as_such(results, capfd, monkeypatch, tmp_path, change):
    """Such as that of a bundle that somebody sent, which has no checksum beside it."""
    monkeypatch.chdir(tmp_path)
    config = json.loads((results / "results" / "small" / "config.json").read_text(encoding="utf-8"))
    path = tmp_path / "results" / "small" / "config.json"
    path.parent.mkdir(parents=True)
    changed = {key: value for key, value in (config | (change or {})).items() if value is not None}
    path.write_text(json.dumps(changed if change else []), encoding="utf-8")
    with pytest.raises(SystemExit):
        said(capfd, "x")
    message = capfd.readouterr().err
    assert "another version made the run" in message and "bug" not in message


@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json", "config.json"])
def test_a_file_that_somebody_deleted_is_named_with_the_command_that_makes_it(
    results, capfd, monkeypatch, tmp_path, file
):
    shutil.copytree(results / "results", tmp_path / "results")
    (tmp_path / "results" / "small" / "models" / "m" / file).unlink()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        said(capfd, "x")
    message = capfd.readouterr().err
    assert f"results/small/models/m/{file} is missing" in message and "make it with" in message


def test_a_training_with_another_seed_and_a_prompt_as_long_as_can_be(results, at, capfd):
    copy = shutil.copytree(Path("results/small/models/m"), Path("results/small/models/m.seed2"))
    assert said(capfd, "--model", "m.seed2", "letter") == said(capfd, "letter")
    shutil.rmtree(copy)
    assert said(capfd, "/" * 30).startswith("/" * 30)
    with pytest.raises(SystemExit):
        said(capfd, "/" * 31)
    assert "has 31 tokens; the model can continue at most 30" in capfd.readouterr().err


@pytest.mark.parametrize("form", ["utf-8:strict", "utf-8:surrogateescape"])
def test_a_file_of_prompts_that_is_no_utf_8_is_refused(results, monkeypatch, form):
    monkeypatch.setenv("PYTHONIOENCODING", form)
    done = run(results, typed=b"letter\nBront\xe9 au lait\n")
    assert done.returncode == 1 and done.stdout.decode().startswith("letter")
    assert "the byte 0xE9 after 'Bront'" in done.stderr.decode() and b"UTF-8" in done.stderr


def test_at_a_terminal_it_asks_until_the_input_ends_and_after_a_prompt_that_is_too_long(results):
    ours, theirs = pty.openpty()
    environment = warm_python.programs_environment() | {"TERM": "dumb"}
    process = subprocess.Popen(
        [sys.executable, "-c", "from samizdat.cli import main; main()", "sample", "--run", "small"],
        cwd=results, env=environment, stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    shown = b""

    def read_until(wanted, times=1):
        nonlocal shown
        while shown.count(wanted) < times and select.select([ours], [], [], 60)[0]:
            try:
                part = os.read(ours, 4096)
            except OSError:  # Linux says so when the other side is closed
                return
            if not part:
                return
            shown += part

    call = "› ".encode()
    read_until(call)
    os.write(ours, b"letter 7\n")
    read_until(call, times=2)
    os.write(ours, b"letter " * 40 + b"\n")
    read_until(call, times=3)
    os.write(ours, b"\x04")
    assert process.wait() == 0
    os.close(ours)
    text = shown.decode()
    assert "Ctrl-D ends" in text and text.count("› ") == 3 and text.count("letter 7") >= 2
    assert "80 tokens; the model can continue at most 30" in text and "shorten it" in text


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--run", "other", "x"], ["results/other", "name one of small"]),
        (["--run", "results/small", "x"], ["results/results/small", "name one of small"]),
        (["--model", "n", "x"], ["'n'", "name one of m, m.seed2"]),
        (["--percent", "30", "x"], ["30 %", "50, 100"]),
        (["--top-p", "0", "x"], ["--top-p is 0", "above 0"]),
        (["--top-p", "1.5", "x"], ["--top-p is 1.5", "above 0 and at most 1"]),
        (["--top-p", "nan", "x"], ["--top-p is nan", "above 0 and at most 1"]),
        (["--slots", "0", "x"], ["--slots is 0", "1 or more"]),
        (["--seed", "-1", "x"], ["--seed is -1", "0 or more"]),
        (["--no-repeat-ngram", "-2", "x"], ["--no-repeat-ngram is -2", "0 or more"]),
        (["--temperature", "-1", "x"], ["--temperature is -1", "0 or more"]),
        (["--temperature", "inf", "x"], ["--temperature is inf", "a number that is 0 or more"]),
        (["--device", "gpu", "x"], ["--device is gpu", "auto, cpu, cuda, mps"]),
        (["letter " * 40], ["80 tokens; the model can continue at most 30", "shorten"]),
        (["Bront\udce9"], ["the byte 0xE9 after 'Bront'", "UTF-8"]),
        (["--temperature", "inf", "x"], ["--temperature is inf", "0 or more and at most 1000"]),
    ],
)
def test_what_can_not_be_done_is_said(at, capfd, options, named):
    with pytest.raises(SystemExit) as error:
        main(["sample", "--run", "small", *options])
    assert error.value.code == 1
    message = capfd.readouterr().err
    assert all(part in message for part in named) and "Traceback" not in message


def test_a_model_that_is_not_trained_yet_is_told(at, capfd, monkeypatch, tmp_path):
    shutil.copytree("results/small", tmp_path / "results" / "small", ignore=shutil.ignore_patterns("summary.json"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        said(capfd, "x")
    message = capfd.readouterr().err
    assert "the model 'm' isn't trained yet" in message and "train it with `make report CONFIG=…`" in message


def test_a_line_that_is_no_utf_8_is_told(results):
    for handler in ("strict", "surrogateescape"):
        environment = warm_python.programs_environment() | {"PYTHONIOENCODING": f"utf-8:{handler}"}
        done = run(results, typed=b"Bront\xe9\n", environment=environment)
        assert done.returncode == 1 and b"no UTF-8" in done.stderr and b"bug" not in done.stderr


def test_what_is_wrong_is_said_before_torch_is_loaded(results):
    program = (
        "import sys\nfrom samizdat.cli import main\n"
        "try:\n    main(['sample', '--run', 'small', '--percent', '30', 'x'])\n"
        "finally:\n    print('torch' in sys.modules)"
    )
    environment = os.environ | {"PYTHONPATH": str(WORKFLOW)}
    done = subprocess.run([sys.executable, "-c", program], cwd=results, env=environment, capture_output=True, text=True)
    assert done.returncode == 1 and "30 %" in done.stderr and done.stdout == "False\n"
