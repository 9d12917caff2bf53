"""Runs compared: what differs, which model is better where it is shown, and every statistic side by side."""

import re
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest

from samizdat.base.errors import UserError
from samizdat.base.language import speaking
from samizdat.cli import main
from samizdat.comparison import contents
from samizdat.comparison.compare import _notebook
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


def test_models_that_these_texts_do_not_tell_apart_are_not_decisive(folders):
    one, other = folders
    random = np.random.default_rng(3)
    noise = random.normal(0, 0.3, 120)
    set_bits(one, "gpt2-tiny", lambda number: 2.0)
    set_bits(other, "large", lambda number: 2.0 + noise[number])
    said = contents.opening(opened(one, other)).markdown
    assert "**Not decisive:**" in said and "**Better:**" not in said
    assert "not decisive" in contents.differences(opened(one, other)).markdown


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
    assert f"{accuracy['value']:.3f} [{accuracy['low']:.3f}, {accuracy['high']:.3f}]" in shown


def test_page_and_notebook_are_written_and_a_changed_run_is_refused(folders, tmp_path, monkeypatch, capsys):
    for folder in folders:
        run = Run(folder)
        write_manifest(folder, run.config, {"data/letters.txt": "0" * 64})  # as a run that was made with these losses
    monkeypatch.chdir(ROOT)
    out = tmp_path / "comparison"
    main(["compare", *map(str, folders), "--out", str(out)])
    assert "The comparison of 2 runs is in" in capsys.readouterr().out
    page, notebook = (out / "report.html").read_text(encoding="utf-8"), nbformat.read(out / "report.ipynb", 4)
    assert "Comparison of one, other" in page and "Every statistic" in page and "Not decisive" in page
    assert str(folders[0]) not in page and str(folders[0]) not in nbformat.writes(notebook)
    assert not [cell for cell in notebook.cells for output in cell.get("outputs", ()) if output.output_type == "error"]

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


def test_runs_of_one_name_are_told_apart(folders):
    from samizdat.comparison.compare import names_of

    manifests = [Run(folders[number]).manifest for number in (0, 1, 0)]
    assert names_of(manifests) == ["one-1", "other", "one-3"]
    with pytest.raises(UserError, match=r"manifest\.json is missing"):
        Run(folders[0] / "corpus")
