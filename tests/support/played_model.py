"""A model's folder with two checkpoints that write many different tokens, rounded, and the page in which it runs."""

from collections.abc import Sequence
from pathlib import Path

from safetensors.torch import load_file
from transformers import GPT2LMHeadModel

from samizdat.base.files import write_text
from samizdat.models.make_tokenizer import TokenizerSettings, make_tokenizer
from samizdat.models.round_weights import round_weights
from samizdat.publishing.write_play import write_play
from samizdat.records.io import read_document
from samizdat.records.models import RoundedModel
from support.browsing import Watched
from support.restless_model import make_restless_model
from support.run_fixture import ROOT
from support.small_corpus import write_texts
from support.small_model import write_summary

PERCENTS = ("50", "100")
SCRIPTS = ["ěščř žluťoučký kůň", "สวัสดี ครับ", "我喜欢 电影", "😀😃 مرحبا بك"] * 6

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
SAMPLING = {"temperature": 1.0, "topK": 0, "topP": 1.0, "penalty": 1.0}


def write_model(folder: Path, texts: Sequence[str], tokens: int = 400, **shape) -> Path:
    """Write `tokenizer/` and `model/` in a folder, as their stages do; return the model's folder."""
    corpus = write_texts(texts, folder / "texts.parquet", held_out=2, validation=max(2, len(texts) // 5))
    make_tokenizer(TokenizerSettings("own", "train", tokens, None, None), corpus, None, folder / "tokenizer")
    model = folder / "model"
    for seed, where in enumerate((model / "steps" / "50", model)):
        make_restless_model(seed, vocab_size=tokens, **shape).save_pretrained(where)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        write_text(model / name, (folder / "tokenizer" / name).read_text(encoding="utf-8"))
    write_summary(model)
    return model


def round_model(model: Path) -> RoundedModel:
    """Round its weights; return the summary."""
    round_weights("m", model, model.parent / "tokenizer", model / "eight_bits", "cpu", threads=1, seed=1)
    return read_document(RoundedModel, model / "eight_bits" / "summary.json")


def write_page(model: Path, page: Path, **changes) -> Path:
    """Write the page with the rounded model; `changes` are of the stage's parameters."""
    given = {
        "name": "m", "title_of_run": "A run", "language": "en", "report_language": "en", "beginning": "The rain",
        "sampling": SAMPLING,
        "rounded": model / "eight_bits", "tokenizer": model / "tokenizer.json", "look": ROOT / "report",
    }  # fmt: skip
    write_play(**given | changes, page=page)
    return page


def rounded_model(model: Path, percent: str = "100") -> GPT2LMHeadModel:
    """Return the checkpoint with its rounded weights, as Python computes with them."""
    gpt2 = GPT2LMHeadModel.from_pretrained(model if percent == "100" else model / "steps" / percent).eval()
    parts = load_file(model / "eight_bits" / f"{percent}.safetensors")
    for name, parameter in gpt2.named_parameters():
        key = name.removeprefix("transformer.")
        exact = parts[key].float() * parts[f"{key}.scales"][:, None] if parameter.ndim > 1 else parts[key]
        # The matrices in blocks have a column for each output.
        parameter.data.copy_(exact.T if parameter.ndim > 1 and name.startswith("transformer.h.") else exact)
    return gpt2


def open_played(chromium, page, *options, **more):
    """Open the page, and wait until the model has read the beginning."""
    watched = Watched(chromium, page, *options, **more)
    watched.page.locator("#said", has_text="ready").wait_for()
    watched.page.locator("#alternatives tr").first.wait_for()
    return watched
