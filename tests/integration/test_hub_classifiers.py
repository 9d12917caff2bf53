"""Classifiers from the Hub: what is imported, and which files are fetched for it."""

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import sentencepiece
import torch
import yaml
from transformers import AutoModelForSequenceClassification

from conftest import ROOT, Checkout
from samizdat.base.errors import UserError
from samizdat.base.files import is_checksum
from samizdat.checkpoints.encoding import load_tokenizer
from samizdat.checkpoints.sources import CHECKPOINT_FILES, COMMIT
from samizdat.records.classifiers import ClassifierCard
from samizdat.records.io import read_document
from support import hub_fixtures
from support.hub_fixtures import DESCRIPTION, import_here, small_classifier

GPU = yaml.safe_load((ROOT / "config" / "gpu.yaml").read_text(encoding="utf-8"))
ITEMS = {item["name"]: item for item in GPU["classifiers"]}
TEXTS = [
    *hub_fixtures.SENTENCES,
    "[CLS] is text here, and so is [UNK]",
    "Two  spaces,\ta tab\nand a new line, naïve café, № ① ﬁ, 漢字 and 🙂 unheard-of zyzzyva!",
]


@pytest.mark.parametrize("name", ITEMS)
def test_each_classifier_of_the_gpu_config_is_imported_whole_by_name_and_commit(name, at_hub, tmp_path):
    item, files = ITEMS[name], at_hub.repositories["models", ITEMS[name]["checkpoint"]].commits
    assert COMMIT.fullmatch(item["revision"])
    out = import_here(tmp_path, item["checkpoint"], item["revision"], *item["labels"], length=item["max_length_tokens"])

    assert {path.name for path in out.iterdir() if not is_checksum(path)} == {
        *CHECKPOINT_FILES,
        "card.json",
        "seen_texts.txt",
    }
    card = read_document(ClassifierCard, out / "card.json")
    published = hub_fixtures.CLASSIFIERS[item["checkpoint"]]
    assert card.labels == item["labels"] == list(published.labels)
    assert card.origin == f"{item['checkpoint']}@{item['revision']}"
    assert card.model_type == published.model_type
    weights = "pytorch_model.bin" if published.pickled else "model.safetensors"
    assert at_hub.fetched(item["checkpoint"]) == {"config.json", weights, *published.tokenizer_files}
    assert not (tmp_path / "work" / "converted").exists()

    # The imported model has exactly the outputs of the original class with the original weights.
    source = tmp_path / "source"
    source.mkdir()
    for file, content in files[item["revision"]].items():
        (source / file).write_bytes(content)
    tokenizer = load_tokenizer(out)
    inputs = tokenizer(TEXTS, padding=True, truncation=True, max_length=64, return_tensors="pt")
    loaded = AutoModelForSequenceClassification.from_pretrained(out).eval()
    original = type(loaded)(loaded.config).eval()
    if published.pickled:
        original.load_state_dict(torch.load(source / weights, weights_only=True), strict=False)
    else:
        original = type(loaded).from_pretrained(source).eval()
    with torch.no_grad():
        logits, expected = loaded(**inputs).logits, original(**inputs).logits
    assert torch.equal(logits, expected) and logits.shape == (len(TEXTS), len(item["labels"]))
    assert len({tuple(row) for row in logits.tolist()}) == len(TEXTS)


@pytest.mark.parametrize("without", [(), ("tokenizer.json",), ("tokenizer.json", "tokenizer_config.json")])
def test_sentencepiece_tokens_are_those_of_sentencepiece(without, tmp_path):
    source = small_classifier(tmp_path, model_type="xlm-roberta")
    for file in without:
        (source / file).unlink()
    tokenizer = load_tokenizer(import_here(tmp_path, str(source)))
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(source / "sentencepiece.bpe.model"))
    # XLM-R's ids are SentencePiece's plus one; an unknown piece is 3; a text is between 0 and 2.
    expected = [[0, *(piece + 1 if piece else 3 for piece in pieces.encode(text)), 2] for text in TEXTS]
    assert tokenizer(TEXTS, split_special_tokens=True)["input_ids"] == expected
    assert any(3 in ids for ids in expected)


@pytest.mark.parametrize("without", [(), ("tokenizer.json",), ("tokenizer.json", "special_tokens_map.json")])
def test_wordpiece_tokens_are_the_longest_pieces_from_the_left(without, tmp_path):
    source = small_classifier(tmp_path)
    for file in without:
        (source / file).unlink()
    vocabulary = (source / "vocab.txt").read_text(encoding="utf-8").split("\n")

    def pieces(word: str) -> list[str]:
        found: list[str] = []
        while word.removeprefix("##"):
            piece = next((word[:end] for end in range(len(word), 0, -1) if word[:end] in vocabulary), "##")
            if piece == "##":
                return ["[UNK]"]
            found.append(piece)
            word = "##" + word[len(piece) :]
        return found

    tokenizer = load_tokenizer(import_here(tmp_path, str(source)))
    for text in TEXTS:
        # Each punctuation mark and each CJK character is a word of its own.
        words = re.findall(r"[漢字]|[^\W漢字]+|[^\w\s]", text)
        expected = ["[CLS]", *(piece for word in words for piece in pieces(word)), "[SEP]"]
        ids = tokenizer(text, split_special_tokens=True)["input_ids"]
        assert tokenizer.convert_ids_to_tokens(ids) == expected


@pytest.mark.parametrize(("model_type", "longest"), [("bert", 512), ("xlm-roberta", 512)])
def test_a_window_is_as_long_as_the_model_can_read(model_type, longest, tmp_path):
    source = small_classifier(tmp_path, model_type=model_type)
    with pytest.raises(UserError, match=rf"reads at most {longest} tokens, and max_length_tokens is {longest + 1}"):
        import_here(tmp_path, str(source), length=longest + 1)
    out = import_here(tmp_path, str(source), length=longest)
    inputs = load_tokenizer(out)(["the house " * 600], truncation=True, max_length=longest, return_tensors="pt")
    assert inputs["input_ids"].shape == (1, longest)
    assert AutoModelForSequenceClassification.from_pretrained(out)(**inputs).logits.isfinite().all()


def test_a_config_that_says_minus_one_for_no_padding_takes_that_of_the_tokenizer(tmp_path):
    source = small_classifier(tmp_path)
    hub_fixtures.change_config(source, pad_token_id=-1)
    out = import_here(tmp_path, str(source))
    assert json.loads((out / "config.json").read_text())["pad_token_id"] == load_tokenizer(out).pad_token_id == 0


def test_a_branch_is_followed_and_the_commit_behind_it_recorded(at_hub, tmp_path):
    source = small_classifier(tmp_path)
    first = at_hub.add("tests/branch", source)
    assert read_document(ClassifierCard, import_here(tmp_path, "tests/branch") / "card.json").origin.endswith(first)
    second = at_hub.add("tests/branch", hub_fixtures.copy(source, tmp_path / "newer", id2label={0: "nay", 1: "yea"}))
    for revision, commit, labels in (
        (None, second, ["nay", "yea"]), ("main", second, ["nay", "yea"]), (first, first, ["no", "yes"]),
    ):  # fmt: skip
        card = read_document(ClassifierCard, import_here(tmp_path, "tests/branch", revision) / "card.json")
        assert (card.origin, card.labels) == (f"tests/branch@{commit}", labels)


STAGE = [
    *(f"--{key.replace('_', '-')}={value if isinstance(value, str) else json.dumps(value)}"
      for key, value in dataclasses.asdict(DESCRIPTION).items()),
    "--max-length-tokens=64", "--title=imported",
]  # fmt: skip


def run_stage(folder: Path, item: dict, **environment: str) -> subprocess.CompletedProcess[str]:
    """Import a classifier as Snakemake would, in a process of its own."""
    options = [f"--{key}={item[key]}" for key in ("checkpoint", "revision")]
    options += [f"--labels={json.dumps(item['labels'])}", "--label-names={}", "--template=null"]
    options += [f"--{key}={folder / key}" for key in ("out", "work", "log")]
    command = [sys.executable, "-m", "samizdat.classifiers.import_classifier", *STAGE, *options]
    return subprocess.run(
        command, env=Checkout(ROOT).environment(**environment), capture_output=True, text=True, check=False
    )


@pytest.mark.long
def test_the_second_time_needs_no_hub(hub, tmp_path):
    item = ITEMS["offensive"]  # has a pickle, so that the conversion, too, is tried offline
    hub.requests.clear()
    first = run_stage(tmp_path / "first", item, **hub.variables(tmp_path / "home"))
    assert first.returncode == 0, first.stderr
    assert hub.fetched(item["checkpoint"]) and "✓ imported" in first.stderr
    hub.requests.clear()
    second = run_stage(tmp_path / "second", item, **hub.variables(tmp_path / "home", HF_HUB_OFFLINE="1"))
    assert second.returncode == 0, second.stderr
    assert hub.requests == []
    written = [
        {path.name: path.read_bytes() for path in (tmp_path / run / "out").iterdir() if not is_checksum(path)}
        for run in ("first", "second")
    ]
    assert written[0] == written[1] and len(written[0]) == 6
