"""The page in a real browser: it asks for nothing, runs nothing, shows hostile text as text, and fits the window."""

import shutil

import hostile
import nbformat
import pytest
from run_fixture import make_run, publish
from samizdat.escaping import plain, shortened, visible
from samizdat.files import write_text
from samizdat.policy import with_policy

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium on the PATH (Debian's package chromium)")

SIZES = {"wide": {"width": 1280, "height": 900}, "narrow": {"width": 360, "height": 780}}
# Everything that a page of the embedded renderer is made of.
ELEMENTS = set(
    """html head meta title link style body a header h1 h2 h3 h4 h5 h6 p span nav ul ol li main section div strong em
    code pre small sub sup del bdi br hr blockquote dl dt dd label input details summary figure figcaption img table
    thead tbody tr th td math semantics annotation mrow mi mo mn mtext mspace msub msup msubsup mfrac msqrt mtable mtr
    mtd footer colgroup col""".split()  # noqa: SIM905
)
# The text of an element with its line ends, hard blanks as blanks.
TEXT = r"""
const text = e => [...e.childNodes].map(n => n.nodeType === 3 ? n.data : n.nodeName === 'BR' ? '\n' : text(n)).join('')
  .replaceAll('\u00a0', ' ');
"""


@pytest.fixture(scope="session")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


class Watched:
    """A page with all that it asked for, complained of or opened, but for itself."""

    def __init__(self, browser, path, size="wide", **options):
        self.seen = []
        self.page = browser.new_context(viewport=SIZES[size], **options).new_page()
        self.page.on("request", lambda request: self.see("request", request.url, path.as_uri()))
        self.page.on("console", lambda message: self.see(f"console {message.type}", message.text))
        self.page.on("pageerror", lambda error: self.see("error", str(error)))
        self.page.on("dialog", lambda dialog: (self.see("dialog", dialog.message), dialog.dismiss()))
        self.page.on("popup", lambda popup: self.see("popup", popup.url))
        self.page.goto(path.as_uri())

    def see(self, kind, what, expected=None):
        if what != expected:
            self.seen.append((kind, what[:200]))

    def list(self, selector, value="text(e)"):
        """A value of each element, in order."""
        return self.page.evaluate(
            f"s => {{ {TEXT}; return [...document.querySelectorAll(s)].map(e => {value}) }}", selector
        )

    def violations(self):
        """What axe finds, with the elements concerned."""
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page).response["violations"]
        return {violation["id"]: [node["html"][:200] for node in violation["nodes"][:3]] for violation in found}


@pytest.fixture(params=["wide light", "wide dark", "narrow light"])
def clean(request, chromium, made_up):
    size, scheme = request.param.split()
    watched = Watched(chromium, made_up / "report" / "report.html", size, color_scheme=scheme)
    yield watched
    watched.page.context.close()


TITLE = f"{hostile.HTML[3]} $x$ {{{{< meta title >}}}} 50 % \u202e \x1b[31m"
AUTHOR, COURSE = f"% {hostile.HTML[11]}\nsecond", f"{hostile.HTML[0]} *x*"
MOODS = (hostile.HTML[0], "$x$", "_underscore", "x" * 300, "\u202er\x00tl")
KINDS = (hostile.HTML[11], "</script>", "**b**", "مرحبا")
GROUPS = (*hostile.HTML[:4], "all texts", "nan", "_", "{{< x >}}", "| a |", None)
# A text may be a megabyte, a prompt may not: the models' own texts are short.
PROMPTS = [text for text in hostile.EVERY if len(text) <= 20_000]
FILES = ("data/<script>alert(1)</script>.txt", "data/`$x$` {{< x >}}.csv", "data/\u202egnp.txt")


@pytest.fixture(scope="session")
def hostile_page(tmp_path_factory):
    """The page of a run in which every text, label, group, prompt, sample, file, name and note is hostile."""
    folder = tmp_path_factory.mktemp("hostile")
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


@pytest.fixture(params=["wide light", "narrow dark"])
def attacked(request, chromium, hostile_page):
    size, scheme = request.param.split()
    watched = Watched(chromium, hostile_page, size, color_scheme=scheme)
    yield watched
    watched.page.context.close()


def check_nothing_happens(watched):
    assert watched.page.evaluate("window.ran") is None
    watched.page.evaluate("document.querySelectorAll('details').forEach(e => { e.open = true })")
    for _ in range(5):
        watched.page.keyboard.press("Tab")
    assert watched.seen == []
    assert set(watched.list("*", "e.localName")) <= ELEMENTS
    attributes = set(watched.list("*", "[...e.attributes].map(a => a.name).join(' ')"))
    assert not [name for names in attributes for name in names.split() if name.startswith("on") or name == "srcset"]
    assert {source[:15] for source in watched.list("[src]", "e.getAttribute('src')")} == {"data:image/png;"}
    targets = watched.list("[href]:not(a), a[href]", "e.getAttribute('href')")
    assert {target.split(":")[0] for target in targets if not target.startswith("#")} <= {
        "data",
        "https",
        "http",
        "mailto",
    }


def check_it_fits(watched):
    width, window = watched.page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert width <= window
    wide = """[...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll, math, .skip')
      && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map(e => e.outerHTML)"""
    assert watched.page.evaluate(wide) == []


def test_a_page_asks_for_nothing_and_runs_nothing(clean):
    check_nothing_happens(clean)
    check_it_fits(clean)


def test_a_page_is_accessible(clean):
    assert clean.violations() == {}
    clean.page.evaluate("document.querySelectorAll('details').forEach(e => { e.open = true })")
    assert clean.violations() == {}


def test_a_page_is_dark_where_the_reader_likes_it_dark(clean):
    dark = clean.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    paper, ink = clean.list("html", "getComputedStyle(e).backgroundColor + ' ' + getComputedStyle(e).color")[0].split(
        ") "
    )
    light = [sum(map(int, colour.removeprefix("rgb(").rstrip(")").split(", "))) for colour in (paper, ink)]
    assert (light[0] < light[1]) == dark


def test_every_link_of_a_page_leads_somewhere_and_ids_are_unique(clean):
    ids = clean.list("[id]", "e.id")
    assert len(ids) == len(set(ids))
    links = clean.list("a[href^='#']", "e.getAttribute('href').slice(1)")
    assert links and set(links) <= set(ids)


def test_the_keyboard_skips_to_the_text_and_scrolls_what_is_too_wide(clean):
    clean.page.keyboard.press("Tab")
    assert clean.page.evaluate("document.activeElement.textContent") == "Skip to the text"
    clean.page.keyboard.press("Enter")
    clean.page.keyboard.press("Tab")
    assert clean.page.evaluate("document.activeElement.closest('main') !== null")
    scrolling = "e.scrollWidth <= e.clientWidth || e.tabIndex === 0"
    assert all(clean.list(".scroll", scrolling))


def test_what_is_folded_is_printed_and_what_only_helps_on_a_screen_is_not(clean):
    assert clean.list("#tbl-config", "e.checkVisibility()") == [False]
    clean.page.emulate_media(media="print")
    clean.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert clean.list("#tbl-config", "e.checkVisibility()") == [True]
    assert clean.list("nav, .skip, .code", "e.checkVisibility()").count(True) == 0
    assert len(clean.page.pdf()) > 50_000


def test_hostile_text_runs_nothing_asks_for_nothing_and_fits(attacked):
    check_nothing_happens(attacked)
    check_it_fits(attacked)
    ids = attacked.list("[id]", "e.id")
    assert len(ids) == len(set(ids))


def test_a_page_of_hostile_text_is_accessible(attacked):
    assert attacked.violations() == {}


def cut(text, longest):
    return visible(text[:longest].rstrip() if len(text) > longest else text).replace("\u00a0", " ")


def test_hostile_text_is_shown_as_its_visible_form(attacked):
    attacked.page.evaluate("document.querySelectorAll('details').forEach(e => { e.open = true })")
    assert len(set(PROMPTS)) >= 200
    rows = attacked.list("#tbl-steps tbody tr", "[...e.querySelectorAll('td > bdi[lang]')].map(text)")
    assert [prompt for prompt, _ in rows] == [cut(prompt, 400) for prompt in PROMPTS]
    assert len(attacked.list("#tbl-gallery tbody tr")) == 2
    for prompt, (_, sample) in zip(PROMPTS, rows, strict=True):
        assert sample.startswith(cut(prompt, 360).strip()[:300])
    texts = {cut(text, 400) for text in hostile.EVERY}
    assert set(attacked.list("#tbl-examples td > bdi[lang]")) <= texts
    assert attacked.list("h1") == [visible(TITLE)] and attacked.page.title() == plain(TITLE)
    assert attacked.list(".author, .subtitle") == [visible(COURSE), visible(AUTHOR)]
    groups = attacked.list("#tbl-groups td:first-child bdi")
    assert groups == sorted(visible(group) for group in GROUPS if group is not None)
    labels = set(attacked.list("#tbl-quality td:nth-child(4) bdi"))
    assert labels == {visible(shortened(label)) for label in (*MOODS, *KINDS)}
    assert {visible(name) for name in FILES} <= set(attacked.list("#tbl-hashes td:first-child code"))
    assert all(
        attacked.list("#tbl-steps td > bdi[lang]", "!text(e).trim() || e.checkVisibility() && e.offsetWidth > 0")
    )


def test_hostile_notes_show_their_tags(attacked):
    shown = attacked.list("section:has(> #sec-notes), #sec-notes")[0]
    for text in hostile.HTML:
        if not any(character in text for character in "`&\\\t"):
            assert text in shown, text


def test_pictures_say_what_hostile_labels_they_show(attacked):
    alternatives = " ".join(attacked.list("img", "e.alt"))
    for label in (*MOODS[:3], *KINDS, *GROUPS[:4]):
        assert plain(label) in alternatives


def test_a_policy_lets_the_scripts_of_a_page_run_and_no_other(chromium, tmp_path):
    page = with_policy(
        '<!DOCTYPE html>\n<head>\n<meta charset="utf-8">\n<title>x</title></head><body>'
        "<script>window.own = 'ž' < 'x' || 1</script><button onclick=\"window.pressed = &quot;yes&quot;\">x</button>"
    )
    page += "<script>window.ran = 1</script><img src=x onerror='window.ran = 2'><img src='https://example.org/x.png'>"
    write_text(tmp_path / "page.html", page)
    watched = Watched(chromium, tmp_path / "page.html")
    watched.page.click("button")
    assert watched.page.evaluate("[window.own, window.pressed, window.ran]") == [1, "yes", None]
    assert {kind for kind, _ in watched.seen} <= {"console error", "request"}
    assert all("Content Security Policy" in what for kind, what in watched.seen if kind == "console error")
    watched.page.context.close()


def test_a_cell_of_the_submitted_notebook_holds_no_markup_of_the_corpus(hostile_page):
    for cell in nbformat.read(hostile_page.with_name("report.ipynb"), as_version=4).cells:
        for output in cell.get("outputs", []):
            assert "text/html" not in output.get("data", {})
            markdown = output.get("data", {}).get("text/markdown", "")
            assert "<script" not in markdown.lower() and "<img" not in markdown.lower()
