"""The page with a model computes as Python does, in a real browser: costs, chances, draws, letters and tokens."""

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
from support.browsing import CHROMIUM
from support.played_model import SCRIPTS, START, open_played, rounded_model, write_model
from support.run_fixture import sentences

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium on the PATH (Debian's package chromium)")

GREEDY = {"temperature": 0, "topK": 0, "topP": 1, "penalty": 1}
BEGINNINGS = ["", "The rain", "a", "number 1", "žluť", "我", "مر", " ", "\n", "x" * 40, "old old old", "😀"]


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
    watched = open_played(chromium, page)
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
