"""The tables of samples: texts with their labels and the longest passages copied."""

from samizdat.reporting import samples
from samizdat.reporting.copied_passages import copy_cell, copy_note
from samizdat.reporting.words import NO_BREAK
from support.reading import cells, plain


def test_samples_are_shown_with_their_labels(run):
    header, first, *_ = cells(samples.by_step(run).markdown)
    assert header == ["Begun with", "After step", "Temperature 0.7", "Temperature 1"]
    assert first[:2] == ["*nothing*", "10 (10 %)"]
    row = run.samples[(run.samples["percent"] == 10) & (run.samples["prompt_kind"] == "none")].iloc[0]
    labels = " · ".join(f"{scores[row['id']][0]} 0.80" for scores in run.sample_labels.values())
    assert first[2] == f"{row['text']}<br>{labels} · {plain(copy_note(run, row['id']))}"
    gallery = cells(samples.gallery(run).markdown)
    assert gallery[1][1].endswith("begun with nothing, after step 100")
    continued = cells(samples.held_out(run).markdown)[1]
    begun = run.samples[run.samples["prompt_kind"] == "held_out"].iloc[0]
    assert continued[0].endswith(f"begun with {begun['prompt']}") and "after step 100 · " in continued[1]
    assert len(cells(samples.gallery(run).markdown)) == 1 + 2 * 8
    assert cells(samples.held_out(run).markdown)[0] == ["The held-out text", "Continued at 0.7", "Continued at 1"]


def test_the_gallery_shows_the_copies_of_its_own_samples(run):
    gallery = samples.gallery(run).markdown
    first = run.samples[(run.samples["prompt_kind"] == "unprompted")].iloc[0]
    line = next(line for line in gallery.splitlines() if first["text"] in line)
    assert copy_cell(run, first["id"]) in line and "characters" in line


def test_held_out_texts_that_are_too_short_to_begin_a_sample_are_told(run, monkeypatch):
    assert "can begin" not in samples.opening(run).markdown
    monkeypatch.setitem(run.config["sampling"], "held_out_prompts", 5)
    held_out = (run.texts["split"] == "test").sum()
    assert (
        samples.opening(run)
        .markdown.replace(NO_BREAK, " ")
        .endswith(
            f"Of {held_out} held-out texts only 2 can begin a sample, fewer than the 5 that the config asks for "
            "(`sampling.held_out_prompts`): the others have no more than 2 words (`sampling.held_out_prompt_words`)."
        )
    )
    monkeypatch.setitem(run.__dict__, "samples", run.samples[run.samples["prompt_kind"] != "held_out"])
    assert samples.held_out(run).markdown == "No held-out text was continued (no held-out text is long enough)."
