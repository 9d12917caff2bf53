"""Tokenizers of checkpoints: what their files say counts, whatever class they name."""

import json

import pytest
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import AutoTokenizer

from samizdat.base.errors import UserError
from samizdat.checkpoints import encoding
from samizdat.checkpoints.encoding import BOUNDARY, encode, load_tokenizer
from samizdat.checkpoints.windows import split_into_windows

TEXTS = ["The YEAR 2024 was long", "  the year 2025", "ﬁve years", "the\n\nyear"]
BYTES = pre_tokenizers.ByteLevel(add_prefix_space=False)


def write_tokenizer(folder, normalizer, pre_tokenizer, kind: str) -> Tokenizer:
    """Write a byte-level tokenizer as a checkpoint of GPT-2 has it; `kind` is the class that it names."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer, backend.decoder = BYTES, decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=[BOUNDARY], initial_alphabet=alphabet)
    backend.train_from_iterator(TEXTS * 4, trainer)
    backend.normalizer, backend.pre_tokenizer = normalizer, pre_tokenizer
    backend.save(str(folder / "tokenizer.json"))
    config = {"tokenizer_class": kind, "eos_token": BOUNDARY, "unk_token": BOUNDARY, "bos_token": BOUNDARY}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "config.json").write_text(json.dumps({"model_type": "gpt2"}), encoding="utf-8")
    return backend


@pytest.mark.parametrize("kind", ["GPT2Tokenizer", "GPT2TokenizerFast", "Qwen2Tokenizer", "PreTrainedTokenizerFast"])
@pytest.mark.parametrize(
    ("normalizer", "pre_tokenizer"),
    [
        (None, BYTES),
        (normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()]), BYTES),
        (None, pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), BYTES])),
        (None, pre_tokenizers.Sequence([pre_tokenizers.Split(Regex("[A-Z]"), "isolated"), BYTES])),
    ],
    ids=["plain", "small letters", "digits", "capitals"],
)
def test_texts_become_the_tokens_that_the_file_gives(normalizer, pre_tokenizer, kind, tmp_path):
    backend = write_tokenizer(tmp_path, normalizer, pre_tokenizer, kind)
    wanted = [backend.encode(text).ids for text in TEXTS]
    tokenizer = load_tokenizer(tmp_path)
    assert encode(tokenizer, TEXTS) == wanted and tokenizer.eos_token == BOUNDARY
    tokenizer.save_pretrained(tmp_path / "copy")
    assert AutoTokenizer.from_pretrained(tmp_path / "copy")(TEXTS)["input_ids"] == wanted


def test_of_long_texts_few_are_encoded_at_once(tmp_path, monkeypatch):
    """A token takes more than a hundred bytes meanwhile: hundreds of books would need more memory than there is."""
    write_tokenizer(tmp_path, None, BYTES, "GPT2Tokenizer")
    tokenizer = load_tokenizer(tmp_path)
    texts = ["year " * 30, "a year", "long " * 50, "years", "", "the year"] * 3
    wanted = [encode(tokenizer, texts), list(split_into_windows(tokenizer, texts, 8, 2))]
    monkeypatch.setattr(encoding, "CHARACTERS_AT_ONCE", 200)
    parts = list(encoding.few_at_once(texts))
    assert [text for some in parts for text in some] == texts and all(
        len(some) == 1 or sum(map(len, some)) <= 200 for some in parts
    )
    assert 3 < len(parts) < len(texts)
    found = [tokens for some in parts for tokens in encode(tokenizer, some)]
    assert [found, list(split_into_windows(tokenizer, texts, 8, 2))] == wanted


def test_a_folder_of_weights_alone_has_no_tokenizer(tmp_path):
    """As transformers' Trainer saves a model."""
    write_tokenizer(tmp_path, None, BYTES, "PreTrainedTokenizerFast")
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(UserError, match=r"has no tokenizer(?s:.*)tokenizer.save_pretrained"):
        load_tokenizer(tmp_path)


@pytest.mark.parametrize("said", [None, False, True])
@pytest.mark.parametrize("of_file", [False, True])
def test_what_the_config_of_a_tokenizer_decides_is_as_for_transformers(of_file, said, tmp_path):
    folders = {name: tmp_path / name for name in ("blank", "case")}
    for folder in folders.values():
        folder.mkdir()
    write_tokenizer(folders["blank"], None, pre_tokenizers.ByteLevel(add_prefix_space=of_file), "GPT2Tokenizer")
    words = Tokenizer(models.WordPiece({"[UNK]": 0, "the": 1, "The": 2, "was": 3}, unk_token="[UNK]"))
    words.normalizer = normalizers.BertNormalizer(lowercase=of_file)
    words.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    words.save(str(folders["case"] / "tokenizer.json"))
    (folders["case"] / "config.json").write_text(json.dumps({"model_type": "bert"}), encoding="utf-8")
    (folders["case"] / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer"}', encoding="utf-8")
    for key, folder in {"add_prefix_space": folders["blank"], "do_lower_case": folders["case"]}.items():
        path = folder / "tokenizer_config.json"
        config = json.loads(path.read_text(encoding="utf-8")) | ({} if said is None else {key: said})
        path.write_text(json.dumps(config), encoding="utf-8")
        wanted = AutoTokenizer.from_pretrained(folder)(TEXTS, add_special_tokens=False)["input_ids"]
        assert encode(load_tokenizer(folder), TEXTS) == wanted
