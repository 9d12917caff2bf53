"""The checklist of `languages.py`: what a report must say and must not say in any language, gone through by program."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from typing import Any

import nbformat
import pandas as pd
from record import ROOT

from samizdat.checkpoints.encoding import MOST_UNKNOWN
from samizdat.measures.words import letters
from samizdat.publishing.missing_letters import missing_in_figures
from samizdat.reporting.words import NO_BREAK, count

HELD_OUT_PROMPTS = 4
WITHOUT_BLANKS = {"ja", "th", "zh"}
REPLACEMENT = "\ufffd"
# What a report on these corpora can't say truly: words of the demo, of Python, and of counts over nothing.
FALSE = r"sentiment|tweet|editorial|The movie|Hutto|this is a bug|Traceback|\bnan\b|\bNone\b(?! of)|\b0 of 0\b|inf\b"


@dataclass
class Checked:
    """What was found in the report of one corpus."""

    language: str
    finished: bool = True  # else `false` has the last lines that the terminal showed
    texts: int = 0
    samples: int = 0
    replaced: int = 0  # samples with a replacement character that the corpus lacks
    boxes: str = ""  # letters that figures show as boxes
    pdf_letters: str = ""  # letters of the corpus that no font of the PDF has
    false: list[str] = field(default_factory=list)  # what the report says and is not so


@dataclass(frozen=True)
class Report:
    """A finished run, as the checklist reads it."""

    language: str
    name: str
    html: str
    page: str  # its visible text
    texts: pd.DataFrame
    samples: pd.DataFrame
    summary: dict[str, Any]

    @classmethod
    def of(cls, language: str, name: str) -> "Report":
        """Read the run of a language."""
        results = ROOT / "results" / name
        html = (results / "report" / "report.html").read_text(encoding="utf-8")
        return cls(
            language, name, html, visible_text(html),
            pd.read_parquet(results / "corpus" / "texts.parquet"),
            pd.read_parquet(results / "samples" / "gpt2-tiny.parquet"),
            json.loads((results / "corpus" / "summary.json").read_text(encoding="utf-8")),
        )  # fmt: skip

    def statistics(self, name: str) -> pd.DataFrame:
        """Read a table of statistics."""
        return pd.read_parquet(ROOT / "results" / self.name / "statistics" / f"{name}.parquet")


def check(language: str, name: str, rows: int, said: str) -> Checked:
    """Go through the checklist.

    Args:
        language: of the texts.
        name: of the run.
        rows: texts that the files have.
        said: what the terminal showed.
    """
    report = Report.of(language, name)
    found = Checked(language, texts=len(report.texts), samples=len(report.samples))
    own = set().union(*report.texts["text"])
    if REPLACEMENT not in own:
        found.replaced = int(report.samples["text"].str.contains(REPLACEMENT).sum())
    found.boxes = missing_in_figures(
        nbformat.read(ROOT / "results" / name / "report" / "quarto.ipynb", as_version=4)
    )  # fmt: skip
    log = (ROOT / "logs" / name / "render_pdf.log").read_text(encoding="utf-8")
    lacking = {chr(int(number, 16)) for number in re.findall(r"\bU\+([0-9A-F]{4,6})\b", log)}
    found.pdf_letters = "".join(sorted(lacking & own))
    found.false = [
        *_numbers(report, rows), *_prompts(report), *_measures(report), *_layout(report), *_words(report, said)
    ]  # fmt: skip
    return found


def _numbers(report: Report, rows: int) -> Iterator[str]:
    """Check that the numbers of texts add up, and that most texts are said to be in their language."""
    summary = report.summary
    parts = {
        "texts read": (summary["read"], rows),
        "kept and dropped": (summary["texts"] + sum(summary["dropped"].values()), summary["read"]),
        "texts of splits": (sum(summary["splits"].values()), summary["texts"]),
        "texts of groups": (sum(summary["groups"].values()), summary["texts"]),
    }
    yield from (f"{what}: {one} is not {other}" for what, (one, other) in parts.items() if one != other)
    if f"{count(len(report.texts))}{NO_BREAK}texts from" not in report.page:
        yield "the number of texts is not in the report"
    spoken = report.statistics("languages").set_index("language")["texts"]
    if spoken.idxmax() != report.language:
        yield f"most texts are said to be in {spoken.idxmax()}"


def _prompts(report: Report) -> Iterator[str]:
    """Check that prompts are beginnings of held-out texts, cut between letters, and that lacking ones are told."""
    drawn = report.samples[report.samples["prompt_kind"] == "held_out"].drop_duplicates("prompt_text_id")
    whole = report.texts.set_index("id")["text"]
    for prompt, text in zip(drawn["prompt"], whole.loc[drawn["prompt_text_id"]], strict=True):
        pieces = letters(prompt)
        if not pieces or letters(text)[: len(pieces)] != pieces:
            yield f"the prompt {prompt!r} is no beginning of its text, cut between letters"
    told = "that the config asks for" in report.page or "no held-out text is long enough" in report.page
    if (len(drawn) < HELD_OUT_PROMPTS) != told:
        yield f"{len(drawn)} held-out prompts, and the report says {'so' if told else 'nothing'}"


def _measures(report: Report) -> Iterator[str]:
    """Check that what is counted is called so, and that closeness is not of an encoder that can't read the texts."""
    quality = report.statistics("sample_quality")
    metrics = set(quality["metric"])
    unread = quality.loc[quality["metric"] == "unread_token_share", "value"]
    blind = len(unread) > 0 and float(unread.iloc[0]) > MOST_UNKNOWN
    if blind and ("closeness" in metrics or "The sentence encoder doesn’t know" not in report.page):
        yield "closeness by an encoder that can't read the texts"
    if not blind and "The sentence encoder doesn’t know" in report.page:
        yield "the encoder is said not to read the texts, and it does"
    if ("as a dictionary finds them" in report.page) != (report.language in WITHOUT_BLANKS):
        yield "what words are is not said as the script has it"
    if "per character" not in report.page:
        yield "no bits per character beside bits per byte"


def _layout(report: Report) -> Iterator[str]:
    """Check that texts have their language and a direction of their own, and that no caption is over nothing."""
    if f'<bdi lang="{report.language}">' not in report.html:
        yield f"no text is isolated and marked as {report.language}"
    for figure in re.findall(r"<figure\b.*?</figure>", report.html, re.DOTALL):
        caption = re.search(r"<figcaption\b.*?</figcaption>", figure, re.DOTALL)
        if caption and not re.search(r"<(img|svg|table)\b", figure):
            yield f"a caption over nothing: {visible_text(caption[0]).strip()[:80]}"


def _words(report: Report, said: str) -> Iterator[str]:
    """Check page and terminal for words that can't be true there."""
    # Names of colours and the like are in texts, so only what the report says itself is searched.
    own = report.page
    for text in sorted({*report.texts["text"], *report.samples["text"]}, key=len, reverse=True):
        own = own.replace(text, "")
    yield from (f"the report says {match[0]!r}" for match in re.finditer(FALSE, own))
    yield from (line for line in said.splitlines() if "this is a bug" in line or "Traceback" in line)


def visible_text(page: str) -> str:
    """Return the text of a page, without scripts, styles, code and tags."""
    shown = re.sub(r"<(script|style|pre|code)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return unescape(re.sub(r"<[^>]+>", "", shown))
