"""Where checkpoints are found: nothing of them is imported or run."""

import json
import sys

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import BertConfig, PreTrainedTokenizerFast

from samizdat.base.errors import UserError
from samizdat.checkpoints.encoding import encode, load_tokenizer
from samizdat.checkpoints.sources import Located, loading, locate


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package that would show that it was imported, with a folder."""
    (tmp_path / "told" / "model").mkdir(parents=True)
    (tmp_path / "told" / "__init__.py").write_text("import pathlib\npathlib.Path('PWNED').touch()\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_a_folder_of_a_package_is_found_without_importing_it(package):
    found = locate("package:told/model", None)
    assert found.path == package / "told" / "model" and found.origin == "the package told"
    assert "told" not in sys.modules and not (package / "PWNED").exists()


@pytest.mark.parametrize(
    "rest", ["told.model/x", "told.x.y/model", "..", "../told", ".told/model", "", "/model", "told//etc",
             "told/../told/model", "told/model/../..", "a b/model", "told\0/model"]
)  # fmt: skip
def test_what_is_no_folder_of_a_package_is_refused_and_imports_nothing(package, rest):
    with pytest.raises(UserError, match="is not package:NAME/FOLDER"):
        locate(f"package:{rest}", None)
    assert "told" not in sys.modules and not (package / "PWNED").exists()


def test_a_name_that_no_folder_can_have_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="does not exist"):
        locate("./" + "name " * 100, None)


def test_the_digests_of_a_checkpoint_are_of_the_files_that_are_read(tmp_path):
    names = {"config.json", "model-00001-of-00002.safetensors", "model.safetensors.index.json", "spiece.model"}
    for name in names:
        (tmp_path / name).write_text("it", encoding="utf-8")
    first = Located(tmp_path, "it").digests()
    assert set(first) == names
    for name in ("README.md", "flax_model.msgpack", "pytorch_model.bin", ".gitattributes"):  # of another program
        (tmp_path / name).write_text("another", encoding="utf-8")
    assert Located(tmp_path, "it").digests() == first
    (tmp_path / "spiece.model").write_text("other", encoding="utf-8")
    assert Located(tmp_path, "it").digests() != first


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
@pytest.mark.parametrize(
    ("content", "said"),
    [(content, "is damaged") for content in (b"", b"7", b"null", b"[]", b'"auto_map"', b"[" * 100_000, b"\xff", b"{")]
    + [(b'{"auto_map": {}}', "which is never run")],
    ids=lambda value: str(value)[:20],
)  # fmt: skip
def test_a_config_that_is_none_or_wants_code_is_refused(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=said):
        locate(str(tmp_path), None)


@pytest.mark.parametrize(
    ("file", "key", "value"),
    [("tokenizer.json", "model", 7), ("tokenizer.json", "added_tokens", [7]),
     ("tokenizer_config.json", "pad_token", {}), ("config.json", "hidden_size", "many")],
)  # fmt: skip
def test_a_damaged_file_of_a_tokenizer_is_an_error_with_a_remedy(tmp_path, file, key, value):
    """Libraries raise errors of any class for these, `Exception` itself among them."""
    own = Tokenizer(WordLevel({"a": 0, "?": 1}, unk_token="?"))
    PreTrainedTokenizerFast(tokenizer_object=own, unk_token="?").save_pretrained(tmp_path)
    BertConfig(vocab_size=2, hidden_size=4, num_attention_heads=1).save_pretrained(tmp_path)
    assert encode(load_tokenizer(tmp_path), ["a"]) == [[0]]
    path = tmp_path / file
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | {key: value}), encoding="utf-8")
    with pytest.raises(UserError, match=r"the tokenizer in .* can't be loaded(?s:.*)fetch or copy it again"):
        load_tokenizer(tmp_path)


def test_a_lack_of_memory_is_no_damage_of_a_checkpoint(tmp_path):
    for error, expected in ((KeyError("x"), UserError), (RuntimeError("CUDA out of memory"), RuntimeError)):
        with pytest.raises(expected), loading(Located(tmp_path, "x")):
            raise error
