"""Runs compared: what differs, which model is better where it is shown, and every statistic side by side."""

import copy
import dataclasses
import re
import shutil
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest

from samizdat.base.errors import UserError
from samizdat.base.language import speaking
from samizdat.cli import main
from samizdat.comparison import contents, side_by_side
from samizdat.comparison.compare import _notebook, names_of
from samizdat.comparison.side_by_side import VALUES, lines
from samizdat.records.corpus import TEXTS
from samizdat.records.io import read_table, write_table
from samizdat.records.models import TEST_LOSSES
from samizdat.records.statistics import STATISTICS
from samizdat.reporting.run import Run
from support.run_fixture import ROOT, make_run, sentences, write_manifest

OF_FIRST = sentences(480)


def others(number):
    """Make sentences that the first run doesn't have."""
    return [f"other {sentence}" for sentence in sentences(number, seed=5)]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Two runs: the second has another seed, another model, and half of the first one's texts, with others."""
    base = tmp_path_factory.mktemp("results")
    one = make_run(base / "one", texts=OF_FIRST)
    other = make_run(base / "other", texts=OF_FIRST[:240] + others(240), models=("large",), seed=7)
    return one, other


@pytest.fixture
def finished(folders):
    """The two runs, of which neither model is better, as runs that were made with these losses."""
    one, other = folders
    noise = np.random.default_rng(3).normal(0, 0.3, 120)
    set_bits(one, "gpt2-tiny", lambda number: 2.0)
    set_bits(other, "large", lambda number: 2.0 + noise[number])
    for folder in folders:
        write_manifest(folder, Run(folder).config, {"data/letters.txt": "0" * 64})
    return folders


def changed(folder: Path, **values) -> Run:
    """A run with other values in its manifest."""
    run = Run(folder)
    run.manifest = dataclasses.replace(run.manifest, **values)
    run.config = run.manifest.config
    return run


def set_bits(folder: Path, model: str, bits) -> None:
    """Let a model need `bits(number of the text)` for each byte of the test texts."""
    texts = read_table(folder / "corpus" / "texts.parquet", TEXTS)
    own = texts.loc[texts["split"] == "test", "text"]
    nats = [len(text.encode()) * bits(number) * np.log(2) for number, text in enumerate(own)]
    frame = pd.DataFrame({"nats": nats, "tokens": np.full(len(nats), 3, np.int32)})
    frame["token_nats"] = [np.full(3, one / 3, np.float32) for one in nats]
    write_table(frame, TEST_LOSSES, folder / "models" / model / "test_losses.parquet")


def opened(*folders):
    return {folder.name: Run(folder) for folder in folders}


def test_a_better_model_is_named_and_its_difference_is_of_the_shared_texts_alone(folders):
    one, other = folders
    # On the texts that both hold out the second model needs a bit less; on its own others it needs much more.
    set_bits(one, "gpt2-tiny", lambda number: 2.0 + number % 3 / 10)
    set_bits(other, "large", lambda number: (1.0 if number < 60 else 9.0) + number % 3 / 10)
    said = contents.opening(opened(one, other)).markdown
    assert "share 60\u00a0held-out texts, of 30\u00a0documents" in said
    assert re.search(r"\*\*Better:\*\* .*other: large.* 1\.000\u00a0bits per byte less than .*one: gpt2-tiny", said)
    row = contents.differences(opened(one, other)).markdown.splitlines()[2]
    assert "| 1.000 | 1.000 to 1.000 |" in row and "the second is better" in row and "| documents |" in row
    # The other way round the sign changes, and the verdict does not.
    assert "the first is better" in contents.differences(opened(other, one)).markdown


def test_models_that_these_texts_do_not_tell_apart_are_not_decisive(finished):
    said = contents.opening(opened(*finished)).markdown
    assert "**Not decisive:**" in said and "**Better:**" not in said
    assert "not decisive" in contents.differences(opened(*finished)).markdown


def test_models_are_not_compared_where_a_tokenizer_loses_characters_that_the_other_keeps(folders):
    one, other = folders
    set_bits(one, "gpt2-tiny", lambda number: 2.0 + number % 3 / 10)
    set_bits(other, "large", lambda number: 1.0 + number % 3 / 10)
    runs = opened(one, other)
    assert "**Better:**" in contents.opening(runs).markdown
    runs["other"].tokenizers["own"].changed["test"] = 7
    said = contents.opening(runs).markdown
    assert "**Not comparable:** “<bdi>one: gpt2-tiny</bdi>” and" in said and "**Better:**" not in said
    assert "| not comparable |" in contents.differences(runs).markdown
    # Those with the same tokenizer lose the same.
    runs["one"].tokenizers["own"].changed["test"] = 7
    assert "**Better:**" in contents.opening(runs).markdown


def test_with_few_or_no_shared_texts_there_is_no_verdict(folders, tmp_path):
    one, _ = folders
    strangers = make_run(tmp_path / "strangers", texts=others(40), labels={})
    runs = opened(one, strangers)
    assert "share no held-out text" in contents.opening(runs).markdown
    assert "no shared held-out text" in contents.differences(runs).markdown
    few = make_run(tmp_path / "few", texts=OF_FIRST[:16], labels={})
    said = contents.opening(opened(one, few)).markdown
    assert "fewer than 20 documents, too few for a verdict" in said and "**Not known:**" in said
    assert "| too few documents |" in contents.differences(opened(one, few)).markdown


def test_what_differs_is_listed_and_nothing_else(folders):
    runs = opened(*folders)
    keys = re.findall(r"^\| <code>(\S+)</code>", contents.settings(runs).markdown, re.MULTILINE)
    assert {key.partition("&")[0] for key in keys} == {"name", "models", "seed"}
    assert contents.code_used(runs).markdown == "All runs were made by the same commit, Python and packages."
    rows = dict(re.findall(r"^\| ([a-z ]+) \| (.+) \|$", contents.corpora(runs).markdown, re.MULTILINE))
    assert rows["texts"] == "480 | 480" and rows["texts that all runs have"] == "240 | 240"
    assert rows["all texts are shared"] == "no | no"


def test_values_that_differ_behind_what_a_cell_has_room_for_differ(folders):
    one = Run(folders[0])
    runs = {
        name: changed(folders[0], config=one.config | {"title": "long " * 90 + end})
        for name, end in {"one": "first", "other": "second", "third": "second"}.items()
    }
    (row,) = [row for row in contents.settings(runs).markdown.splitlines() if "title" in row]
    assert "first" in row and row.count("second") == 2


def test_code_that_is_in_no_commit_is_listed_though_its_commit_has_one_name(folders):
    edited = {name: changed(folders[0], clean=False) for name in ("one", "other")}
    shown = contents.code_used(edited).markdown
    assert "All runs were made" not in shown and shown.count("with changes that are in no commit") == 2
    outside = {name: changed(folders[0], clean=False, commit="unknown") for name in ("one", "other")}
    row = contents.code_used(outside).markdown.splitlines()[2]
    assert row.count("unknown") == 2 and "with changes" not in row


def test_every_table_of_statistics_is_side_by_side(folders):
    left_out = {"examples", "model_differences", "terms"}
    assert VALUES.keys() >= STATISTICS.keys() - left_out
    runs = opened(*folders)
    found = {one: lines(run) for one, run in runs.items()}
    accuracy = next(row for row in Run(folders[0]).quality.to_dict("records") if row["metric"] == "accuracy")
    key = ("quality", *(accuracy[column] for column in ("classifier", "label_column", "method", "metric")))
    assert found["one"][key] == (accuracy["value"], accuracy["low"], accuracy["high"])
    for run in runs.values():
        frames = [read_table(run.folder / "statistics" / f"{name}.parquet", STATISTICS[name])
                  for name in STATISTICS if name not in left_out]  # fmt: skip
        rows = sum(frame[VALUES[name]].notna().sum() for name, frame in
                   zip([name for name in STATISTICS if name not in left_out], frames, strict=True))  # fmt: skip
        of_statistics = [one for one in lines(run) if one[0] in STATISTICS]
        assert len(of_statistics) == rows, "two rows have one key"
    shown = contents.statistics(runs).markdown
    (fits,) = [row for row in shown.splitlines() if "fitness" in row and "sentiment" in row and "no&#95;label" in row]
    assert re.search(r"\| \d+ \| \d+ \|$", fits), "a count has no decimals"
    assert f"{accuracy['value']:.3f} [{accuracy['low']:.3f}, {accuracy['high']:.3f}]" in shown


def test_long_names_of_a_statistic_are_cut_one_by_one(folders, monkeypatch):
    keys = {("quality", "c" * 110, end): (1.5, 1.0, 2.0) for end in ("accuracy", "f1")}
    monkeypatch.setattr(contents, "lines", lambda run: keys | {("rater_quality", "drawn"): (23703, np.nan, np.nan)})
    shown = contents.statistics(opened(*folders)).markdown
    assert "accuracy" in shown and "f1" in shown and "| 23,703 | 23,703 |" in shown


def test_counts_in_a_column_of_other_numbers_are_counts(folders, monkeypatch):
    rows = pd.DataFrame({"question": ["mood"] * 2, "metric": ["drawn", "accuracy"], "value": [200.0, 1.0]})
    monkeypatch.setattr(side_by_side, "read_table", lambda path, schema: rows.reindex(columns=schema.names))
    found = dict(side_by_side._of_table(Run(folders[0]), "rater_quality"))
    assert [type(line[0]) for line in found.values()] == [int, float]


def test_a_bundle_without_texts_is_refused_by_name(finished, tmp_path, capsys):
    without = shutil.copytree(finished[1], tmp_path / "results")
    (without / "corpus" / "texts.parquet").unlink()
    with pytest.raises(SystemExit):
        main(["compare", str(finished[0]), str(without), "--out", str(tmp_path / "out")])
    assert f"{without} lacks corpus/texts.parquet, as a bundle without texts does" in capsys.readouterr().err


@pytest.mark.parametrize("key", ["report_language", "statistics.confidence"])
def test_a_run_of_another_version_is_named_with_what_to_do(finished, tmp_path, capsys, key):
    older = shutil.copytree(finished[1], tmp_path / "older")
    config = copy.deepcopy(Run(older).config)
    section, _, inner = key.rpartition(".")
    del (config[section] if section else config)[inner]
    write_manifest(older, config, {"data/letters.txt": "0" * 64})
    with pytest.raises(SystemExit):
        main(["compare", str(finished[0]), str(older), "--out", str(tmp_path / "out")])
    said = capsys.readouterr().err
    assert f"{older} was made by another version" in said and f"'{inner}' is a required property" in said
    assert "make it again" in said and f"git checkout {'0' * 40}" in said and "Traceback" not in said


def test_page_and_notebook_are_written_and_a_changed_run_is_refused(finished, tmp_path, monkeypatch, capsys):
    folders = finished
    monkeypatch.chdir(ROOT)
    out = tmp_path / "comparison"
    main(["compare", *map(str, folders), "--out", str(out)])
    assert "The comparison of 2 runs is in" in capsys.readouterr().out
    page, notebook = (out / "report.html").read_text(encoding="utf-8"), nbformat.read(out / "report.ipynb", 4)
    assert "Comparison of one, other" in page and "Every statistic" in page
    words = re.sub(r"<[^>]+>", "", page)
    assert re.search(r"Not decisive: .one: gpt2-tiny. and .other: large. are 0\.\d{3}\sbits per byte apart", words)
    # No caption is over a sentence.
    assert "All runs were made by the same commit" in page and "Code and packages that differ" not in page
    assert "Keys of the config that differ" in page
    assert str(folders[0]) not in page and str(folders[0]) not in nbformat.writes(notebook)
    assert not [cell for cell in notebook.cells for output in cell.get("outputs", ()) if output.output_type == "error"]

    # One that was edited is not lost when the comparison is written again.
    (out / "report.ipynb").write_text("mine", encoding="utf-8")
    main(["compare", *map(str, folders), "--out", str(out)])
    assert [path.read_text(encoding="utf-8") for path in out.glob("report.edited*.ipynb")] == ["mine"]
    assert not list(out.glob("report.edited*.html"))
    capsys.readouterr()

    with pytest.raises(SystemExit):
        main(["compare", str(folders[0]), str(folders[0]), "--out", str(out)])
    assert "there must be two or more, and none twice" in capsys.readouterr().err
    set_bits(folders[1], "large", lambda number: 5.0)
    with pytest.raises(SystemExit):
        main(["compare", *map(str, folders), "--out", str(out)])
    assert "is not the file that" in capsys.readouterr().err


def test_notebook_and_cells_are_in_the_language_of_the_first_run(folders, tmp_path):
    czech = make_run(tmp_path / "czech", texts=OF_FIRST[:40], labels={}, report_language="cs")
    document = ROOT / "report" / "comparison" / "index.qmd"
    notebook = _notebook(document, [Run(one).manifest for one in (czech, folders[0])], (czech, folders[0]), tmp_path)
    source = "\n".join(cell.source for cell in notebook.cells)
    assert "lang: cs" in source and "title: 'Srovnání běhů: czech, one'" in source and '<meta name="words"' in source
    assert "## Který model je lepší {#sec-verdicts}" in source and "contents.opening(runs)" in source
    with speaking("en"):
        runs = contents.open_runs({"czech": str(czech), "one": str(folders[0])})
        assert "nejsou" in contents.opening(runs).markdown or "Společné" in contents.opening(runs).markdown


def test_what_is_no_run_and_a_folder_of_a_run_are_refused(finished, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    (tmp_path / "their.zip").touch()
    for bundle, told in (("their.zip", "is no finished run"), ("mistyped", "there is no run")):
        with pytest.raises(SystemExit):
            main(["compare", str(finished[0]), str(tmp_path / bundle), "--out", str(tmp_path / "out")])
        said = capsys.readouterr().err
        assert told in said and ("unpack a bundle first" in said) == bundle.endswith(".zip")
    for out in (finished[0], finished[0] / "report", finished[1] / "corpus"):
        with pytest.raises(SystemExit):
            main(["compare", *map(str, finished), "--out", str(out)])
        assert "give another folder with --out" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["compare", *map(str, finished), "--out", str(tmp_path / "their.zip")])
    assert "their.zip can't be made a folder: File exists" in capsys.readouterr().err
    assert not (tmp_path / "out").exists() and not (finished[0] / "report.html").exists()


def test_runs_of_one_name_are_told_apart(folders):
    manifests = [Run(folders[number]).manifest for number in (0, 1, 0)]
    assert names_of(manifests) == ["one-1", "other", "one-3"]
    # A name that is made is no other run's.
    for names, found in (
        (["demo", "demo", "demo-2"], ["demo-1", "demo-3", "demo-2"]),
        (["a", "a", "a-1", "a-3", "a"], ["a-2", "a-4", "a-1", "a-3", "a-5"]),
    ):
        assert names_of([dataclasses.replace(manifests[0], run=name) for name in names]) == found
    with pytest.raises(UserError, match=r"manifest\.json is missing"):
        Run(folders[0] / "corpus")
