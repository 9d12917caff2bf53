"""Simulate each question of the report: how often it finds something where there is nothing, or something to find.

It also counts how often intervals cover a known truth, and times the statistics of the largest corpora. What is counted
is kept in work/, so that a run that was stopped goes on. A part of the questions, or the largest corpora alone, can be
measured again: the rest of the record stays as it was.
"""

import argparse
import json
import os
import re
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import product
from typing import Any, NamedTuple

from inference_largest import largest
from inference_questions import INTERVALS, QUESTIONS
from inference_world import AT_BOUND, RESAMPLES, SAMPLES, UNKNOWN, World
from record import RESULTS, ROOT, Figure, commit, show, write
from scipy.stats import norm
from threadpoolctl import threadpool_limits

from samizdat.measures.bootstrap import FEWEST_DOCUMENTS

TEXTS, DOCUMENT_TEXTS, LABELS = (30, 100, 300, 1000, 10_000), (1, 20), (2, 9, 28, 100)
# Corpora of each kind with nothing to be found, with an effect, and with too few documents; those of one job.
FIRST, EFFECTS, FEW, AT_ONCE = 400, 50, 20, 50
# So many more where the first ones give a rate above this one, or a coverage outside these, which may be chance.
MORE, LOOK_AGAIN, COVER_AGAIN = 1200, 0.055, (0.935, 0.975)
LEVEL, REACH, COVERED, COVERED_MOST = 0.05, 0.07, 0.92, 0.98
ASKED = {question: ask for question, (ask, _) in QUESTIONS.items()} | INTERVALS
LARGEST = {"100 labels, 50,000 texts": (100, 50_000, 60, 2), "9 labels, 1,000,000 texts": (9, 1_000_000, 120, 3)}
KEPT = ROOT / "work" / "benchmarks" / "inference.jsonl"


class Job(NamedTuple):
    """Some corpora of one kind, and a question about them."""

    question: str
    texts: int
    of_one: int
    labels: int
    effect: bool
    start: int
    corpora: int


def main() -> None:
    """Simulate the grid, time the largest corpora, show and record the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60, help="start no simulation after so many minutes")
    parser.add_argument("--questions", default="", metavar="PATTERN", help="ask those that this pattern is found in")
    parser.add_argument("--no-largest", action="store_true", help="don't time the largest corpora")
    parser.add_argument("--only-largest", action="store_true", help="time the largest corpora and simulate nothing")
    options = parser.parse_args()
    until = time.monotonic() + 60 * options.minutes
    asked = [one for one in ASKED if re.search(options.questions, one)] if not options.only_largest else []
    if not asked and not options.only_largest:
        parser.error(f"no question has {options.questions!r} in it; the questions are: {'; '.join(ASKED)}")
    # Some corpora of every kind come first, so a run that is stopped has something of all.
    jobs = sorted((job for job in first_jobs() if job.question in asked), key=lambda job: (job.start, job.effect))
    found = simulate(jobs, until)
    found = simulate([*jobs, *more_jobs(found)], until)
    part = len(asked) < len(ASKED)
    notes = merged(recorded() if part else {}, found, asked)
    notes["largest"] = recorded().get("largest", []) if options.no_largest else list(timed())
    figures = figures_of(notes) | {row["name"]: Figure(**row["figure"]) for row in notes["largest"]}
    show(figures)
    write("inference", figures, notes)


def recorded() -> dict[str, Any]:
    """Read what the record has beside its figures; nothing where there is none."""
    path = RESULTS / "inference.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))["notes"]) if path.exists() else {}


def merged(before: dict[str, Any], found: dict[Job, dict[str, Any]], asked: list[str]) -> dict[str, Any]:
    """Put the rows of the questions that were asked in place of theirs in the record; each has its commit."""
    code = commit()
    notes: dict[str, Any] = {"fewest_documents": FEWEST_DOCUMENTS, "level": LEVEL, "samples": SAMPLES,
                             "resamples": RESAMPLES}  # fmt: skip
    for name, rows in (("rates", rates(found)), ("coverage", coverage(found))):
        kept = [row for row in before.get(name, []) if row["question"] not in asked]
        notes[name] = kept + [row | {"commit": code} for row in rows]
    return notes


def timed() -> Iterator[dict[str, Any]]:
    """Time the largest corpora."""
    for words, (labels, texts, seconds, memory) in LARGEST.items():
        measured = largest(labels, texts)
        for unit, reach in (("seconds", seconds), ("CPU seconds", None), ("GiB", memory)):
            meaning = f"compute_statistics: {words}, 2,000 resamples, two classifiers: {unit}"
            figure = {"meaning": meaning, "value": measured[unit], "reach": reach, "less_is_better": True}
            yield {"name": f"{unit} of {words}", "figure": figure, "commit": commit()}


def first_jobs() -> Iterator[Job]:
    """List what is simulated in any case; a question that labels or texts don't matter for has fewer kinds."""
    for texts, of_one, labels in product(TEXTS, DOCUMENT_TEXTS, LABELS):
        few = texts // of_one < FEWEST_DOCUMENTS
        for question in ASKED:
            if not matters(question, texts, of_one, labels):
                continue
            for effect, corpora in ((False, FEW if few else FIRST), (True, 0 if few else EFFECTS)):
                for start in range(0, corpora if question in QUESTIONS or not effect else 0, AT_ONCE):
                    yield Job(question, texts, of_one, labels, effect, start, min(AT_ONCE, corpora - start))


def matters(question: str, texts: int, of_one: int, labels: int) -> bool:
    """Say whether a kind of corpus gives a question anything new."""
    if question in ("training moves the samples nearer (away)", "a label’s share changes in training"):
        return (texts, of_one) == (1000, 1)  # the samples are tested, and the texts are only what they are compared to
    if any(words in question for words in ("copied", "passages", "it says", "another model", "numbers", "tell")):
        return labels == LABELS[0]  # only right and wrong, words, bits, numbers or answers are counted
    if "drawn rows" in question:
        return of_one == 1 and texts >= 300  # of fewer texts, people look at all
    if "through documents" in question:
        return of_one > 1
    if question == "how varied samples are":
        return labels == LABELS[0] and (texts <= 300 or (texts, of_one) == (1000, 20))
    if "simple model" in question:
        # At most as many passages, one of each document, as there are samples.
        return labels == LABELS[0] and (texts, of_one) not in ((1000, 1), (10_000, 1), (10_000, 20))
    return True


def more_jobs(found: dict[Job, dict[str, Any]]) -> Iterator[Job]:
    """List more corpora of the kinds whose rate, or coverage, may only by chance be out of reach."""
    kinds = [row for row in rates(found) if not row["effect"] and row["rate"] > LOOK_AGAIN]
    kinds += [
        row for row in coverage(found)
        if row["intervals"] >= 2 * AT_ONCE and not COVER_AGAIN[0] <= row["covered"] <= COVER_AGAIN[1]
        and not row["interval_of"].endswith(UNKNOWN)
    ]  # fmt: skip
    for kind in dict.fromkeys(tuple(row[key] for key in Job._fields[:5]) for row in kinds):
        first = EFFECTS if kind[4] else FIRST
        if sum(job.corpora for job in found if job[:5] == kind) >= first:
            for start in range(first, first + MORE, AT_ONCE):
                yield Job(*kind, start=start, corpora=AT_ONCE)


def simulate(jobs: list[Job], until: float) -> dict[Job, dict[str, Any]]:
    """Do the jobs that this commit has not done yet, and write down each; none is begun after the time is up."""
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    code, found, wanted = commit(), {}, set(jobs)
    if KEPT.exists():
        for line in KEPT.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            if record["commit"] == code and (job := Job(*record["job"])) in wanted:
                found[job] = record
    waiting = [job for job in jobs if job not in found]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with KEPT.open("a", encoding="utf-8") as file, ProcessPoolExecutor(cores) as pool:
        for future in as_completed([pool.submit(count, job, until) for job in waiting]):
            if (record := future.result()) is not None:
                file.write(json.dumps(record | {"commit": code}) + "\n")
                file.flush()
                found[Job(*record["job"])] = record
    return found


def count(job: Job, until: float) -> dict[str, Any] | None:
    """Ask a question about some corpora; count the claims, and what their intervals have in them."""
    if time.monotonic() > until:
        return None
    claims, intervals = 0, Counter[str]()
    with threadpool_limits(1):
        for seed in range(job.start, job.start + job.corpora):
            world = World(seed, job.texts, job.of_one, job.labels, job.effect)
            claims += ASKED[job.question](world)
            for kind, covers, has_estimate in world.intervals:
                intervals[f"{kind}|all"] += 1
                intervals[f"{kind}|covered"] += covers
                intervals[f"{kind}|without estimate"] += not has_estimate
    return {"job": list(job), "corpora": job.corpora, "claims": claims, "intervals": dict(intervals)}


def rates(found: dict[Job, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Sum up for each question and kind of corpus how often something is found."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for job, record in sorted(found.items()):
        if job.question in QUESTIONS:
            groups.setdefault(tuple(job[:5]), []).append(record)
    for (question, texts, of_one, labels, effect), records in groups.items():
        claims, corpora = (sum(record[key] for record in records) for key in ("claims", "corpora"))
        row = {"question": question, "texts": texts, "of_one": of_one, "labels": labels, "effect": effect}
        yield row | {
            "corpora": corpora,
            "claims": claims,
            "rate": claims / corpora,
            "interval": wilson(claims, corpora),
        }


def coverage(found: dict[Job, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Sum up for each question, interval and kind of corpus how often the truth is in it."""
    groups: dict[tuple[Any, ...], Counter[str]] = {}
    for job, record in sorted(found.items()):
        for name, number in record["intervals"].items():
            interval, what = name.split("|")
            groups.setdefault((interval, *job[:5]), Counter())[what] += number
    for (interval, *kind), numbers in groups.items():
        row = {"interval_of": interval} | dict(zip(Job._fields[:5], kind, strict=True))
        yield row | {"intervals": numbers["all"], "covered": numbers["covered"] / numbers["all"],
                     "without_estimate": numbers["without estimate"]}  # fmt: skip


def wilson(hits: int, number: int) -> list[float]:
    """Return the 95 % interval of a rate (Wilson, JASA 22, 1927)."""
    square, rate = float(norm.ppf(0.975)) ** 2, hits / number
    width = (square * (rate * (1 - rate) + square / (4 * number)) / number) ** 0.5
    middle = rate + square / (2 * number)
    return [round((middle + side * width) / (1 + square / number), 4) for side in (-1, 1)]


def figures_of(notes: dict[str, Any]) -> dict[str, Figure]:
    """Choose the worst kind of corpus for each question and each interval, of the rows in the record."""
    rows, covered = notes["rates"], notes["coverage"]
    few = [row for row in rows if row["texts"] // row["of_one"] < FEWEST_DOCUMENTS]
    figures = {}
    for question, (_, effect) in QUESTIONS.items():
        figures |= _claim(question, effect, [row for row in rows if row["question"] == question and row not in few])
    for interval in dict.fromkeys(row["interval_of"] for row in covered):
        # Of kinds of corpora with fewer intervals the rate is too uncertain.
        of_kind = [row for row in covered if row["interval_of"] == interval and row["intervals"] >= 2 * AT_ONCE]
        if of_kind and not interval.endswith(UNKNOWN):
            for chosen, reach, less in ((min, COVERED, False), (max, COVERED_MOST, True)):
                row = chosen(of_kind, key=lambda one: one["covered"])
                word = "most" if less else "least"
                meaning = f"95 % intervals of {interval}: the truth is in them, {word} of {len(of_kind)} kinds, "
                meaning += f"{row['intervals']:,} intervals of {kind_of(row)}"
                spread = tuple(wilson(round(row["covered"] * row["intervals"]), row["intervals"]))
                reached = None if less and interval.endswith(AT_BOUND) else reach
                figures[f"{word} coverage of {interval}"] = Figure(meaning, row["covered"], reached, less, spread)
    without = sum(row["without_estimate"] for row in covered)
    figures["without estimate"] = Figure("intervals without their own estimate", without, 0, True)
    claims = sum(row["claims"] for row in few)
    figures["few"] = Figure("claims about corpora of fewer than 20 documents", claims, 0, True)
    return figures


def _claim(question: str, effect: str, rows: list[dict[str, Any]]) -> dict[str, Figure]:
    """Say how often one claim is made: of all kinds of corpora, of the worst one, and where there is an effect."""
    figures = {}
    nothing, something = ([row for row in rows if row["effect"] == there] for there in (False, True))
    if nothing:
        claims, corpora = (sum(row[key] for row in nothing) for key in ("claims", "corpora"))
        meaning = f"“{question}”, nothing to be found: {corpora:,} corpora of {len(nothing)} kinds"
        figures[question] = Figure(meaning, claims / corpora, REACH, True, tuple(wilson(claims, corpora)))
        worst = max(nothing, key=lambda row: row["rate"])
        meaning = f"the same, the worst kind: {worst['corpora']:,} corpora of {kind_of(worst)}"
        figures[f"worst: {question}"] = Figure(meaning, worst["rate"], REACH, True, tuple(worst["interval"]))
    if something:
        power = sorted(row["rate"] for row in something)
        meaning = f"the same, with an effect ({effect}): median of the kinds"
        figures[f"power: {question}"] = Figure(meaning, power[len(power) // 2], spread=(power[0], power[-1]))
    return figures


def kind_of(row: dict[str, Any]) -> str:
    """Name a kind of corpus."""
    return f"{row['texts']:,} texts, {row['of_one']} a document, {row['labels']} labels"


if __name__ == "__main__":
    main()
