"""The page with a model as a file: what is in it, what is not, and its size."""

import base64
import hashlib
import html
import json
import re

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from samizdat.base.errors import UserError
from support import hostile
from support.played_model import round_model, write_model, write_page
from support.run_fixture import sentences


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = write_model(tmp_path_factory.mktemp("played"), sentences(40), tokens=300)
    round_model(folder)
    return folder


@pytest.fixture(scope="module")
def page(model):
    return write_page(model, model / "play.html", title_of_run=hostile.HTML[3], beginning=hostile.HTML[3])


def block(page, name):
    return re.search(f'<script id="{name}" type="[a-z/]+">(.*?)</script>', page.read_text(encoding="utf-8"), re.S)[1]


def test_every_weight_of_every_checkpoint_is_in_the_page(model, page):
    tensors = json.loads(block(page, "facts"))["tensors"]
    for percent in ("50", "100"):
        content = base64.b64decode(block(page, f"weights-{percent}"))
        parts = load_file(model / "eight_bits" / f"{percent}.safetensors")
        assert {tensor["name"] for tensor in tensors} == {name for name in parts if not name.endswith(".scales")}
        for tensor in tensors:
            part, count = parts[tensor["name"]], tensor["rows"] * (tensor["columns"] or 1)
            found = np.frombuffer(content, part.dtype, count, tensor["at"])
            assert np.array_equal(found, part.flatten()), tensor["name"]
            if tensor["columns"]:
                scales = np.frombuffer(content, "<f4", tensor["rows"], tensor["scales"])
                assert np.array_equal(scales, parts[f"{tensor['name']}.scales"])


def test_a_hostile_title_and_beginning_are_no_markup(page):
    text = page.read_text(encoding="utf-8")
    assert hostile.HTML[3] not in text and html.escape(hostile.HTML[3]) in text
    assert json.loads(block(page, "facts"))["beginning"] == hostile.HTML[3]


def test_the_page_may_request_nothing_and_run_its_own_script_alone(page):
    text = page.read_text(encoding="utf-8")
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1])
    assert policy.startswith("default-src 'none'; ") and "; worker-src blob:; " in policy
    assert len(policy.split("script-src ")[1].split()) == 1 and len(re.findall(r"<script>", text)) == 1


def test_the_page_is_in_the_language_of_the_report_and_its_texts_in_their_own(model, tmp_path):
    text = write_page(model, tmp_path / "play.html", report_language="cs", language="sk").read_text(encoding="utf-8")
    assert '<html lang="cs">' in text and '<textarea id="beginning" rows="2" lang="sk"' in text
    assert "Psaní s modelem <bdi>m</bdi>" in text and "<title>A run: psaní s modelem</title>" in text
    words = json.loads(html.unescape(re.search('<meta name="words" content="([^"]*)">', text)[1]))
    assert words["The model is ready."] == "Model je připraven." and "Filter rows" not in words
    script = re.search("<script>(.*?)</script>", text, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src &#x27;sha256-{digest}&#x27;" in text


def test_the_page_says_what_eight_bits_cost(model, page):
    summary = json.loads((model / "eight_bits" / "summary.json").read_text(encoding="utf-8"))
    text = page.read_text(encoding="utf-8")
    for percent, steps in (("50", 10), ("100", 16)):
        costs = (summary["bits_per_byte"][percent], summary["rounded_bits_per_byte"][percent])
        row = "".join(f"<td>{cell}</td>" for cell in (f"{percent} %", steps, *(f"{cost:.4f}" for cost in costs)))
        assert row in text


def test_no_text_of_the_corpus_is_in_the_page(page):
    text = page.read_text(encoding="utf-8")
    assert not [sentence for sentence in sentences(40) if sentence in text or sentence.replace(" ", "Ġ") in text]


def test_the_same_model_is_the_same_page(model, page, tmp_path):
    again = write_page(model, tmp_path / "play.html", title_of_run=hostile.HTML[3], beginning=hostile.HTML[3])
    assert again.read_bytes() == page.read_bytes()


def test_a_page_of_more_than_60_megabytes_is_refused(model, tmp_path):
    for file in (model / "eight_bits").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / ".100.safetensors.sha256").unlink()
    large = {"wte.weight": np.zeros((46, 1_000_000), np.int8), "wte.weight.scales": np.ones(46, np.float32)}
    save_file(large, tmp_path / "100.safetensors")
    with pytest.raises(UserError, match="would have 61 MB, for 2 checkpoints: more than 60 MB") as raised:
        write_page(model, tmp_path / "play.html", rounded=tmp_path)
    assert "keep_percents" in raised.value.remedy and not (tmp_path / "play.html").exists()


def test_a_damaged_file_is_refused(model, tmp_path):
    for file in (model / "eight_bits").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    content = bytearray((tmp_path / "50.safetensors").read_bytes())
    content[-1] ^= 1
    (tmp_path / "50.safetensors").write_bytes(content)
    with pytest.raises(UserError, match="is damaged"):
        write_page(model, tmp_path / "play.html", rounded=tmp_path)
