"""Check the report on paper, for `report.py`: the PDF, and the pages as a browser prints them."""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from random import Random

import nbformat
from record import Figure
from report_notebook import differing_bytes

from samizdat.base.escaping import visible
from samizdat.publishing.typst_pdf import compile_pdf
from samizdat.publishing.typst_source import write_typst
from support import browsing, pdf
from support.run_fixture import make_run, publish

WORDS = "كتاب قديم يقرأ الرسائل الطويلة في المساء تحت المطر والبيت الصغير بعيد عن المدينة الكبيرة يكتب الشاعر قصيدة"

_SHAPELESS = ("Mn", "Me", "Cf")


@dataclass
class Paper:
    """The PDF of one run, and the problems that were found in it."""

    corpus: str
    path: Path
    differing: int
    failure: str  # what the compiler's check for PDF/UA-1 says; empty where it passes
    cut: list[str]


def publish_arabic(folder: Path) -> Path:
    """Make a run in Arabic: texts, samples, groups, labels, title; return its page."""
    random = Random(1)
    texts = [f"{' '.join(random.choices(WORDS.split(), k=random.randint(4, 30)))}. {number}" for number in range(300)]
    labels = {"شعور": ("سلبي", "محايد", "إيجابي"), "مصدر": ("رسالة", "قصيدة")}
    run = make_run(
        folder / "arabic", texts=texts[:240], groups=("رسالة", "قصيدة"), labels=labels, prompts=("", "كتاب قديم"),
        sample_texts=texts[240:], title="ما تعلمه نموذج صغير", author="ليلى", language="ar",
    )  # fmt: skip
    return publish(run)


def make_pdfs(notebooks: dict[str, Path], folder: Path) -> list[Paper]:
    """Make the PDF of each notebook twice.

    Raises:
        UserError: no font of this machine has the letters of the hostile run.
    """
    made = []
    for corpus, notebook in notebooks.items():
        path = folder / f"{corpus}.pdf"
        try:
            first, second = (
                compile_pdf(write_typst(nbformat.read(notebook, as_version=4)), folder / f"typst-{corpus}")[0]
                for _ in range(2)
            )
        except RuntimeError as error:
            made.append(Paper(corpus, path, 0, str(error), []))
            continue
        path.write_bytes(first)
        made.append(Paper(corpus, path, differing_bytes(first, second), "", pdf.cut(path)))
    return made


def vanished(paper: Paper) -> list[str]:
    """List the hostile prompts that the PDF doesn't show; of long ones the beginning counts."""
    shown = _collapsed(_plain(pdf.words(paper.path))) if not paper.failure else ""
    return [text for text in browsing.PROMPTS if not all(_is_in(piece, shown) for piece in _pieces(text))]


def _pieces(text: str) -> list[str]:
    """Return what has to be in the PDF: the text, or each word of one with two directions, which have no one order."""
    plain = _plain(visible(text[:100]))
    both = any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in plain)
    return [_collapsed(piece) for piece in (re.findall(r"\w+", plain) if both else [re.sub(r"\s", "", plain)])]


def _is_in(piece: str, shown: str) -> bool:
    return piece in shown or piece[::-1] in shown


def _plain(text: str) -> str:
    """Write ligatures as their letters, and leave out marks and what has no shape: readers differ in these."""
    letters = unicodedata.normalize("NFKD", text)
    return "".join(one for one in letters if unicodedata.category(one) not in _SHAPELESS and one not in "\u1160\ufffc")


def _collapsed(text: str) -> str:
    """Write a letter once where it is repeated: a letter with several marks is read several times."""
    return re.sub(r"(.)\1+", r"\1", text)


def figures_of(papers: list[Paper], printed: dict[str, list[str]], failed: list[str]) -> dict[str, Figure]:
    """Make the figures.

    Args:
        papers: the PDFs.
        printed: what sheets of A4 cut off the page of each corpus and renderer.
        failed: hostile strings that the PDF doesn't show.
    """
    corpora = ", ".join(paper.corpus for paper in papers)
    return {
        "pdf_failures": Figure(
            f"PDFs that don't pass the compiler's check for PDF/UA-1 ({corpora})",
            sum(bool(paper.failure) for paper in papers), 0, True,
        ),
        "pdf_differing_bytes": Figure(
            "bytes that differ between two makings of the PDF", sum(paper.differing for paper in papers), 0, True
        ),
        "pdf_cut": Figure(
            "letters in the PDF that are cut off or on top of others", sum(len(paper.cut) for paper in papers), 0, True
        ),
        "pdf_vanished": Figure(
            f"hostile strings that the PDF doesn't show, of {len(set(browsing.PROMPTS))}", len(failed), 0, True
        ),
        **{
            f"printed_cut_{renderer}": Figure(
                f"elements of the pages that a printed sheet of A4 cuts, {renderer} ({corpora})",
                sum(len(cut) for page, cut in printed.items() if page.endswith(renderer)), 0, True,
            )
            for renderer in dict.fromkeys(page.rpartition(", ")[2] for page in printed)
        },
    }  # fmt: skip
