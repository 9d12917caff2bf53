"""The arithmetic of the benchmarks: targets, medians, operations, tables."""

import json
import re
import struct
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from transformers import AutoModel

from samizdat.checkpoints import sources
from samizdat.models.head_loss import NO_TARGET
from samizdat.models.rows import evaluation_batches

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import czech
import debian
import gpu_workflow
import languages
import languages_checklist
import rates
import record
import report
import report_notebook
import scale
import shakespeare
from record import ROOT, Figure, middle


@pytest.mark.parametrize(
    ("value", "reach", "less_is_better", "met"),
    [(12.0, 12, False, True), (11.9, 12, False, False), (0.04, 0.04, True, True), (0.05, 0.04, True, False),
     (1.0, None, False, None), (np.float64(12), 12, False, True)],
)  # fmt: skip
def test_a_reach_is_met_from_the_right_side(value, reach, less_is_better, met):
    assert Figure("it", value, reach, less_is_better).met is met


def test_the_median_has_its_spread():
    assert middle("it", [3.0, 1.0, 9.0]) == Figure("it", 3.0, None, False, (1.0, 9.0))
    assert middle("it", [3.0, 1.0, 9.0, 5.0]).value == 4.0


def test_operations_are_those_of_gpt2_small():
    # 85 million weights in the blocks' matrices, 38.6 in the head; PaLM's formula by hand.
    found = rates.operations_per_token(layers=12, width=768, context=1024, vocabulary=50257)
    assert found == 6 * (84_934_656 + 38_597_376) + 12 * 12 * 768 * 1024


def test_a_table_replaces_its_own_and_leaves_the_rest(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(record, "PAGE", tmp_path / "benchmarks.md")
    record.PAGE.write_text("# Benchmarks\n\nKept.\n\n## speed\n\nAlso kept.\n", encoding="utf-8")
    record.write("speed", {"fast": middle("how fast", [1.0, 2.0, 12345.6], 2)}, {})
    record.write("size", {"small": Figure("how small", 7.0)}, {})
    record.write("speed", {"fast": middle("how fast", [1.0, 1.5, 12345.6], 2)}, {"note": 1})
    page = record.PAGE.read_text(encoding="utf-8")
    assert page.count("| how fast | 1.5 | 1 to 12,346 | ≥ 2 | no |") == 1 and "| how fast | 2 |" not in page
    assert "| how small | 7 |  |  |  |" in page and "\nKept.\n" in page and page.count("\n## speed\n") == 1
    assert page.index("Also kept.") < page.index("how fast") < page.index("## size")
    saved = json.loads((tmp_path / "results" / "speed.json").read_text(encoding="utf-8"))
    assert saved["figures"]["fast"]["value"] == 1.5 and saved["figures"]["fast"]["met"] is False
    assert saved["versions"]["torch"] and saved["machine"]["processor"] and saved["notes"] == {"note": 1}


def test_a_part_of_a_benchmark_adds_its_rows_and_names_commit_and_machine(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(record, "PAGE", tmp_path / "benchmarks.md")
    record.write("speed", {"fast": Figure("how fast", 1.0), "late": Figure("how late", 3.0)}, {"kept": 1})
    monkeypatch.setattr(record, "commit", lambda: "later")
    record.add(
        "speed", record.record_of({"late": Figure("how late", 4.0), "small": Figure("how small", 7.0)}, {"new": 2})
    )
    path = tmp_path / "results" / "speed.json"
    saved = json.loads(path.read_text(encoding="utf-8"))
    assert {key: row["value"] for key, row in saved["figures"].items()} == {"fast": 1.0, "late": 4.0, "small": 7.0}
    assert saved["commit"] != "later"
    assert saved["notes"] == {"kept": 1, "new": 2, "commits_of_parts": {"late": "later", "small": "later"}}
    assert "| how small | 7 |" in record.PAGE.read_text(encoding="utf-8")
    # A record that was brought from another machine, where git was not.
    elsewhere = record.record_of({"fast": Figure("how fast", 9.0)}, {}) | {"commit": None}
    elsewhere["machine"]["gpu"] = "NVIDIA Z9"
    elsewhere["versions"]["torch"] = "3.0"
    (tmp_path / "brought.json").write_text(json.dumps(elsewhere))
    monkeypatch.setattr(sys, "argv", ["record.py", "speed", str(tmp_path / "brought.json")])
    record.main()
    assert "| how fast (NVIDIA Z9, torch 3.0) | 9 |" in record.PAGE.read_text(encoding="utf-8")
    saved = json.loads(path.read_text(encoding="utf-8"))
    assert saved["machine"]["gpu"] != "NVIDIA Z9" and saved["notes"]["commits_of_parts"]["fast"] == "later"


def test_a_file_of_sayings_becomes_rows_with_their_authors():
    contents = "Žít znamená\nbojovat.\n\t\t-- Seneca\n%\nKdo se bojí,  nesmí do lesa.\n%\nBez jména.\n\t\t-- XY\n%\n\n"
    assert list(czech.sayings("klasik-sk", contents)) == [
        ("Žít znamená bojovat.", "Seneca", "citát", "slovenčina"),
        ("Kdo se bojí, nesmí do lesa.", "", "citát", "slovenčina"),
        ("Bez jména.", "", "citát", "slovenčina"),
    ]
    verse = "Sedí pán při malém pivu,\nve tváři má zděšení.\n\t\t-- Skoumal\n"
    assert next(czech.sayings("vodnansky", verse))[:2] == (
        "Sedí pán při malém pivu,\nve tváři má zděšení.", "Skoumal",
    )  # fmt: skip


def test_a_package_with_another_hash_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(debian, "DOWNLOADS", tmp_path)
    (tmp_path / f"{czech.PACKAGE.name}_{czech.PACKAGE.version}_all.deb").write_bytes(b"other")
    with pytest.raises(SystemExit, match="another SHA-256"):
        czech.PACKAGE.fetch()


def test_messages_of_a_catalogue_are_read_without_access_keys():
    pairs = [("", "head"), ("_Open it", "_Diese Datei jetzt öffnen"), ("one\0many", "eine lange Datei\0zwei"),
             ("Fetch %s", "Hole diese Datei: %s"), ("same text in both of them", "same text in both of them"),
             ("Ok", "Gut"), ("_Save", "今すぐこのファイルを保存する(_S)")]  # fmt: skip
    begin = 28 + 16 * len(pairs)
    tables, strings = [], b""
    for side in (0, 1):
        for pair in pairs:
            encoded = pair[side].encode()
            tables.append(struct.pack("<2I", len(encoded), begin + len(strings)))
            strings += encoded + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0)
    assert list(languages.translations(head + b"".join(tables) + strings)) == [
        "Diese Datei jetzt öffnen", "今すぐこのファイルを保存する",
    ]  # fmt: skip


def test_only_what_readers_see_of_a_page_is_searched_for_what_is_false():
    page = '<style>nan</style><p title="None">None of 5&nbsp;texts</p><code>None</code><td>0 of 0</td>'
    seen = languages_checklist.visible_text(page)
    assert [match[0] for match in re.finditer(languages_checklist.FALSE, seen)] == ["0 of 0"]


def test_bytes_that_differ_are_counted():
    assert report.differing_bytes(b"same", b"same") == 0
    assert report.differing_bytes(b"abcd", b"abXdEF") == 3


def test_what_quarto_has_and_the_embedded_page_lacks_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "sans_serif", lambda: "DejaVu Sans")
    pages = []
    for renderer, names in (("embedded", "sec-a tbl-c"), ("quarto", "sec-a fig-b tbl-c")):
        path = tmp_path / f"{renderer}.html"
        path.write_text(" ".join(f'<p id="{name}">' for name in names.split()), encoding="utf-8")
        pages.append(report.Page("demo", renderer, path))
    assert report.compare(pages) == ["demo: fig-b"]
    figures = report.figures_of(
        pages, {"vanished": ["x"]}, {"embedded": 0, "quarto": 0}, ["demo: fig-b"], {"demo, embedded": 14_001}
    )
    assert [key for key, figure in figures.items() if not figure.met] == [
        "hostile_strings",
        "page_height",
        "lacking",
    ]


def test_what_is_seen_of_a_notebook_is_counted_for_each_program_that_showed_it():
    seen = report_notebook.Seen({"Markdown viewer": [], "JupyterLab": [":::"]}, ["<b>"], lost=2, said_so=1, opened=3)
    figures = report_notebook.figures_of(seen, ["demo"], 4)
    assert {key: figure.value for key, figure in figures.items()} == {
        "raw_syntax_source": 0, "raw_syntax_jupyterlab": 1, "notebook_differing_bytes": 4, "jupyterlab_hostile": 1,
        "jupyterlab_lost": 2, "jupyterlab_unsaid": 2,
    }  # fmt: skip
    without_lab = report_notebook.figures_of(report_notebook.Seen({"Markdown viewer": []}), ["demo"], 0)
    assert set(without_lab) == {"raw_syntax_source", "notebook_differing_bytes"}


def test_the_packages_for_a_gpu_machine_are_in_the_lock():
    names = [line for line in (ROOT / "benchmarks" / "gpu_workflow.txt").read_text().splitlines() if line[0] != "#"]
    locked = re.findall(r"^([a-z0-9.-]+)==", (ROOT / "envs" / "lock.txt").read_text(), flags=re.MULTILINE)
    assert names == sorted(names) and set(names) <= set(locked)


def test_an_encoder_that_is_not_installed_gets_the_same_random_weights_twice(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu_workflow, "ENCODER", "not_installed")
    files = tmp_path / "encoder"
    files.mkdir()
    shape = {"vocab_size": 30, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    (files / "config.json").write_text(json.dumps({"model_type": "bert", **shape}), encoding="utf-8")
    said = [gpu_workflow.stand_in(tmp_path / name, files) for name in ("first", "second")]
    assert said[0] == said[1] and "random weights" in said[0]
    weights = [tmp_path / name / "not_installed" / "model" / "model.safetensors" for name in ("first", "second")]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    monkeypatch.syspath_prepend(tmp_path / "first")
    assert metadata.version("not_installed") == "0.1.0+random.weights"
    found = sources.locate("package:not_installed/model", None)
    _, told = AutoModel.from_pretrained(found.path, output_loading_info=True)
    assert not told["missing_keys"] and not told["unexpected_keys"]


def test_the_interpreter_answers_to_python_where_only_python3_is_there(tmp_path, monkeypatch):
    alone = tmp_path / "bin" / "python3"
    alone.parent.mkdir()
    alone.symlink_to(sys.executable)
    monkeypatch.setattr(sys, "executable", str(alone))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    environment = gpu_workflow.environment_with(tmp_path / "tree", tmp_path / "stands")
    done = subprocess.run("python -c 'print(6 * 7)'", shell=True, env=environment, capture_output=True, text=True)
    assert done.stdout == "42\n" and environment["PYTHONPATH"] == f"{tmp_path}/tree/workflow:{tmp_path}/stands"


def test_a_run_from_nothing_keeps_only_the_archives(tmp_path):
    carried, tree = tmp_path / "carried", tmp_path / "tree"
    for path in ("work/demo/model/usage.json", "results/demo/x", "logs/demo/y"):
        (tree / path).parent.mkdir(parents=True)
        (tree / path).write_text('{"elapsed_seconds": 2.5}', encoding="utf-8")
    carried.mkdir()
    (carried / "texts-1.tar.gz").write_bytes(b"archive")
    assert gpu_workflow.jobs(tree) == {"demo/model": {"elapsed_seconds": 2.5}}
    gpu_workflow.clear(tree, carried)
    assert [path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file()] == [
        "work/downloads/texts.tar.gz"
    ]


def test_every_test_that_a_benchmark_or_a_page_names_is_there():
    files = [*ROOT.glob("benchmarks/*.py"), *ROOT.glob("docs/*.md")]
    named = {
        found for file in files for found in re.findall(r"(tests/[\w/]+\.py)(?:::(\w+))?", file.read_text("utf-8"))
    }
    assert ("tests/integration/test_tiny_run.py", "") in named
    for path, function in named:
        assert not function or f"def {function}(" in (ROOT / path).read_text("utf-8"), (path, function)
        assert (ROOT / path).is_file(), path


def test_of_characters_and_of_speeches_each_letter_of_the_last_tenth_is_predicted_once(tmp_path):
    play = shakespeare.Play("BEN:\nrain\n\nEVA:\nsun" * 20, "\n\nBEN:\nno sun\n\nEVA:\nno.\n")
    shakespeare.write_characters(play, tmp_path / "characters")
    summary = json.loads((tmp_path / "characters" / "summary.json").read_text(encoding="utf-8"))
    stream = np.fromfile(tmp_path / "characters" / "tokens" / "validation.bin", "<u2")
    rows = np.concatenate(
        [*evaluation_batches(stream, boundary=summary["boundary_token_id"], context_tokens=8, rows=2)]
    )
    letters = sorted(set(play.train + play.validation))
    assert "".join(letters[number] for number in rows[:, 1:].flatten() if number != NO_TARGET) == play.validation
    assert letters[rows[0, 0]] == play.train[-1] and summary["utf8_bytes"]["validation"] == len(play.validation)
    shakespeare.write_speeches(play, 300, tmp_path / "speeches")
    summary = json.loads((tmp_path / "speeches" / "summary.json").read_text(encoding="utf-8"))
    # The blank lines and the ends of the file are no bytes of texts; their boundaries are among the tokens.
    assert summary["utf8_bytes"]["validation"] == len("BEN:\nno sun" + "EVA:\nno.")
    stream = np.fromfile(tmp_path / "speeches" / "tokens" / "validation.bin", summary["token_dtype"])
    assert (stream == summary["boundary_token_id"]).sum() == 2


def test_another_text_is_no_tiny_shakespeare(tmp_path):
    (tmp_path / "input.txt").write_text("To be, or not", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"input\.txt is not tinyshakespeare/input\.txt"):
        shakespeare.Play.read(tmp_path / "input.txt")


def test_a_made_up_corpus_has_its_lengths_and_no_two_texts_alike():
    texts = [text for text, _ in scale.made_up(300)]
    assert len(set(texts)) == 300 and sum(len(text) > 15_000 for text in texts) == 3
    assert all(50 <= len(text) <= 151 for text in texts if len(text) < 15_000)


def test_growth_is_of_the_steps_that_take_long_and_of_time_a_text():
    def run(texts: int, gib: float = 1.0, **seconds: float) -> dict:
        steps = {step: {"seconds": value, "gib": gib} for step, value in seconds.items()}
        return {"corpus_megabytes": 1.0, "seconds": 9.0, "again_seconds": 1.0, "page_megabytes": 1.0, "steps": steps}

    runs = {10: run(10, corpus=20.0, page=1.0), 100: run(100, corpus=300.0, page=90.0)}
    figures = scale.figures_of(runs)
    assert figures["growth to 100"].value == 1.5 and "corpus" in figures["growth to 100"].meaning
    figures = scale.figures_of(runs | {1000: run(1000, gib=1.5, corpus=2000.0, page=1.0)})
    assert figures["growth to 1000"].value == 1.0 and figures["gib growth to 1000"].value == 1.5
