"""Show what the models wrote, by prompt, step and temperature, with the labels that classifiers give it."""

import pandas as pd

from samizdat.base.escaping import quoted
from samizdat.records.classifiers import NUMBER
from samizdat.records.samples import PUBLISHED_PERCENT, begun_with_nothing
from samizdat.reporting.copied_passages import copy_note, with_copy_marked
from samizdat.reporting.frames import Row, rows_of
from samizdat.reporting.outside import found_outside, named
from samizdat.reporting.run import Run
from samizdat.reporting.words import Prose, Table, count, counted, joined, name, percent, scored, table

LONGEST_CHARACTERS = 360
# Prompts, held-out texts, and samples of a temperature that are shown at once; the others are in a folded box.
OPEN = 3
OPEN_GALLERY, GALLERY = 2, 8
UNNAMED = 2  # classifiers whose labels have no name beside them


def opening(run: Run) -> Prose:
    """Say how many samples there are and how they were drawn."""
    samples, sampling = run.samples, run.config["sampling"]
    temperatures = joined(f"{value:g}" for value in sampling["temperatures"])
    published = samples[samples["percent"] == PUBLISHED_PERCENT]
    limits = [f"the {sampling['top_k']} most probable tokens"] if sampling["top_k"] else []
    limits += [f"the most probable tokens that make up {percent(sampling['top_p'])}"] if sampling["top_p"] < 1 else []
    text = (
        f"The {'models' if len(run.models) > 1 else 'model'} wrote {counted(len(samples), 'text')}, "
        f"{count(len(published))} of them after the whole training, "
        f"at the temperatures {temperatures}"
        + (f", each token drawn from {joined(limits)}" if limits else "")
        + (
            f", with a repetition penalty of {sampling['repetition_penalty']:g}"
            if sampling["repetition_penalty"] != 1
            else ""
        )
        + (
            f", no run of {counted(sampling['no_repeat_ngram'], 'token')} occurring twice in a text"
            if sampling["no_repeat_ngram"]
            else ""
        )
        + "."
    )
    if len(published):
        text += (
            f" {percent(published['finished'].mean())} of these end by themselves; the others were cut after "
            f"{counted(sampling['max_new_tokens'], 'token')}."
        )
    if not run.publish_texts:
        hidden = len(samples) - len(run.shown_samples)
        text += (
            f" The corpus is not published: {counted(hidden, 'sample')} that began with a held-out text, or repeat six "
            "words of the corpus in a row or one of its shorter texts, are counted but not shown."
        )
    text += _missing_beginnings(run)
    if run.config["play"]:
        text += (
            f" In [play.html](play.html), which is beside this report, {name(run.config['play'])} runs in your "
            "browser, and you can write with it."
        )
    return Prose(text)


def _missing_beginnings(run: Run) -> str:
    """Say how many held-out texts begin samples, where these are fewer than the config asks for."""
    wanted, words = (run.config["sampling"][key] for key in ("held_out_prompts", "held_out_prompt_words"))
    held_out = int((run.texts["split"] == "test").sum())
    begun = run.samples["prompt_text_id"].nunique()
    if begun >= wanted:
        return ""
    return (
        f" Of {counted(held_out, 'held-out text')} only {count(begun)} can begin a sample, fewer than the "
        f"{count(wanted)} that the config asks for (`sampling.held_out_prompts`): the others have no more than "
        f"{counted(words, 'word')} (`sampling.held_out_prompt_words`)."
    )


def by_step(run: Run) -> Table | Prose:
    """List the first sample of each of the first prompts: a row for each checkpoint, a column for each temperature."""
    prompts = _followed(run)
    if not prompts:
        return Prose("No sample was followed through the training (`prompts` in the config is empty).")
    return _steps(run, prompts[:OPEN])


def more_by_step(run: Run) -> Table | None:
    """List the same for the other prompts of the config."""
    prompts = _followed(run)[OPEN:]
    return _steps(run, prompts) if prompts else None


def _followed(run: Run) -> list[str]:
    """List the prompts of the config, which every checkpoint continued."""
    return list(dict.fromkeys(run.samples.loc[run.samples["prompt_kind"].isin(["config", "none"]), "prompt"]))


def _steps(run: Run, prompts: list[str]) -> Table:
    """List the first sample of each prompt, model, checkpoint and temperature."""
    samples = run.samples[run.samples["prompt_kind"].isin(["config", "none"]) & run.samples["prompt"].isin(prompts)]
    # Each checkpoint draws its samples with the same seeds, so these rows show one sample in the course of training.
    seeds = samples.drop_duplicates(["model", "prompt", "temperature"])["seed"]
    first = samples[samples["seed"].isin(seeds)]
    temperatures = sorted(first["temperature"].unique())
    several = len(run.models) > 1
    rows = []
    for (prompt, model), part in first.groupby(["prompt", "model"], sort=False):
        for _, at in part.groupby("percent"):
            found = {row["temperature"]: row for row in rows_of(at)}
            step = f"{count(at['step'].iloc[0])} ({percent(at['percent'].iloc[0] / 100)})"
            cells = [_cell(run, found.get(temperature)) for temperature in temperatures]
            shown = quoted(str(prompt), language=run.language) if prompt else "*nothing*"
            rows.append([shown, *([name(model)] if several else []), step, *cells])
    header = ["Begun with", *(["Model"] if several else []), "After step"]
    return table(rows, [*header, *(f"Temperature {value:g}" for value in temperatures)])


def held_out(run: Run) -> Table | Prose:
    """List the first held-out texts, and how the published models continue their first words."""
    if not run.publish_texts:
        return Prose("Continuations of held-out texts are left out, because the corpus's texts are not published.")
    texts = _continued(run)
    if not texts:
        asked = run.config["sampling"]["held_out_prompts"]
        why = "no held-out text is long enough" if asked else "`sampling.held_out_prompts` is 0"
        return Prose(f"No held-out text was continued ({why}).")
    return _continuations(run, texts[:OPEN])


def more_held_out(run: Run) -> Table | None:
    """List the same for the other held-out texts."""
    texts = _continued(run)[OPEN:]
    return _continuations(run, texts) if texts and run.publish_texts else None


def _continued(run: Run) -> list[str]:
    """List the ids of the held-out texts whose beginnings the published models continued."""
    published = run.samples[run.samples["percent"] == PUBLISHED_PERCENT]
    return list(dict.fromkeys(published.loc[published["prompt_kind"] == "held_out", "prompt_text_id"]))


def _continuations(run: Run, texts: list[str]) -> Table:
    """List held-out texts, a row for each and each model, and a column for each temperature."""
    published = run.samples["percent"] == PUBLISHED_PERCENT
    samples = run.samples[published & run.samples["prompt_text_id"].isin(texts)]
    originals = run.texts.set_index("id")["text"]
    temperatures = sorted(samples["temperature"].unique())
    rows = []
    for (model, key), part in samples.groupby(["model", "prompt_text_id"], sort=False):
        found = {row["temperature"]: row for row in rows_of(part)}
        cells = [_cell(run, found.get(temperature), step=True) for temperature in temperatures]
        begun = f"<small>begun with {quoted(part['prompt'].iloc[0], language=run.language)}</small>"
        model_cell = [name(model)] if len(run.models) > 1 else []
        original = quoted(originals[str(key)], language=run.language, longest=LONGEST_CHARACTERS)
        rows.append([*model_cell, f"{original}<br>{begun}", *cells])
    header = ["Model"] if len(run.models) > 1 else []
    return table(rows, [*header, "The held-out text", *(f"Continued at {value:g}" for value in temperatures)])


def gallery(run: Run) -> Table | Prose:
    """List the first unprompted samples of the published models, with every classifier's label."""
    samples = unprompted(run)
    if samples.empty:
        return Prose("No text was begun with nothing (`sampling.unprompted_samples` is 0).")
    return _gallery(run, samples.groupby(["model", "temperature"]).head(OPEN_GALLERY))


def more_gallery(run: Run) -> Table | None:
    """List some more of them."""
    more = unprompted(run).groupby(["model", "temperature"])
    rows = more.head(GALLERY).drop(index=more.head(OPEN_GALLERY).index)
    return _gallery(run, rows) if len(rows) else None


def unprompted(run: Run) -> pd.DataFrame:
    """Choose the samples of the published models that begin with nothing and may be shown, in the order of drawing."""
    samples = begun_with_nothing(run.shown_samples)
    kind = "unprompted" if "unprompted" in set(samples["prompt_kind"]) else "none"
    return samples[samples["prompt_kind"] == kind]


def _gallery(run: Run, samples: pd.DataFrame) -> Table:
    """List samples, a row for each."""
    rows = [
        [
            *([name(row["model"])] if len(run.models) > 1 else []),
            f"{row['temperature']:g}",
            _text(run, row, [f"begun with nothing, {_step(row)}", copy_note(run, row["id"])]),
            *(_label(run, classifier, row["id"]) for classifier in run.cards),
        ]
        for row in rows_of(samples)
    ]
    header = [*(["Model"] if len(run.models) > 1 else []), "Temperature", "Sample"]
    header += [named(run, card) for card in run.cards]
    return table(rows, header, numbers=["Temperature"])


def _cell(run: Run, sample: Row | None, *, step: bool = False) -> str:
    """Write a sample's text and, in small print, its labels, its longest copy and, where asked for, its step."""
    if sample is None:
        return ""
    if sample["id"] not in run.shown_ids:
        return "*not shown*"
    labels = [_label(run, classifier, sample["id"]) for classifier in run.cards]
    # A number alone, or one label of many, doesn't show which classifier gave it.
    few = len(run.cards) <= UNNAMED and all(card.kind != NUMBER for card in run.cards.values())
    if not few:
        labels = [given and f"{name(classifier)}: {given}" for classifier, given in zip(run.cards, labels, strict=True)]
    return _text(run, sample, [_step(sample) if step else "", *labels, copy_note(run, sample["id"])])


def _text(run: Run, sample: Row, notes: list[str]) -> str:
    """Write a sample's text, with the longest copy marked, and notes in small print."""
    text = with_copy_marked(run, sample, LONGEST_CHARACTERS)
    shown = " · ".join(note for note in notes if note)
    return f"{text}<br><small>{shown}</small>" if shown else text


def _step(sample: Row) -> str:
    """Say after which training step a sample was drawn."""
    return f"after step {count(sample['step'])}"


def _label(run: Run, classifier: str, sample_id: str) -> str:
    """Write the labels that a classifier gives a sample, with their probabilities, or its number; nothing for none.

    A question mark says that the classifier was made for other texts.
    """
    doubt = "?" if found_outside(run, classifier) else ""
    found = run.sample_labels[classifier].get(sample_id, [])
    return ", ".join(scored(label, f"{value:.2f}{doubt}") if label else f"{value:.2f}{doubt}" for label, value in found)
