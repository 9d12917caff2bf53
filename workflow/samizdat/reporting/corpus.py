"""Describe the corpus: how large it is, where it comes from, and what was left out."""

import numpy as np
import pandas as pd

from samizdat.base.corpus_files import AND_MORE
from samizdat.base.escaping import escape, escape_isolated, quoted
from samizdat.base.language import message, numeral, plural, say, say_again
from samizdat.base.seeds import derive_seed
from samizdat.measures.arrays import sorted_set
from samizdat.records.classifiers import SINGLE_LABEL
from samizdat.records.corpus import DEMO_SOURCE, LABEL_PREFIX, SPLITS
from samizdat.reporting import course_size
from samizdat.reporting.frames import rows_of
from samizdat.reporting.label_columns import frequent_labels, kind_of, label_columns, labels_of, undrawn
from samizdat.reporting.label_shares import shares_in_words, stacked_bars
from samizdat.reporting.largest_groups import SHOWN_GROUPS, finding_of_largest, group_heading
from samizdat.reporting.run import Run
from samizdat.reporting.splits import division, near_duplicates, texts_of_split
from samizdat.reporting.style import (
    Picture,
    described,
    drawing,
    wrapped,
)
from samizdat.reporting.terms import between_groups
from samizdat.reporting.words import Prose, Table, count, counted, drawn, label, name, percent, table

ALL, UNGROUPED = message("all texts"), message("without a group")


def opening(run: Run) -> Prose:
    """Describe the corpus in a paragraph."""
    corpus = run.corpus
    quantiles = corpus.length_quantiles_characters
    sentences = [
        say(
            "The corpus holds {texts} from {documents}, {characters} in all. Its source: {source}.",
            texts=counted(corpus.texts, "text", "texts"),
            documents=counted(corpus.documents, "document", "documents"),
            characters=counted(corpus.characters, "character", "characters"),
            source=escape(say_again(corpus.source, DEMO_SOURCE)),
        ),
        say(
            "Half of the texts have between {low} and {high} characters; the longest has {longest}.",
            low=count(quantiles["0.25"]),
            high=count(quantiles["0.75"]),
            longest=count(quantiles["1"]),
        ),
        say(
            "{division}: {train} to train on; {validation} to choose the best weights on; and the held-out texts, "
            "{test}, on which nothing is trained or chosen.",
            division=division(corpus),
            **{split: texts_of_split(corpus, split) for split in SPLITS},
        ),
    ]
    if corpus.parts:
        sentences.append(
            say(
                "One file has half of the texts or more, so it was cut into {parts} of successive texts, and each part "
                "counts as a document; the held-out parts resemble the others more than another work would, so expect "
                "a higher loss on another work.",
                parts=counted(corpus.parts, "part", "parts"),
            )
        )
    if corpus.shared_documents:
        sentences.append(
            plural(
                "{count}\u00a0document has texts in several splits, so expect a higher loss on new documents.",
                "{count}\u00a0documents have texts in several splits, so expect a higher loss on new documents.",
                corpus.shared_documents,
            )
        )
    sentences += [
        plural(
            "{count}\u00a0text has no {label}: its raters give no label most often.",
            "{count}\u00a0texts have no {label}: their raters give no label most often.",
            number,
            label=label(column),
        )
        for column, number in corpus.undecided.items()
        if number and kind_of(run, LABEL_PREFIX + column) == SINGLE_LABEL  # else raters' answers are joined otherwise
    ]
    said = [*sentences, *near_duplicates(corpus), course_size.limits(run), between_groups(run)]
    return Prose(" ".join(one for one in said if one))


def groups(run: Run) -> Table:
    """List number, split, length and human labels of the texts of the largest groups, and of all texts.

    Of a column's less frequent labels it has the share of all together.
    """
    texts = run.texts
    labels = {column: labels_of(run, column) for column in label_columns(texts)}
    headings = {column: frequent_labels(given) for column, given in labels.items()}
    others = {column: set(given.dropna().unique()).difference(headings[column]) for column, given in labels.items()}
    header = [say("Group"), say("Texts"), say("Documents"), say("Held out"), say("Median length")]
    every = [one for names in headings.values() for one in names]
    unclear = len({*every}) < len(every) or sum(map(bool, others.values())) > 1
    asked = {column: f"{column.removeprefix(LABEL_PREFIX)}: " if unclear else "" for column in headings}
    for column, names in headings.items():
        header += [name(asked[column] + one) for one in names]
        if more := others[column]:
            header.append(f"*{name(asked[column] + counted(len(more), 'other label', 'other labels'))}*")
    sizes = texts["group"].value_counts()
    shown, rest = sizes.index[:SHOWN_GROUPS], sizes.index[SHOWN_GROUPS:]
    parts = [(name(group), texts[texts["group"] == group]) for group in sorted(shown)]
    if len(rest):
        parts.append((f"*{counted(len(rest), 'smaller group', 'smaller groups')}*", texts[texts["group"].isin(rest)]))
    if len(sizes) and texts["group"].isna().any():
        parts.append((f"*{say(UNGROUPED)}*", texts[texts["group"].isna()]))
    rows = []
    for heading, part in [*parts, (f"**{say('All')}**", texts)]:
        row = [
            heading,
            count(len(part)),
            count(part["document"].nunique()),
            percent((part["split"] == "test").mean(), 1),
            count(part["characters"].median()),
        ]
        for column, names in headings.items():
            given = labels[column]
            given = given if part is texts else given[given.index.isin(part.index)]
            labelled = len(sorted_set(given.index.to_numpy()))
            for some in [*({one} for one in names), *filter(None, [others[column]])]:
                having = len(sorted_set(given.index[given.isin(some)].to_numpy()))
                row.append(percent(having / labelled) if labelled else "")
        rows.append(row)
    return table(rows, header, numbers=header[1:])


def human_labels(run: Run) -> Picture | Prose:
    """Draw how often people gave each label: a panel for each column of labels, a bar for each group."""
    texts = run.texts
    not_drawn = undrawn(run)
    columns = [column for column in label_columns(texts) if column not in not_drawn]
    if not columns:
        same = any(str(column).startswith(LABEL_PREFIX) and column not in not_drawn for column in texts.columns)
        are_groups = message("The labels that people gave are the groups.")
        none = say(are_groups if same else message("The corpus has no labels that people gave."))
        return Prose(escape_isolated(" ".join(not_drawn.values())) or none)
    bars = [(say(ALL), texts)]
    sizes = texts["group"].value_counts()
    bars += [(group, texts[texts["group"] == group]) for group in sizes.index[:SHOWN_GROUPS]]
    first = texts[columns[0]].value_counts(normalize=True)
    frequent = (
        message("The most frequent {column} is “{label}”: {share} of the texts that have one")
        if texts[columns[0]].isna().any()
        else message("The most frequent {column} is “{label}”: {share} of the texts")
    )
    finding = say(
        frequent,
        column=drawn(columns[0].removeprefix(LABEL_PREFIX)),
        label=drawn(first.index[0]),
        share=percent(first.iloc[0]),
    )
    title = finding_of_largest(finding, len(sizes[:SHOWN_GROUPS]), len(sizes))
    title += "".join(f". {why.removesuffix('.')}" for why in not_drawn.values())
    height = 0.55 + len(columns) * (0.55 + 0.3 * len(bars))
    with drawing(title, height, rows=len(columns)) as (picture, axes):
        descriptions = []
        for axis, column in zip(axes, columns, strict=True):
            names = sorted(texts[column].dropna().unique())
            shares = [part[column].value_counts(normalize=True).reindex(names, fill_value=0) for _, part in bars]
            stacked_bars(axis, names, np.array(shares).T)
            axis.set_yticks(range(len(bars)), [wrapped(group, 24, 1) for group, _ in bars])
            axis.invert_yaxis()
            asked = wrapped(column.removeprefix(LABEL_PREFIX), 60, 1)
            axis.set(xlabel=say("share of texts with a label for {column}", column=asked))
            descriptions += [
                f"{drawn(group)}: {shares_in_words(names, given)}"
                for (group, _), given in zip(bars, shares, strict=True)
                if given.any()
            ]
        picture.alternative_text = described(title, say("Stacked bars"), descriptions)
    return picture


def examples(run: Run) -> Table | Prose:
    """List some texts, two of each large group, drawn with the run's random seed; none where texts may not be shown."""
    if not run.publish_texts:
        return Prose(
            say("The texts themselves are not published, so none is shown here or anywhere else in this report.")
        )
    sizes = run.texts["group"].value_counts()
    largest = sizes.index[:SHOWN_GROUPS]
    found: list[pd.DataFrame] = []
    key = f"{derive_seed(run.config['seed'], 'examples'):016x}"  # of the 16 characters that the hash wants
    begin = 0
    for ids in run.ids():
        part = run.texts[begin : begin + len(ids)]
        begin += len(ids)
        order = pd.util.hash_array(ids.to_numpy(), hash_key=key, categorize=False)
        part = part.assign(id=ids.to_numpy(), order=order, group=part["group"].fillna(""))
        part = part[part["group"].isin(["", *largest])]
        found = [pd.concat([*found, part]).sort_values("order").groupby("group").head(2)]
    chosen = pd.concat(found).sort_values(["group", "order"])
    texts = run.texts_of(chosen["id"])
    columns = label_columns(run.texts)
    rows = [
        [
            *([name(row["group"])] if len(sizes) else []),
            quoted(texts[row["id"]], language=run.language),
            *(name(row[column]) for column in columns),
        ]
        for row in rows_of(chosen)
    ]
    group = [group_heading(len(largest), len(sizes))] if len(sizes) else []
    labels = [name(one[:1].upper() + one[1:]) for one in (column.removeprefix(LABEL_PREFIX) for column in columns)]
    return table(rows, [*group, say("Text"), *labels])


def dropped(run: Run) -> Prose:
    """Say how the files were read, which were not, how many texts were not kept, and why, and whose labels counted."""
    corpus = run.corpus
    sentences = []
    if corpus.dropped:
        reasons = "; ".join(
            f"{count(number)} × {escape(say_again(reason))}" for reason, number in sorted(corpus.dropped.items())
        )
        sentences.append(
            plural(
                "Of {texts}, {count}\u00a0was kept. Left out: {reasons}.",
                "Of {texts}, {count}\u00a0were kept. Left out: {reasons}.",
                corpus.texts,
                texts=counted(corpus.read, "text", "texts"),
                reasons=reasons,
            )
        )
    else:
        sentences.append(say("Every text that was read was kept."))
    sentences += [
        plural(
            "{count}\u00a0text has duplicates with another {label}: the first one counts.",
            "{count}\u00a0texts have duplicates with another {label}: the first one counts.",
            number,
            label=label(column),
        )
        for column, number in corpus.conflicting.items()
    ]
    if corpus.found:
        found = "; ".join(
            f"{_files(files)}: {escape(say_again(words))}" for words, files in sorted(corpus.found.items())
        )
        sentences.append(say("How these files were read was found out, not set: {found}.", found=found))
    if corpus.unread:
        files = "; ".join(
            f"{_files(names)} ({escape(say_again(reason))})" for reason, names in sorted(corpus.unread.items())
        )
        sentences.append(say("Found beside the texts of the corpus, but not read: {files}.", files=files))
    return Prose(" ".join(sentences))


def _files(names: str) -> str:
    return escape(say_again(names, AND_MORE))


def vocabulary(run: Run) -> Table:
    """List each tokenizer's vocabulary size, and the corpus counted in its tokens."""
    rows = [
        [
            name(tokenizer.name),
            count(tokenizer.vocabulary_size),
            count(sum(tokenizer.tokens.values())),
            numeral(tokenizer.characters_per_token, ".2f"),
        ]
        for tokenizer in run.tokenizers.values()
    ]
    header = [say("Tokenizer"), say("Vocabulary"), say("Tokens in the corpus"), say("Characters a token")]
    return table(rows, header, numbers=header[1:])
