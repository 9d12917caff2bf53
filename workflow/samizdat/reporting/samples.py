"""Show what the models wrote, by prompt, step and temperature, with the labels that classifiers give it."""

from samizdat.base.escaping import quoted
from samizdat.records.samples import PUBLISHED_PERCENT, begun_with_nothing
from samizdat.reporting.copied_passages import copy_cell, copy_note
from samizdat.reporting.frames import Row, rows_of
from samizdat.reporting.run import Run
from samizdat.reporting.words import Prose, Table, count, counted, joined, name, percent, scored, table

LONGEST_CHARACTERS = 360


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
    return Prose(text + _missing_beginnings(run))


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
    """List the first sample of each prompt of the config: a row for each checkpoint, a column for each temperature."""
    samples = run.samples[run.samples["prompt_kind"].isin(["config", "none"])]
    if samples.empty:
        return Prose("No sample was followed through the training (`prompts` in the config is empty).")
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
    """List held-out texts, and how the published models continue their first words."""
    if not run.publish_texts:
        return Prose("Continuations of held-out texts are left out, because the corpus's texts are not published.")
    published = run.samples["percent"] == PUBLISHED_PERCENT
    samples = run.samples[published & (run.samples["prompt_kind"] == "held_out")]
    if samples.empty:
        asked = run.config["sampling"]["held_out_prompts"]
        why = "no held-out text is long enough" if asked else "`sampling.held_out_prompts` is 0"
        return Prose(f"No held-out text was continued ({why}).")
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


def gallery(run: Run, each: int = 8) -> Table | Prose:
    """List the first unprompted samples of the published models, with every classifier's label."""
    samples = begun_with_nothing(run.shown_samples)
    samples = samples[
        samples["prompt_kind"] == ("unprompted" if "unprompted" in set(samples["prompt_kind"]) else "none")
    ]
    if samples.empty:
        return Prose("No text was begun with nothing (`sampling.unprompted_samples` is 0).")
    rows = [
        [
            *([name(row["model"])] if len(run.models) > 1 else []),
            f"{row['temperature']:g}",
            quoted(row["text"], language=run.language, longest=LONGEST_CHARACTERS)
            + f"<br><small>begun with nothing, {_step(row)}</small>",
            copy_cell(run, row["id"]),
            *(_label(run, classifier, row["id"]) for classifier in run.cards),
        ]
        for row in rows_of(samples.groupby(["model", "temperature"]).head(each))
    ]
    header = [*(["Model"] if len(run.models) > 1 else []), "Temperature", "Sample", "Longest copy"]
    header += [name(card) for card in run.cards]
    return table(rows, header, numbers=["Temperature"])


def _cell(run: Run, sample: Row | None, *, step: bool = False) -> str:
    """Write a sample's text and, in small print, its labels, its longest copy and, where asked for, its step."""
    if sample is None:
        return ""
    if sample["id"] not in run.shown_ids:
        return "*not shown*"
    text = quoted(sample["text"], language=run.language, longest=LONGEST_CHARACTERS)
    labels = [_label(run, classifier, sample["id"]) for classifier in run.cards]
    notes = [_step(sample) if step else "", *labels, copy_note(run, sample["id"])]
    shown = " · ".join(note for note in notes if note)
    return f"{text}<br><small>{shown}</small>" if shown else text


def _step(sample: Row) -> str:
    """Say after which training step a sample was drawn."""
    return f"after step {count(sample['step'])}"


def _label(run: Run, classifier: str, sample_id: str) -> str:
    """Write the label that a classifier gives a sample, and its probability; nothing where it gives none."""
    found = run.sample_labels[classifier].get(sample_id)
    if not found:
        return ""
    return scored(found[0], f"{found[1]:.2f}")
