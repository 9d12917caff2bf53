"""The page with a model in a real browser: it computes as Python does, asks for nothing, and shows text as text."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from samizdat.checkpoints.encoding import encode, load_tokenizer
from samizdat.publishing.play_tokenizer import tokenizer_facts
from samizdat.samples.checkpoint import prompt_tokens
from samizdat.samples.engine import Request, write_texts
from samizdat.samples.letters import Letters
from samizdat.samples.token_choice import Recipe, keep_most_probable, penalise_repetition
from support import hostile
from support.browsing import CHROMIUM, Watched
from support.played_model import round_model, rounded_model, write_model, write_page
from support.run_fixture import sentences

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium on the PATH (Debian's package chromium)")

SCRIPTS = ["ěščř žluťoučký kůň", "สวัสดี ครับ", "我喜欢 电影", "😀😃 مرحبا بك"] * 6
GREEDY = {"temperature": 0, "topK": 0, "topP": 1, "penalty": 1}
BEGINNINGS = ["", "The rain", "a", "number 1", "žluť", "我", "مر", " ", "\n", "x" * 40, "old old old", "😀"]

# A worker of the page's own source, and a function that asks it; the page itself goes on with another one.
START = """(facts) => {
  const source = document.getElementById("worker").textContent;
  const worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  let last = 0;
  window.ask = (ask, message) => new Promise((resolve, reject) => {
    const id = ++last;
    worker.addEventListener("message", ({ data }) => {
      if (data.id === id) data.error === undefined ? resolve(data.answer) : reject(data.error);
    });
    worker.postMessage({ id, ask, ...message });
  });
  return window.ask("open", { facts: { ...JSON.parse(document.getElementById("facts").textContent), ...facts } });
}"""
LOAD = """async percent => window.ask("weights", {
  percent, base64: document.getElementById(`weights-${percent}`).textContent.trim() })"""
# Writes with the checkpoint to the end of each text.
WRITE = """async ({ beginnings, settings, most }) => {
  const encoded = await window.ask("encode", { texts: beginnings }), written = [];
  for (const found of encoded) {
    const tokens = [0, ...found];
    while (tokens.length < most && !(tokens.length > 1 && tokens.at(-1) === 0)) {
      tokens.push((await window.ask("next", { percent: 50, tokens, settings })).token);
    }
    written.push(tokens);
  }
  return written;
}"""


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A rounded model of two checkpoints that knows several scripts."""
    folder = write_model(tmp_path_factory.mktemp("played"), [*sentences(60), *SCRIPTS])
    round_model(folder)
    return folder


@pytest.fixture(scope="module")
def page(model, tmp_path_factory):
    return write_page(model, tmp_path_factory.mktemp("page") / "play.html")


def opened(chromium, page, *options, **more):
    """Open the page, and wait until the model has read the beginning."""
    watched = Watched(chromium, page, *options, **more)
    watched.page.locator("#said", has_text="ready").wait_for()
    watched.page.locator("#alternatives tr").first.wait_for()
    return watched


@pytest.fixture(params=["wide light", "narrow dark"])
def clean(request, chromium, page):
    size, scheme = request.param.split()
    watched = opened(chromium, page, size, color_scheme=scheme)
    yield watched
    watched.close()


@pytest.fixture
def wide(chromium, page):
    watched = opened(chromium, page)
    yield watched
    watched.close()


@pytest.fixture(scope="module")
def asked(chromium, page):
    """A page whose `window.ask` asks a worker with the checkpoint at 50 %."""
    watched = opened(chromium, page)
    watched.page.evaluate(START, {})
    watched.page.evaluate(LOAD, 50)
    yield watched.page
    watched.close()


def everything_seen(watched):
    """What the page did, besides starting its own worker."""
    return [(kind, what) for kind, what in watched.seen if not what.startswith("blob:")]


def test_the_most_probable_tokens_are_pythons(asked, model):
    tokenizer, gpt2 = load_tokenizer(model), rounded_model(model, "50")
    beginnings = prompt_tokens(tokenizer, BEGINNINGS)
    recipe = Recipe(top_k=0, top_p=1.0, repetition_penalty=1.0, no_repeat_ngram=0, max_new_tokens=96, slots=4)
    expected = [
        [*tokens, *text.tokens, *([0] if text.finished else [])]
        for tokens, text in zip(
            beginnings,
            write_texts(
                gpt2, [Request(tokens, 0.0, 1) for tokens in beginnings], recipe, boundary=0,
                letters=Letters.of(tokenizer, 400),
            ),
            strict=True,
        )
    ]  # fmt: skip
    found = asked.evaluate(WRITE, {"beginnings": BEGINNINGS, "settings": GREEDY, "most": 96})
    assert found == expected
    new = [token for tokens, text in zip(beginnings, found, strict=True) for token in text[len(tokens) :]]
    assert len(new) > 500 and len(set(new)) > 50


def test_costs_and_chances_are_pythons(asked, model):
    tokenizer, gpt2 = load_tokenizer(model), rounded_model(model, "50")
    (tokens,) = prompt_tokens(tokenizer, ["the old rain rain, žluť 7"])
    with torch.no_grad():
        logits = gpt2(torch.tensor([tokens])).logits[0]
    bits = -logits.log_softmax(1) / math.log(2)
    costs = asked.evaluate("tokens => window.ask('costs', { percent: 50, tokens })", list(tokens))
    assert costs[1:] == pytest.approx([float(bits[place, token]) for place, token in enumerate(tokens[1:])], abs=1e-3)

    drawing = {"temperature": 0.7, "topK": 50, "topP": 0.9, "penalty": 1.3}
    message = {"percent": 50, "tokens": list(tokens), "settings": drawing, "token": 5}
    answer = asked.evaluate("message => window.ask('alternatives', message)", message)
    allowed = Letters.of(tokenizer, 400).forbid(logits[-1:], [0], [96 - len(tokens) - 1])
    scores = keep_most_probable(penalise_repetition(allowed, torch.tensor([tokens]), 1.3) / 0.7, 50)
    shares = scores.softmax(1)[0]
    kept = torch.tensor([float(shares[shares > share].sum()) < 0.9 for share in shares])
    expected = shares.where(kept, 0.0) / shares[kept].sum()
    order = logits[-1].argsort(descending=True).tolist()
    assert [row["token"] for row in answer["rows"][:10]] == order[:10]
    assert [row["rank"] for row in answer["rows"]] == [*range(1, 11), order.index(5) + 1]
    for row in answer["rows"]:
        assert row["chance"] == pytest.approx(float(expected[row["token"]]), abs=1e-4)
        assert row["bits"] == pytest.approx(float(bits[-1, row["token"]]), abs=1e-3)
        assert row["allowed"] == (float(allowed[0, row["token"]]) > -math.inf)
    assert answer["possible"] == int((expected > 0).sum())


def test_tokens_are_drawn_as_often_as_their_chance_says(asked, model):
    drawing = {"temperature": 1, "topK": 3, "topP": 1, "penalty": 1}
    message = {"percent": 50, "tokens": [0], "settings": drawing}
    rows = asked.evaluate("message => window.ask('alternatives', message)", message)["rows"]
    chances = {row["token"]: row["chance"] for row in rows if row["chance"]}
    drawn = asked.evaluate(
        "async message => { const found = []; for (let n = 0; n < 2000; n++) "
        "found.push((await window.ask('next', message)).token); return found; }",
        message,
    )
    assert set(drawn) <= set(chances) and len(chances) == 3
    for token, chance in chances.items():
        # Six standard errors: 2,000 draws miss this once in 500 million runs.
        assert abs(drawn.count(token) / 2000 - chance) < 6 * math.sqrt(chance * (1 - chance) / 2000) + 1e-9


def test_a_text_has_whole_letters_however_wild_it_is(asked, model):
    wild = {"temperature": 2, "topK": 0, "topP": 1, "penalty": 1.5}
    tokenizer = load_tokenizer(model)
    written = asked.evaluate(WRITE, {"beginnings": BEGINNINGS[:6] * 2, "settings": wild, "most": 96})
    for tokens in written:
        assert "\ufffd" not in tokenizer.decode(tokens[1:])
    assert any("\ufffd" in tokenizer.decode([token]) for tokens in written for token in tokens)
    assert any(len(tokens) == 96 for tokens in written)


TRICKY = st.text(
    st.sampled_from(
        " \t\n\r\u00a0\u0085\ufeff\u2028\u180e\u200b'srtveml12٣५Ⅳ²½aAéžßǅσςİıªº中あアกักी\u0301\u200d😀🏽_-.…"
    )
)
WORDS = st.lists(
    st.sampled_from([*sentences(9), *SCRIPTS[:4], "don't", "we'll", "'S", "<|endoftext|>", *hostile.HTML]), max_size=8
)
TEXTS = st.one_of(
    st.text(max_size=40), TRICKY, WORDS.map(" ".join), st.builds("{}{}".format, TRICKY, st.text(max_size=9))
)


def test_ten_thousand_texts_have_the_tokens_of_the_library(chromium, page, model, tmp_path):
    # A vocabulary of many merges, also of letters of several bytes.
    texts = [*sentences(60), *SCRIPTS, *(text for text in hostile.EVERY if len(text) < 200)]
    larger = write_model(tmp_path, texts, tokens=2000)
    tokenizer = load_tokenizer(larger)
    watched = opened(chromium, page)
    facts = tokenizer_facts(larger / "tokenizer.json", boundary=0, vocabulary_size=2000)
    watched.page.evaluate(START, {"tokenizer": facts})
    compared = 0

    @settings(max_examples=500, derandomize=True, database=None)
    @given(st.lists(TEXTS, min_size=20, max_size=20))
    def check(batch):
        nonlocal compared
        found = watched.page.evaluate("texts => window.ask('encode', { texts })", batch)
        assert found == encode(tokenizer, batch)
        compared += len(batch)

    check()
    assert compared >= 10_000
    watched.close()


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
    assert possible.startswith("S tímto nastavením se zde může vybírat") and possible.endswith("(ze všech 400).")
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
    wide.page.locator("#count", has_text="120 tokens; the model reads at most 95: shorten the beginning.").wait_for()
    assert wide.page.locator("#beginning").get_attribute("aria-invalid") == "true"
    wide.page.locator("#beginning").fill("z" * 20_001)
    wide.page.locator("#count", has_text="More than 20,000 letters; shorten it.").wait_for()


def test_invisible_tokens_can_be_seen(wide):
    wide.page.locator("#beginning").fill("a b\u202ec\n")
    wide.page.locator("#text span", has_text="c").first.wait_for()
    shown = "".join(wide.each("#tokens bdi"))
    assert "␣" in shown and "↵" in shown and "\u202e" not in shown
    assert "‹E2" in shown or "‹U+202E›" in shown
