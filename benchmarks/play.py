"""Measure the page in which the demo's model runs: tokens a second, size, first paint, and equality with Python."""

import argparse
import subprocess
import sys
from pathlib import Path

from record import ROOT, Figure, middle, show, write

sys.path.insert(0, str(ROOT / "tests"))

from playwright.sync_api import Page, sync_playwright

from samizdat.checkpoints.encoding import load_tokenizer
from samizdat.records.io import read_document
from samizdat.records.models import RoundedModel
from samizdat.samples.checkpoint import prompt_tokens
from samizdat.samples.engine import Request, write_texts
from samizdat.samples.letters import Letters
from samizdat.samples.token_choice import Recipe
from support import browsing, played_model

PERCENT = "25"  # of the checkpoint that is compared: the page itself has loaded the last one
BEGINNINGS = ("", "The movie", "I bought this", "The government", "I love", "She", "In 2009", "It is not")
ROUNDS = 5
# A worker of the page's own source that writes the most probable tokens, and says how long that took.
WRITE = """async ({ beginnings, most, percent }) => {
  const facts = JSON.parse(document.getElementById("facts").textContent);
  const base64 = document.getElementById(`weights-${percent}`).textContent.trim();
  const source = document.getElementById("worker").textContent;
  const worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  const ask = (ask, message) => new Promise(resolve => {
    worker.onmessage = ({ data }) => resolve(data.answer);
    worker.postMessage({ id: 1, ask, ...message });
  });
  await ask("open", { facts });
  await ask("weights", { percent, base64 });
  const settings = { temperature: 0, topK: 0, topP: 1, penalty: 1 }, { boundary } = facts.tokenizer;
  const texts = [];
  for (const found of await ask("encode", { texts: beginnings })) {
    const tokens = [boundary, ...found];
    while (tokens.length < most && !(tokens.length > 1 && tokens.at(-1) === boundary)) {
      tokens.push((await ask("next", { percent, tokens, settings })).token);
    }
    texts.push(tokens);
  }
  worker.terminate();
  return texts;
}"""
# Each token that the page shows is drawn, sent and shown, so this is what a reader sees.
SECONDS = """async () => {
  const said = document.getElementById("said"), begun = performance.now();
  const written = new Promise(done => new MutationObserver((_, seeing) => {
    if (said.textContent.includes("written")) { seeing.disconnect(); done(); }
  }).observe(said, { childList: true }));
  document.getElementById("write").click();
  await written;
  return [Number(said.textContent.split(" ")[0]), (performance.now() - begun) / 1000];
}"""
FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000"


def main() -> None:
    """Measure and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the tiny run; record nothing")
    quick = parser.parse_args().quick
    if browsing.CHROMIUM is None:
        sys.exit("no Chromium or Chrome on the PATH; install Debian's package chromium")
    run = make_run(quick=quick)
    page, model = run / "report" / "play.html", run / "models" / "gpt2-tiny"
    summary = read_document(RoundedModel, model / "eight_bits" / "summary.json")
    rates, paints = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**browsing.LAUNCH)
        for _ in range(ROUNDS):
            watched = browsing.Watched(browser, page)
            watched.page.locator("#said", has_text="ready").wait_for()
            watched.page.locator("#alternatives tr").first.wait_for()
            paints.append(watched.page.evaluate(FIRST_PAINT))
            rates.append(rate(watched.page))
            watched.close()
        watched = browsing.Watched(browser, page)
        compared, different = compare(watched.page, model, summary)
        browser.close()
    losses = [summary.rounded_bits_per_byte[percent] - summary.bits_per_byte[percent] for percent in summary.steps]
    what = "page with the model:"
    figures = {
        "tokens_a_second": middle(f"{what} tokens a second in Chromium, written and shown", rates, 50),
        "megabytes": Figure(f"{what} its size, MB", page.stat().st_size / 1e6, 60, True),
        "first_paint_seconds": middle(f"{what} seconds to the first paint", paints, 1, less_is_better=True),
        "different_tokens": Figure(f"{what} tokens that aren't Python's, of {compared:,}", different, 0, True),
        "lost_bits_per_byte": Figure(f"{what} bits per byte that eight bits cost, at most", max(losses), 0.01, True),
    }  # fmt: skip
    show(figures)
    if not quick:
        write("play", figures, {"rounds": ROUNDS, "compared_tokens": compared})


def make_run(*, quick: bool) -> Path:
    """Make the page and what it needs, unless it is there; return the run's folder."""
    run = ROOT / "results" / ("tiny" if quick else "demo")
    target = str((run / "report" / "play.html").relative_to(ROOT))
    overlay = ["--configfile", "config/tiny.yaml"] if quick else []
    command = ["snakemake", "--cores", "all", *overlay, "--config", "play=gpt2-tiny", "--", target]
    subprocess.run(command, cwd=ROOT, check=True)
    return run


def rate(page: Page) -> float:
    """Write texts until a hundred tokens are there; return how many a second were written and shown."""
    tokens, seconds = 0, 0.0
    while tokens < 100:
        page.locator("#write:enabled").wait_for()
        count, took = page.evaluate(SECONDS)
        tokens, seconds = tokens + count, seconds + took
        page.click("#again")
    return tokens / seconds


def compare(page: Page, model: Path, summary: RoundedModel) -> tuple[int, int]:
    """Write the most probable tokens in the page and in Python; return how many, and how many differ."""
    tokenizer, context, boundary = load_tokenizer(model), summary.context_tokens, summary.boundary_token_id
    beginnings = prompt_tokens(tokenizer, BEGINNINGS)
    recipe = Recipe(top_k=0, top_p=1.0, repetition_penalty=1.0, no_repeat_ngram=0, max_new_tokens=context, slots=8)
    expected = write_texts(
        played_model.rounded_model(model, PERCENT), [Request(tokens, 0.0, 1) for tokens in beginnings], recipe,
        boundary=boundary, letters=Letters.of(tokenizer, summary.vocabulary_size),
    )  # fmt: skip
    found = page.evaluate(WRITE, {"beginnings": BEGINNINGS, "most": context, "percent": int(PERCENT)})
    compared = different = 0
    for begun, text, other in zip(beginnings, expected, found, strict=True):
        wanted = [*text.tokens, *([boundary] if text.finished else [])]
        written = other[len(begun) :]
        compared += max(len(wanted), len(written))
        same = sum(a == b for a, b in zip(wanted, written, strict=False))
        different += max(len(wanted), len(written)) - same
    return compared, different


if __name__ == "__main__":
    main()
