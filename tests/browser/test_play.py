"""The page with a model in a real browser: it asks for nothing, says what it computes, and shows text as text."""

import pytest

from support import hostile
from support.browsing import CHROMIUM, Watched
from support.played_model import open_played, write_page

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium on the PATH (Debian's package chromium)")


@pytest.fixture(params=["wide light", "narrow dark"])
def clean(request, chromium, page):
    size, scheme = request.param.split()
    watched = open_played(chromium, page, size, color_scheme=scheme)
    yield watched
    watched.close()


@pytest.fixture
def wide(chromium, page):
    watched = open_played(chromium, page)
    yield watched
    watched.close()


def everything_seen(watched):
    """What the page did, besides starting its own worker."""
    return [(kind, what) for kind, what in watched.seen if not what.startswith("blob:")]


def test_the_page_is_accessible_fits_and_asks_for_nothing(clean):
    assert clean.violations() == {}
    clean.page.click("#one")
    clean.page.locator("#said", has_text="1 token was written").wait_for()
    assert clean.violations() == {}
    assert clean.too_wide() == []
    assert everything_seen(clean) == []


def test_the_page_speaks_another_language(chromium, model, tmp_path):
    watched = Watched(chromium, write_page(model, tmp_path / "play.html", report_language="cs"))
    watched.page.locator("#said", has_text="Model je připraven.").wait_for()
    watched.page.locator("#alternatives tr").first.wait_for()
    possible = watched.page.locator("#possible").text_content()
    assert possible.startswith("S tímto nastavením se zde losuje") and possible.endswith("(ze všech 400).")
    assert "," in watched.each("#tokens small")[0] and watched.page.locator("#write").text_content() == "Psát dál"
    assert everything_seen(watched) == [] and watched.violations() == {}
    watched.close()


def test_one_writes_and_sees_what_each_token_cost(wide, model):
    tokens = wide.page.locator("#tokens button")
    typed = tokens.count() - 1
    wide.page.click("#write")
    said = wide.page.locator("#said", has_text="written")
    said.wait_for()
    count = int(said.text_content().split()[0])
    ended = "The model ended the text." in said.text_content()
    assert tokens.count() == typed + count and (ended or typed + count == 95)
    labels = wide.each("#tokens button", "e.getAttribute('aria-label')")
    assert [label.rsplit(", ")[-1] for label in labels] == ["typed"] * typed + ["written"] * count
    assert wide.each("#text span")[0] == "The rain"
    wide.page.click("#again")
    wide.page.locator("#tokens button", has_text="next").wait_for()
    assert tokens.count() == typed + 1 and wide.each("#text span")[1] == ""
    assert said.count() == 0, "what was said of a text that is gone"


def test_a_text_from_right_to_left_and_its_tokens_begin_at_the_right(wide):
    directions = "['text', 'tokens'].map(id => getComputedStyle(document.getElementById(id)).direction)"
    assert wide.page.evaluate(directions) == ["ltr", "ltr"]
    wide.page.fill("#beginning", "مرحبا")
    wide.page.locator("#text", has_text="مرحبا").wait_for()
    assert wide.page.evaluate(directions) == ["rtl", "rtl"]


def test_the_settings_decide_what_can_be_drawn(wide):
    possible = wide.page.locator("#possible")
    wide.page.locator("#topK").fill("3")
    wide.page.locator("#possible", has_text="3 of 400 tokens").wait_for()
    chances = wide.page.locator("#alternatives tr td:nth-child(5)")
    assert [chances.nth(row).text_content() for row in (3, 4)] == ["0.00 %"] * 2
    wide.page.locator("#temperature").fill("0")
    wide.page.locator("#possible", has_text="1 of 400 tokens").wait_for()
    assert possible.is_visible()
    wide.page.click("#one")
    wide.page.locator("#said", has_text="written").wait_for()
    assert wide.page.locator("#tokens li:nth-last-child(2) button").get_attribute("class") in ("", None)


def test_another_checkpoint_has_other_costs(wide, asked):
    before = wide.each("#tokens small")
    wide.page.get_by_label("50 %").check()
    wide.page.locator("#said", has_text="At 50 % of training").wait_for()
    after = wide.each("#tokens small")
    tokens = asked.evaluate("window.ask('encode', { texts: ['The rain'] })")[0]
    costs = asked.evaluate("tokens => window.ask('costs', { percent: 50, tokens })", [0, *tokens])
    assert before != after == [*(f"{cost:.1f}" for cost in costs[1:]), "next"]


def test_the_keyboard_goes_through_the_tokens_and_uses_another_one(wide):
    wide.page.locator("#tokens [aria-pressed='true']").focus()
    assert wide.page.evaluate("document.activeElement.getAttribute('aria-label')") == "What could follow"
    wide.page.keyboard.press("Home")
    wide.page.locator("h2", has_text="in its place").wait_for()
    wide.page.locator("#alternatives tr.here", has_text="it is here").wait_for()
    use = wide.page.locator("#alternatives button").first
    word = use.get_attribute("aria-label").removeprefix("Use ")
    use.focus()
    wide.page.keyboard.press("Enter")
    wide.page.locator("h2", has_text="What could follow").wait_for()
    assert wide.page.locator("#beginning").input_value() == ""
    label = wide.page.locator("#tokens button").first.get_attribute("aria-label")
    assert label.startswith(f"{word}, ") and label.endswith("written")
    assert wide.page.evaluate("document.activeElement.getAttribute('aria-label')") == "What could follow"


def test_hostile_text_is_shown_as_text(clean):
    for text in (*[text for text in hostile.HTML if len(text) < 60][::5], "\u202egnp.exe", "مرحبا"):
        clean.page.locator("#beginning").fill(text)
        clean.page.locator("#text").get_by_text(text, exact=True).wait_for()
    assert clean.page.evaluate("window.ran") is None
    assert everything_seen(clean) == []
    assert clean.too_wide() == [] and clean.violations() == {}


def test_a_beginning_that_is_too_long_is_refused_with_its_length(wide):
    wide.page.locator("#beginning").fill("z9" * 60)
    wide.page.locator("#count", has_text="Tokens: 120; the model reads at most 95: shorten the beginning.").wait_for()
    assert wide.page.locator("#beginning").get_attribute("aria-invalid") == "true"
    wide.page.locator("#beginning").fill("z" * 20_001)
    wide.page.locator("#count", has_text="More than 20,000 letters; shorten it.").wait_for()


def test_the_longest_beginning_is_read_though_nothing_can_be_written_after_it(wide):
    wide.page.locator("#beginning").fill("z9" * 47 + "z")
    wide.page.locator("#count", has_text="Tokens: 95; the model reads at most 95.").wait_for()
    wide.page.locator("#said", has_text="The text is as long as the model can read: 95 tokens.").wait_for()
    assert wide.page.locator("#beginning").get_attribute("aria-invalid") == "false"
    assert wide.page.locator("#tokens button").count() == 95 and wide.page.locator("#write").is_disabled()
    wide.page.locator("#beginning").fill("z9" * 47)
    wide.page.locator("#write:enabled").wait_for()
    wide.page.click("#one")
    said = wide.page.locator("#said", has_text="written")
    said.wait_for()
    assert "as long as the model can read: 95 tokens." in said.text_content() or "ended" in said.text_content()


def test_settings_above_the_limits_of_the_page_are_the_limits(chromium, model, tmp_path):
    sampling = {"temperature": 3.0, "topK": 5000, "topP": 1.0, "penalty": 2.5}
    watched = open_played(chromium, write_page(model, tmp_path / "play.html", sampling=sampling))
    values = {key: watched.page.locator(f"#{key}").input_value() for key in sampling}
    assert values == {"temperature": "2", "topK": "400", "topP": "1", "penalty": "2"}
    watched.page.click("#write")
    watched.page.locator("#said", has_text="written").wait_for()
    watched.close()


def test_an_empty_text_has_no_costs_to_be_told(wide):
    wide.page.fill("#beginning", "")
    wide.page.locator("#count", has_text="Tokens: 0;").wait_for()
    wide.page.get_by_label("50 %").check()
    wide.page.locator("#write:enabled").wait_for()
    wide.page.wait_for_timeout(300)
    assert wide.page.locator("#said").text_content() == ""
    assert wide.page.locator("#alternatives tr").count() == 10


TYPE_EARLY = """new MutationObserver((_, observer) => {
  const field = document.getElementById('beginning');
  if (field) { field.value = 'typed early'; observer.disconnect(); }
}).observe(document, { childList: true, subtree: true })"""


def test_what_was_typed_while_the_page_was_being_loaded_stays(chromium, page):
    opened = chromium.new_page()
    opened.add_init_script(TYPE_EARLY)
    opened.goto(page.as_uri())
    opened.locator("#write:enabled").wait_for()
    assert opened.locator("#beginning").input_value() == "typed early"
    assert opened.locator("#text").text_content() == "typed early"
    opened.close()


def test_invisible_tokens_can_be_seen(wide):
    wide.page.locator("#beginning").fill("a b\u202ec\n")
    wide.page.locator("#text span", has_text="c").first.wait_for()
    shown = "".join(wide.each("#tokens bdi"))
    assert "␣" in shown and "↵" in shown and "\u202e" not in shown
    assert "‹E2" in shown or "‹U+202E›" in shown


DISABLED = "['write', 'one', 'again'].map(id => document.getElementById(id).disabled)"
TYPE = """text => {
  Object.assign(document.getElementById('beginning'), { value: text }).dispatchEvent(new Event('input'));
}"""


def test_nothing_can_be_written_until_a_new_beginning_or_checkpoint_was_read(wide):
    wide.page.click("#one")
    wide.page.locator("#again:enabled").wait_for()
    for change in (f"({TYPE})('old letters')", "document.querySelector('#checkpoints input:not(:checked)').click()"):
        assert wide.page.evaluate(f"() => {{ {change}; return {DISABLED}; }}") == [True] * 3
        wide.page.locator("#write:enabled").wait_for()
        assert wide.each("#text span")[0] == "old letters"
    wide.page.evaluate(TYPE, "z9" * 60)
    wide.page.locator("#beginning[aria-invalid='true']").wait_for()
    wide.page.locator("#write:enabled").wait_for()  # the text before the refused one is still there
    assert wide.each("#text span")[0] == "old letters"


def test_no_token_is_replaced_or_chosen_while_the_model_writes(wide):
    for clicks in ("write.click(); use.click();", "write.click(); stop.click(); token.click();"):
        wide.page.locator("#alternatives button").first.wait_for()
        wide.page.evaluate(
            "() => { const $ = words => document.querySelector(words), [write, stop, token] = "
            f"[$('#write'), $('#stop'), $('#tokens button')], use = $('#alternatives button'); {clicks} }}"
        )
        wide.page.locator("#said", has_text="written").wait_for()
        assert wide.each("#text span")[0] == "The rain" and wide.page.locator("#stop").is_disabled()
        wide.page.click("#again")
        wide.page.locator("#write:enabled").wait_for()
