"""Show what the models wrote, by prompt, step and temperature, with the labels that classifiers give it."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from samizdat.base.escaping import quoted
from samizdat.base.language import message, numeral, plural, say
from samizdat.records.classifiers import NUMBER
from samizdat.records.samples import PUBLISHED_PERCENT, begun_with_nothing
from samizdat.reporting.copied_passages import copy_note, with_copy_marked
from samizdat.reporting.frames import Row, rows_of
from samizdat.reporting.number_scale import digits_of
from samizdat.reporting.outside import found_outside, named
from samizdat.reporting.run import Run
from samizdat.reporting.trained_model import after_step
from samizdat.reporting.words import (
    Prose,
    Table,
    count,
    counted,
    exact_percent,
    joined,
    name,
    percent,
    scored,
    table,
)

LONGEST_CHARACTERS = 360
# Prompts, held-out texts, and samples of a temperature that are shown at once; the others are in a folded box.
OPEN = 3
OPEN_GALLERY, GALLERY = 2, 8
UNNAMED = 2  # classifiers whose labels have no name beside them


def opening(run: Run) -> Prose:
    """Say how many samples there are and how they were drawn."""
    samples, sampling = run.samples, run.config["sampling"]
    published = samples[samples["percent"] == PUBLISHED_PERCENT]
    wrote = (
        message(
            "The models wrote {texts}, {published} of them with the published weights, at the temperatures "
            "{temperatures}{limits}{penalty}{no_repeat}."
        )
        if len(run.models) > 1
        else message(
            "The model wrote {texts}, {published} of them with the published weights, at the temperatures "
            "{temperatures}{limits}{penalty}{no_repeat}."
        )
    )
    sentences = [
        say(
            wrote,
            texts=counted(len(samples), "text", "texts"),
            published=count(len(published)),
            temperatures=joined(numeral(value, "g") for value in sampling["temperatures"]),
            **_restraints(sampling),
        )
    ]
    if len(published):
        finished = published["finished"]
        ends = (
            message("All of these end by themselves.")
            if finished.all()
            else message("{share} of these end by themselves; the others were cut after at most {tokens}.")
            if finished.any()
            else message("None of these ends by itself: all were cut after at most {tokens}.")
        )
        tokens = counted(sampling["max_new_tokens"], "token", "tokens")
        sentences.append(say(ends, share=percent(finished.mean()), tokens=tokens))
    if not run.publish_texts:
        sentences.append(
            plural(
                "The corpus is not published: {count}\u00a0sample that began with a held-out text, or repeats six "
                "words of the corpus in a row or one of its shorter texts, is counted but not shown.",
                "The corpus is not published: {count}\u00a0samples that began with a held-out text, or repeat six "
                "words of the corpus in a row or one of its shorter texts, are counted but not shown.",
                len(samples) - len(run.shown_samples),
            )
        )
    sentences += _missing_beginnings(run)
    if run.config["play"]:
        sentences.append(
            say(
                "In [play.html](play.html), which is beside this report, {model} runs in your browser, and you can "
                "write with it.",
                model=name(run.config["play"]),
            )
        )
    return Prose(" ".join(sentences))


def _restraints(sampling: Mapping[str, Any]) -> dict[str, str]:
    """Say what restrains the choice of tokens, each as a part of a sentence; nothing where it isn't restrained."""
    limits = []
    if sampling["top_k"]:
        limits.append(plural("the {count} most probable token", "the {count} most probable tokens", sampling["top_k"]))
    if sampling["top_p"] < 1:
        limits.append(say("the most probable tokens that make up {share}", share=exact_percent(sampling["top_p"])))
    penalty, length = sampling["repetition_penalty"], sampling["no_repeat_ngram"]
    tokens = counted(length, "token", "tokens")
    return {
        "limits": say(", each token drawn from {tokens}", tokens=joined(limits)) if limits else "",
        "penalty": say(", with a repetition penalty of {penalty}", penalty=numeral(penalty, "g"))
        if penalty != 1
        else "",
        "no_repeat": say(", no run of {tokens} occurring twice in a text", tokens=tokens) if length else "",
    }


def _missing_beginnings(run: Run) -> list[str]:
    """Say how many held-out texts begin samples, where these are fewer than the config asks for."""
    wanted, words = (run.config["sampling"][key] for key in ("held_out_prompts", "held_out_prompt_words"))
    held_out = int((run.texts["split"] == "test").sum())
    begun = run.samples["prompt_text_id"].nunique()
    if begun >= wanted:
        return []
    return [
        say(
            "Of {texts} only {begun} can begin a sample, fewer than the {wanted} that the config asks for "
            "(`sampling.held_out_prompts`): the others have no more than {words} (`sampling.held_out_prompt_words`), "
            "begin like one of these, or with a word that is too long for the model.",
            texts=counted(held_out, "held-out text", "held-out texts"),
            begun=count(begun),
            wanted=count(wanted),
            words=counted(words, "word", "words"),
        )
    ]


def by_step(run: Run) -> Table | Prose:
    """List the first sample of each of the first prompts: a row for each checkpoint, a column for each temperature."""
    prompts = _followed(run)
    if not prompts:
        return Prose(say("No sample was followed through the training (`prompts` in the config is empty)."))
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
            step = after_step(run, rows_of(at)[0])
            cells = [_cell(run, found.get(temperature)) for temperature in temperatures]
            shown = quoted(str(prompt), language=run.language) if prompt else say("*nothing*")
            rows.append([shown, *([name(model)] if several else []), step, *cells])
    header = [say("Begun with"), *([say("Model")] if several else []), say("After step")]
    header += [say("Temperature {temperature}", temperature=numeral(value, "g")) for value in temperatures]
    return table(rows, header)


def held_out(run: Run) -> Table | Prose:
    """List the first held-out texts, and how the published models continue their first words."""
    if not run.publish_texts:
        return Prose(say("Continuations of held-out texts are left out, because the corpus's texts are not published."))
    texts = _continued(run)
    if not texts:
        if run.config["sampling"]["held_out_prompts"]:
            return Prose(say("No held-out text was continued (no held-out text is long enough)."))
        return Prose(say("No held-out text was continued (`sampling.held_out_prompts` is 0)."))
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
    originals = run.texts_of(texts)
    temperatures = sorted(samples["temperature"].unique())
    rows = []
    for (model, key), part in samples.groupby(["model", "prompt_text_id"], sort=False):
        found = {row["temperature"]: row for row in rows_of(part)}
        cells = [_cell(run, found.get(temperature), step=True) for temperature in temperatures]
        begun = say("begun with {prompt}", prompt=quoted(part["prompt"].iloc[0], language=run.language))
        model_cell = [name(model)] if len(run.models) > 1 else []
        original = quoted(originals[str(key)], language=run.language, longest=LONGEST_CHARACTERS)
        rows.append([*model_cell, f"{original}<br><small>{begun}</small>", *cells])
    header = [*([say("Model")] if len(run.models) > 1 else []), say("The held-out text")]
    header += [say("Continued at {temperature}", temperature=numeral(value, "g")) for value in temperatures]
    return table(rows, header)


def gallery(run: Run) -> Table | Prose:
    """List the first unprompted samples of the published models, with every classifier's label."""
    samples = unprompted(run)
    if samples.empty and len(begun_with_nothing(run.samples)):
        return Prose(
            say("No text begun with nothing is shown: each repeats words of the corpus, which is not published.")
        )
    if samples.empty:
        return Prose(say("No text was begun with nothing (`sampling.unprompted_samples` is 0)."))
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
            numeral(row["temperature"], "g"),
            _text(
                run, row, [say("begun with nothing, {after_step}", after_step=_step(row)), copy_note(run, row["id"])]
            ),
            *(_label(run, classifier, row["id"]) for classifier in run.cards),
        ]
        for row in rows_of(samples)
    ]
    header = [*([say("Model")] if len(run.models) > 1 else []), say("Temperature"), say("Sample")]
    header += [named(run, card) for card in run.cards]
    return table(rows, header, numbers=[say("Temperature")])


def _cell(run: Run, sample: Row | None, *, step: bool = False) -> str:
    """Write a sample's text and, in small print, its labels, its longest copy and, where asked for, its step."""
    if sample is None:
        return ""
    if sample["id"] not in run.shown_ids:
        return say("*not shown*")
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
    return say("after step {step}", step=count(sample["step"]))


def _label(run: Run, classifier: str, sample_id: str) -> str:
    """Write the labels that a classifier gives a sample, with their probabilities, or its number; nothing for none.

    A question mark says that the classifier was made for other texts.
    """
    doubt = "?" if found_outside(run, classifier) else ""
    form = f".{digits_of(run, classifier)}f"  # two for probabilities, which have no numbers
    found = [
        (label, f"{numeral(value, form)}{doubt}") for label, value in run.sample_labels[classifier].get(sample_id, [])
    ]
    return ", ".join(scored(label, score) if label else score for label, score in found)
