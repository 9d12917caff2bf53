"""Open a page in a real browser and record what it does; make a run whose texts, labels and names are all hostile."""

import shutil
from pathlib import Path
from typing import Any

from samizdat.base.escaping import shortened, visible
from samizdat.base.files import write_text
from support import hostile
from support.run_fixture import make_run, publish

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
LAUNCH = {"executable_path": CHROMIUM, "args": ["--no-sandbox", "--disable-gpu"]}
SIZES = {"wide": {"width": 1280, "height": 900}, "narrow": {"width": 360, "height": 780}}
# The text of an element with its line ends; non-breaking spaces become spaces.
TEXT = r"""
const text = e => [...e.childNodes].map(n => n.nodeType === 3 ? n.data : n.nodeName === 'BR' ? '\n' : text(n)).join('')
  .replaceAll('\u00a0', ' ');
"""
# A sheet of A4 between its margins, in the pixels of CSS.
PAPER = {"width": 672, "height": 990}
CUT = """[...document.querySelectorAll('body *')].filter(e => !e.closest('math') && e.getClientRects().length
  && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map(e => e.outerHTML)"""
# Words that a line ends within, in tables of up to eight columns; one may be narrower than a word of over 12 letters.
BROKEN = r"""(() => {
  const found = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode;
    if (!node.parentElement.closest('table:not(:has(th:nth-child(9))) :is(td, th)')) continue;
    for (const word of node.data.matchAll(/[\p{L}\p{N}.,]{1,12}(?![\p{L}\p{N}.,]|\S)/gu)) {
      if (word.index && /\S/.test(node.data[word.index - 1])) continue;
      const range = document.createRange();
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      const lines = new Set([...range.getClientRects()].filter(e => e.width).map(e => Math.round(e.top)));
      if (lines.size > 1) found.push(word[0]);
    }
  }
  return found;
})()"""
WIDE = """[...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll, math, .skip')
  && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map(e => e.outerHTML)"""

TITLE = f"{hostile.HTML[3]} $x$ {{{{< meta title >}}}} 50 % \u202e \x1b[31m"
AUTHOR, COURSE = f"% {hostile.HTML[11]}\nsecond", f"{hostile.HTML[0]} *x*"
MOODS = (hostile.HTML[0], "$x$", "_underscore", "x" * 300, "\u202er\x00tl")
KINDS = (hostile.HTML[11], "</script>", "**b**", "مرحبا")
GROUPS = (*hostile.HTML[:4], "all texts", "nan", "_", "{{< x >}}", "| a |", None)
# A text may have a million characters, but prompts are short, as the models' own texts are.
PROMPTS = [text for text in hostile.EVERY if len(text) <= 20_000]
FILES = ("data/<script>alert(1)</script>.txt", "data/`$x$` {{< x >}}.csv", "data/\u202egnp.txt")


class Watched:
    """A page with all its requests, except the one for itself, console messages, errors, dialogs and popups."""

    def __init__(self, browser: Any, path: Path, size: str = "wide", **options: Any):
        self.seen: list[tuple[str, str]] = []
        self.page = browser.new_context(viewport=SIZES[size], **options).new_page()
        self.page.on("request", lambda request: self.see("request", request.url, path.as_uri()))
        self.page.on("console", lambda message: self.see(f"console {message.type}", message.text))
        self.page.on("pageerror", lambda error: self.see("error", str(error)))
        self.page.on("dialog", lambda dialog: (self.see("dialog", dialog.message), dialog.dismiss()))
        self.page.on("popup", lambda popup: self.see("popup", popup.url))
        self.page.goto(path.as_uri())

    def see(self, kind: str, what: str, expected: str | None = None) -> None:
        """Record an event, unless it is the expected one."""
        if what != expected:
            self.seen.append((kind, what[:200]))

    def each(self, selector: str, value: str = "text(e)") -> list[Any]:
        """Return a value of each element that the selector finds, in order."""
        return self.page.evaluate(
            f"s => {{ {TEXT}; return [...document.querySelectorAll(s)].map(e => {value}) }}", selector
        )

    def unfold(self) -> None:
        """Open every folded element."""
        self.page.evaluate("document.querySelectorAll('details').forEach(e => { e.open = true })")

    def violations(self) -> dict[str, list[str]]:
        """Return the accessibility violations that axe finds, each with the first elements that it concerns."""
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page).response["violations"]
        return {violation["id"]: [node["html"][:200] for node in violation["nodes"][:3]] for violation in found}

    def too_wide(self) -> list[str]:
        """Return the elements that are wider than the window and in no element that scrolls."""
        inner, window = self.page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        return self.page.evaluate(WIDE) + ([f"the page: {inner} of {window} pixels"] if inner > window else [])

    def cut_on_paper(self) -> list[str]:
        """Return the elements of which a printed sheet has not the whole width, and words of tables that it breaks."""
        self.page.set_viewport_size(PAPER)
        self.page.emulate_media(media="print")
        return self.page.evaluate(CUT) + self.page.evaluate(BROKEN)

    def close(self) -> None:
        """Close the page."""
        self.page.context.close()


def publish_hostile(folder: Path) -> Path:
    """Make a run whose texts, labels, groups, prompts, samples, files, names and notes are hostile; return its page."""
    write_text(folder / "notes.md", "\n\n".join(hostile.EVERY))
    sampling = {
        "temperatures": [1.0], "top_k": 0, "top_p": 1.0, "repetition_penalty": 1.0, "max_new_tokens": 9,
        "no_repeat_ngram": 0,
    }  # fmt: skip
    run = make_run(
        folder / "run", texts=hostile.EVERY, groups=GROUPS, labels={"mood": MOODS, "kind": KINDS}, percents=(100,),
        prompts=tuple(PROMPTS), sample_texts=PROMPTS, unprompted=2, title=TITLE, author=AUTHOR,
        course=COURSE, inputs=dict.fromkeys(FILES, "0" * 64), sampling=sampling,
    )  # fmt: skip
    return publish(run, folder / "notes.md")


def cut(text: str, longest: int) -> str:
    """Return the visible form that a text has in a table."""
    return visible(text[:longest].rstrip() if len(text) > longest else text).replace("\u00a0", " ")


def vanished(watched: Watched) -> list[str]:
    """Return the hostile prompts, names and notes that the page does not show as they are."""
    rows = dict(
        watched.each(":is(#tbl-steps, #tbl-more-steps) tbody tr", "[...e.querySelectorAll('td > bdi[lang]')].map(text)")
    )
    missing = [
        prompt for prompt in PROMPTS if not rows.get(cut(prompt, 400), "\0").startswith(cut(prompt, 360).strip()[:300])
    ]
    names = {
        "h1": [TITLE],
        ".author, .subtitle": [COURSE, AUTHOR],
        "#tbl-groups td:first-child bdi": [group for group in GROUPS if group is not None],
        "#tbl-quality td:nth-child(4) bdi": [shortened(label) for label in (*MOODS, *KINDS)],
        "#tbl-hashes td:first-child code": FILES,
    }
    for selector, expected in names.items():
        shown = set(watched.each(selector))
        missing += [name for name in expected if visible(name) not in shown]
    # The notes are Markdown: texts with characters that mean something there need not be shown as they are.
    notes = watched.each("section:has(> #sec-notes), #sec-notes")[0]
    return missing + [text for text in hostile.HTML if text not in notes and not set(text) & set("`&\\\t")]
