"""The page in a real browser: it asks for nothing, runs nothing, shows hostile text as text, and fits the window."""

import nbformat
import pytest

from samizdat.base.escaping import plain, visible
from samizdat.base.files import write_text
from samizdat.publishing.content_policy import with_policy
from support import hostile, pdf, plain_notebooks
from support.browsing import (
    CHROMIUM,
    GROUPS,
    KINDS,
    MOODS,
    PROMPTS,
    TITLE,
    Watched,
    cut,
    publish_hostile,
    vanished,
)
from support.report_page import PROJECT

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium on the PATH (Debian's package chromium)")

# Everything that a page of the embedded renderer is made of.
ELEMENTS = set(
    """html head meta title link style body a header h1 h2 h3 h4 h5 h6 p span nav ul ol li main section div strong em
    code pre small sub sup del bdi br hr blockquote dl dt dd label input details summary figure figcaption img table
    thead tbody tr th td math semantics annotation mrow mi mo mn mtext mspace msub msup msubsup mfrac msqrt mtable mtr
    mtd footer colgroup col script button mark""".split()  # noqa: SIM905
)


@pytest.fixture(params=["wide light", "wide dark", "narrow light"])
def clean(request, chromium, made_up):
    size, scheme = request.param.split()
    watched = Watched(chromium, made_up / "report" / "report.html", size, color_scheme=scheme)
    yield watched
    watched.close()


@pytest.fixture(scope="session")
def hostile_page(tmp_path_factory):
    return publish_hostile(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(params=["wide light", "narrow dark"])
def attacked(request, chromium, hostile_page):
    size, scheme = request.param.split()
    watched = Watched(chromium, hostile_page, size, color_scheme=scheme)
    yield watched
    watched.close()


def check_nothing_happens(watched):
    assert watched.page.evaluate("window.ran") is None
    watched.unfold()
    for _ in range(5):
        watched.page.keyboard.press("Tab")
    assert watched.seen == []
    assert set(watched.each("*", "e.localName")) <= ELEMENTS
    assert len(watched.each("script")) == 4
    attributes = set(watched.each("*", "[...e.attributes].map(a => a.name).join(' ')"))
    assert not [name for names in attributes for name in names.split() if name.startswith("on") or name == "srcset"]
    assert {source[:15] for source in watched.each("[src]", "e.getAttribute('src')")} == {"data:image/png;"}
    targets = watched.each("[href]:not(a), a[href]", "e.getAttribute('href')")
    assert {target.split(":")[0] for target in targets if not target.startswith("#")} <= {
        "data",
        "https",
        "http",
        "mailto",
    }


def test_a_page_asks_for_nothing_and_runs_nothing(clean):
    check_nothing_happens(clean)
    assert clean.too_wide() == []


def test_a_page_is_accessible(clean):
    assert clean.violations() == {}
    clean.unfold()
    assert clean.violations() == {}


def test_a_page_is_dark_where_the_reader_likes_it_dark(clean):
    dark = clean.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    paper, ink = clean.each("html", "getComputedStyle(e).backgroundColor + ' ' + getComputedStyle(e).color")[0].split(
        ") "
    )
    light = [sum(map(int, colour.removeprefix("rgb(").rstrip(")").split(", "))) for colour in (paper, ink)]
    assert (light[0] < light[1]) == dark


def test_every_link_of_a_page_leads_somewhere_and_ids_are_unique(clean):
    ids = clean.each("[id]", "e.id")
    assert len(ids) == len(set(ids))
    links = clean.each("a[href^='#']", "e.getAttribute('href').slice(1)")
    assert links and set(links) <= set(ids)


def test_the_keyboard_skips_to_the_text_and_scrolls_what_is_too_wide(clean):
    clean.page.keyboard.press("Tab")
    assert clean.page.evaluate("document.activeElement.textContent") == "Skip to the text"
    clean.page.keyboard.press("Enter")
    clean.page.keyboard.press("Tab")
    assert clean.page.evaluate("document.activeElement.closest('main') !== null")
    scrolling = "e.scrollWidth <= e.clientWidth || e.tabIndex === 0"
    assert all(clean.each(".scroll", scrolling))


def test_the_contents_mark_where_the_reader_is_and_numbers_of_headings_are_links(clean):
    here = "e.getAttribute('aria-current') && e.hash"
    assert [hash for hash in clean.each("nav a", here) if hash] == ["#sec-summary"]
    for go, place in (
        ("document.querySelector('#sec-training').scrollIntoView()", "#sec-training"),
        ("scrollTo(0, 1e6)", "#sec-making"),
    ):
        clean.page.evaluate(go)
        clean.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert [hash for hash in clean.each("nav a", here) if hash] == [place]
    numbered = clean.each(":is(h2, h3) > a.number", "[e.closest('section').id, e.hash.slice(1)]")
    assert len(numbered) > 10 and all(section == target for section, target in numbered)


def test_the_four_answers_fit_the_window_with_their_pictures(clean):
    inside = "e.getBoundingClientRect().right <= innerWidth && e.scrollWidth <= e.clientWidth + 1"
    assert clean.each(".question", inside) == [True] * 4
    assert clean.each(".question img", f"{inside} && e.getBoundingClientRect().width > 250") == [True] * 3
    assert clean.each(".question h3") == [
        "Did it learn?", "Does it copy?", "What does it write?",
        "What did the classifiers find, and can they be trusted?",
    ]  # fmt: skip


@pytest.mark.parametrize("which", ["made up", "hostile"])
def test_paper_has_every_column_and_word(chromium, made_up, hostile_page, which):
    watched = Watched(chromium, made_up / "report" / "report.html" if which == "made up" else hostile_page)
    watched.unfold()
    assert watched.cut_on_paper() == []
    watched.close()


QUARTOS_TABLE = """<div style="height: {height}px"></div><div class="callout">
<div class="callout-header">Box {n}</div><figure style="margin: 0"><figcaption>Caption {n}</figcaption>
<div><div class="cell-output-display" style="overflow-x: auto"><table><thead><tr><th>Head {n}</th></tr></thead>
<tbody>{rows}</tbody></table></div></div></figure></div>"""
OWN_TABLE = """<div style="height: {height}px"></div><details open class="callout"><summary>Box {n}</summary><figure>
<figcaption>Caption {n}</figcaption><div class="scroll"><table><thead><tr><th>Head {n}</th></tr></thead>
<tbody>{rows}</tbody></table></div></figure></details>"""


@pytest.mark.parametrize(
    ("table", "styles"), [(QUARTOS_TABLE, ["tables.css"]), (OWN_TABLE, ["page.css", "tables.css"])]
)
def test_no_caption_and_no_heading_of_a_box_is_alone_at_the_foot_of_a_sheet(chromium, tmp_path, table, styles):
    css = "".join((PROJECT / name).read_text(encoding="utf-8") for name in styles)
    rows = "".join(f"<tr><td>Row {row}</td></tr>" for row in range(6))
    boxes = "".join(table.format(n=n, height=730 + 7 * n, rows=rows) for n in range(40))
    write_text(tmp_path / "page.html", f'<!DOCTYPE html><meta charset="utf-8"><style>{css}</style><body>{boxes}')
    watched = Watched(chromium, tmp_path / "page.html")
    sheets = [sheet.split() for sheet in pdf.pages(watched.page.pdf(format="A4")) if sheet.strip()]
    watched.close()
    assert len(sheets) > 30 and {sheet[-2] for sheet in sheets} == {"Row"}


QUARTOS_CALLOUT = """<!DOCTYPE html><meta charset="utf-8"><body>
<p style="height: 200vh"><a href="#tbl-a">Table 1</a></p>
<div class="callout"><div class="callout-header" data-bs-toggle="collapse" onclick="box.classList.toggle('show')">More
</div><div id="box" class="callout-collapse collapse"><table id="tbl-a"><tr><td>x</td></tr></table></div></div>
<style>.collapse:not(.show) { display: none }</style>"""


def test_on_quartos_page_a_reference_into_a_folded_callout_opens_it(chromium, tmp_path):
    script = (PROJECT / "quarto.html").read_text(encoding="utf-8")
    path = tmp_path / "page.html"
    path.write_text(QUARTOS_CALLOUT + script, encoding="utf-8")
    watched = Watched(chromium, path)
    table = watched.page.locator("#tbl-a")
    assert not table.is_visible()
    watched.page.click("a")
    table.wait_for(state="visible", timeout=5000)
    # A second time the address is the same, and the callout may have been folded again.
    watched.page.evaluate("box.classList.remove('show')")
    watched.page.click("a")
    table.wait_for(state="visible", timeout=5000)
    assert [what for kind, what in watched.seen if kind == "error"] == []
    watched.page.goto("about:blank")
    watched.page.goto(f"{path.as_uri()}#tbl-a")
    table.wait_for(state="visible", timeout=5000)
    watched.close()


def test_what_is_folded_is_printed_and_what_only_helps_on_a_screen_is_not(clean):
    assert clean.each("#tbl-config", "e.checkVisibility()") == [False]
    clean.page.emulate_media(media="print")
    clean.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert clean.each("#tbl-config", "e.checkVisibility()") == [True]
    assert clean.each("nav, .skip, .code", "e.checkVisibility()").count(True) == 0
    assert len(clean.page.pdf()) > 50_000


def test_hostile_text_runs_nothing_asks_for_nothing_and_fits(attacked):
    check_nothing_happens(attacked)
    assert attacked.too_wide() == []
    ids = attacked.each("[id]", "e.id")
    assert len(ids) == len(set(ids))


def test_a_page_of_hostile_text_is_accessible(attacked):
    assert attacked.violations() == {}


def test_hostile_text_and_names_and_notes_are_shown_as_their_visible_form(attacked):
    attacked.unfold()
    assert len(set(PROMPTS)) >= 200
    assert attacked.each(":is(#tbl-steps, #tbl-more-steps) td:first-child > bdi[lang]") == [
        cut(prompt, 400) for prompt in PROMPTS
    ]
    assert len(attacked.each("#tbl-gallery tbody tr")) == 2
    assert vanished(attacked) == []
    assert attacked.page.title() == plain(TITLE)
    groups = attacked.each("#tbl-groups td:first-child bdi")
    assert groups == sorted(visible(group) for group in GROUPS if group is not None)
    assert len(set(attacked.each("#tbl-quality td:nth-child(4) bdi"))) == len(MOODS) + len(KINDS)
    texts = {cut(text, 400) for text in hostile.EVERY}
    assert set(attacked.each("#tbl-examples td > bdi[lang]")) <= texts
    assert all(
        attacked.each(
            ":is(#tbl-steps, #tbl-more-steps) td > bdi[lang]",
            "!text(e).trim() || e.checkVisibility() && e.offsetWidth > 0",
        )
    )


def test_texts_from_right_to_left_begin_at_the_right_of_their_cell(attacked):
    attacked.unfold()
    shown = "(s => `${s.direction} ${s.display} ${s.textAlign}`)(getComputedStyle(e))"
    found = set(attacked.each("td > bdi[lang]:first-child", shown))
    assert {one for one in found if one.startswith("rtl")} == {"rtl inline-block start"}
    assert {one.split()[1] for one in found if one.startswith("ltr")} == {"inline"}


def test_pictures_say_what_hostile_labels_they_show(attacked):
    alternatives = " ".join(attacked.each("img", "e.alt"))
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
    watched.close()


def test_the_submitted_notebook_shows_no_syntax_of_quarto(hostile_page):
    assert plain_notebooks.raw_syntax(nbformat.read(hostile_page.with_name("report.ipynb"), as_version=4)) == []


def test_a_cell_of_the_submitted_notebook_holds_no_markup_of_the_corpus(hostile_page):
    for cell in nbformat.read(hostile_page.with_name("report.ipynb"), as_version=4).cells:
        for output in cell.get("outputs", []):
            assert "text/html" not in output.get("data", {})
            markdown = output.get("data", {}).get("text/markdown", "")
            assert "<script" not in markdown.lower() and "<img" not in markdown.lower()


def test_no_letter_that_the_fonts_lack_is_complained_of_in_the_notebook(hostile_page):
    for cell in nbformat.read(hostile_page.with_name("report.ipynb"), as_version=4).cells:
        assert [output["text"] for output in cell.get("outputs", ()) if output["output_type"] == "stream"] == []
