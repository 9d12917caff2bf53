"""The tables of samples: texts with their labels and the longest passages copied."""

import re
from dataclasses import replace

import pytest

from samizdat.reporting import Run, samples, summary
from samizdat.reporting.copied_passages import copy_note, with_copy_marked
from samizdat.reporting.words import NO_BREAK
from support.reading import cells, plain
from support.run_fixture import make_run, sentences

STEPS = (samples.by_step, samples.more_by_step)


def test_samples_are_shown_with_their_labels(run):
    header, first, *_ = cells(samples.by_step(run).markdown)
    assert header == ["Begun with", "After step", "Temperature 0.7", "Temperature 1"]
    assert first[:2] == ["*nothing*", "10 (10 %)"]
    row = run.samples[(run.samples["percent"] == 10) & (run.samples["prompt_kind"] == "none")].iloc[0]
    labels = " · ".join(f"{scores[row['id']][0][0]} 0.80" for scores in run.sample_labels.values())
    assert first[2] == f"{plain(with_copy_marked(run, row, 360))}<br>{labels} · {plain(copy_note(run, row['id']))}"
    gallery = cells(samples.gallery(run).markdown)
    first = run.samples[run.samples["prompt_kind"] == "unprompted"].iloc[0]
    assert gallery[1][1].endswith(f"begun with nothing, after step 100 · {plain(copy_note(run, first['id']))}")
    continued = cells(samples.held_out(run).markdown)[1]
    begun = run.samples[run.samples["prompt_kind"] == "held_out"].iloc[0]
    assert continued[0].endswith(f"begun with {begun['prompt']}") and "after step 100 · " in continued[1]
    assert len(cells(samples.gallery(run).markdown)) == 1 + 2 * 2
    assert cells(samples.held_out(run).markdown)[0] == ["The held-out text", "Continued at 0.7", "Continued at 1"]


def test_the_first_ones_are_open_and_the_others_follow(run, tmp_path, monkeypatch):
    prompts = ("", "The rain", "A house", "Old letters", "New poems")
    many = Run(make_run(tmp_path / "many", texts=sentences(60), prompts=prompts, labels={}))
    begun = [dict.fromkeys(row[0] for row in cells(part(many).markdown)[1:]) for part in STEPS]
    assert [list(part) for part in begun] == [["*nothing*", *prompts[1:3]], list(prompts[3:])]
    monkeypatch.setattr(samples, "OPEN", 1)
    open_texts, folded = (cells(part(many).markdown)[1:] for part in (samples.held_out, samples.more_held_out))
    assert len(open_texts) == len(folded) == 1 and open_texts[0][0] != folded[0][0]
    open_texts, folded = (cells(part(many).markdown)[1:] for part in (samples.gallery, samples.more_gallery))
    assert [row[0] for row in open_texts] == ["0.7"] * 2 + ["1"] * 2
    assert [row[0] for row in folded] == ["0.7"] * 6 + ["1"] * 6
    drawn = many.samples[many.samples["prompt_kind"] == "unprompted"].groupby("temperature").head(8)
    shown = [plain(row[1]).split("<br>")[0] for row in (*open_texts, *folded)]
    assert sorted(re.sub("</?mark>", "", text) for text in shown) == sorted(drawn["text"])
    monkeypatch.undo()  # two prompts, two held-out texts: nothing is left to fold
    assert samples.more_by_step(run) is None and samples.more_held_out(run) is None


def test_the_largest_length_is_a_bound_since_a_long_prompt_leaves_less(run):
    assert "the others were cut after at most 56 tokens." in plain(samples.opening(run).markdown)


@pytest.mark.parametrize(("finished", "said"), [(True, "All of these end by"), (False, "None of these ends by itself")])
def test_where_all_samples_end_alike_no_others_are_spoken_of(run, monkeypatch, finished, said):
    monkeypatch.setitem(vars(run), "samples", run.samples.assign(finished=finished))
    told = plain(samples.opening(run).markdown)
    assert said in told and "the others were cut" not in told


@pytest.mark.parametrize(
    ("changes", "steps"),
    [
        ({}, ["10 (10 %)", "100 (100 %)"]),
        # The best weights are those of an earlier step.
        ({"best_step": 100, "steps_planned": 120, "steps_done": 120}, ["10 (10 %)", "100 (published)"]),
        # Training stopped before the first checkpoint, which has its last weights.
        ({"best_step": 5, "steps_planned": 120, "steps_done": 10}, ["10", "100 (published)"]),
    ],
)
def test_a_step_is_called_the_end_of_the_training_only_where_it_is(run, monkeypatch, changes, steps):
    (model,) = run.models.values()
    monkeypatch.setitem(run.models, model.name, replace(model, **changes))
    shown = [row[1] for row in cells(samples.by_step(run).markdown)[1:3]]
    assert [plain(step) for step in shown] == steps
    assert " of them with the published weights, at the" in plain(samples.opening(run).markdown)


def test_samples_that_are_all_withheld_are_not_called_missing(run, monkeypatch):
    monkeypatch.setitem(vars(run), "shown_samples", run.samples[:0])
    assert samples.gallery(run).markdown.startswith("No text begun with nothing is shown: each repeats words of the")
    # They were read by the classifiers all the same.
    assert "*Samples* are those that began with nothing" in summary.finding(run).markdown
    monkeypatch.setitem(vars(run), "samples", run.samples[:0])
    assert "`sampling.unprompted_samples` is 0" in samples.gallery(run).markdown


def test_the_page_with_the_model_is_named_where_it_was_made(run, monkeypatch):
    assert "play.html" not in samples.opening(run).markdown
    monkeypatch.setitem(run.config, "play", "gpt2-tiny")
    said = samples.opening(run).markdown
    assert "[play.html](play.html)" in said and "gpt2-tiny" in said.split("play.html")[-1]


def test_held_out_texts_that_are_too_short_to_begin_a_sample_are_told(run, monkeypatch):
    assert "can begin" not in samples.opening(run).markdown
    monkeypatch.setitem(run.config["sampling"], "held_out_prompts", 5)
    held_out = (run.texts["split"] == "test").sum()
    assert (
        samples.opening(run)
        .markdown.replace(NO_BREAK, " ")
        .endswith(
            f"Of {held_out} held-out texts only 2 can begin a sample, fewer than the 5 that the config asks for "
            "(`sampling.held_out_prompts`): the others have no more than 2 words (`sampling.held_out_prompt_words`), "
            "begin like one of these, or with a word that is too long for the model."
        )
    )
    monkeypatch.setitem(run.__dict__, "samples", run.samples[run.samples["prompt_kind"] != "held_out"])
    assert samples.held_out(run).markdown == "No held-out text was continued (no held-out text is long enough)."
