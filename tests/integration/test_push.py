"""Pushing a model: one commit with weights, tokenizer and a model card; no file contains the token."""

import json
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from huggingface_hub import constants
from transformers import AutoModelForCausalLM, AutoTokenizer

from conftest import Checkout
from samizdat.base.errors import UserError
from samizdat.models.push_model import PushSettings, push_model
from samizdat.records.io import read_document
from samizdat.records.models import ModelSummary
from support.hub_server import READERS_TOKEN, TOKEN
from support.hub_uploads import UploadHub
from support.readme import blocks

CONFIGS = ("--configfile", "config/tiny.yaml", "--config", "push={repository: owner/tiny}")


@pytest.fixture
def hub():
    server = UploadHub()
    yield server
    server.stop()


def readmes_command(config: str) -> list[str]:
    """Return the arguments of Snakemake that the README shows for pushing, with a config of one's own."""
    (command,) = [block.strip() for block in blocks("bash") if " push " in block]
    program, *arguments = shlex.split(command)
    assert program == "snakemake" and arguments[-1] == "config/mine.yaml"
    return [*arguments[:-1], config]


def push(checkout, hub, home: Path, *configs: str, token: str | None = TOKEN) -> subprocess.CompletedProcess[str]:
    """Push as a user with that token does."""
    # hf_xet, the Hub's newer protocol, needs servers that no test has.
    known = {"HF_TOKEN": token} if token else {}
    variables = hub.variables(home, HF_HUB_DISABLE_XET="1", **known)
    # Not warm: each Hub and home would need a warm process of its own.
    return Checkout(checkout.root).snakemake(*(configs or ("push", *CONFIGS)), **variables)


def test_a_model_is_pushed_once_with_its_tokenizer_and_card(tiny, hub, tmp_path):
    done = push(tiny, hub, tmp_path, *readmes_command(tiny.overlay("pushed", push={"repository": "owner/tiny"})))
    assert done.returncode == 0, done.stderr
    repository = hub.repositories["models", "owner/tiny"]
    files = repository.commits[repository.branches["main"]]
    assert repository.private and len(hub.messages) == 1
    model = tiny.root / "results" / "tiny" / "models" / "gpt2-tiny"
    for name, content in files.items():
        if name != "README.md":
            assert content == (model / name).read_bytes(), name
    for name, content in files.items():
        (tmp_path / "pulled" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "pulled" / name).write_bytes(content)
    AutoModelForCausalLM.from_pretrained(tmp_path / "pulled")
    AutoTokenizer.from_pretrained(tmp_path / "pulled")

    summary = read_document(ModelSummary, model / "summary.json")
    _, metadata, card = files["README.md"].decode().split("---\n", 2)
    assert yaml.safe_load(metadata)["pipeline_tag"] == "text-generation"
    corpus = json.loads((tiny.root / "results" / "tiny" / "corpus" / "summary.json").read_text(encoding="utf-8"))
    for said in (
        f"| bits per byte | {summary.test_bits_per_byte:.4f} |",
        f"{summary.parameters:,} parameters",
        f"{corpus['texts']:,} texts of {corpus['documents']:,} documents",
        "| `epochs` | `1.0` |",
        "## Limits",
    ):
        assert said in card
    assert "resume_every_seconds" not in card
    record = json.loads((tiny.root / "work/tiny/push/gpt2-tiny/pushed.json").read_text(encoding="utf-8"))
    assert record == {"repository": "owner/tiny", "commit": repository.branches["main"]}

    again = push(tiny, hub, tmp_path)
    assert again.returncode == 0 and len(hub.messages) == 1
    # No weights depend on how often a state was saved.
    for changes, pushes in (({"training": {"resume_every_seconds": 7}}, False), ({"title": "Another"}, True)):
        overlay = tiny.overlay("changed", push={"repository": "owner/tiny"}, **changes)
        assert ("push_model" in tiny.planned_jobs("--configfile", overlay, "--", "push")) == pushes
    written = [path for folder in ("work", "logs", "results") for path in (tiny.root / folder).rglob("*.*")]
    shown = (
        done.stdout
        + done.stderr
        + "".join(
            path.read_text(encoding="utf-8") for path in written if path.suffix in (".log", ".json") and path.is_file()
        )
    )
    assert TOKEN not in shown


def test_the_default_target_pushes_nothing(tiny):
    assert "push_model" not in tiny.planned_jobs("--forceall", *CONFIGS)


def test_without_a_repository_in_the_config_nothing_is_pushed(tiny, hub, tmp_path):
    done = push(tiny, hub, tmp_path, "push", "--configfile", "config/tiny.yaml")
    assert done.returncode != 0 and "there is no repository to push to" in done.stderr, done.stderr
    assert "What to do:" in done.stderr and not hub.repositories


@pytest.mark.parametrize(
    ("token", "down", "said"),
    [
        (None, False, "there is no token to push with"),
        (READERS_TOKEN, False, "the token may not write to owner/other"),
        (TOKEN, True, "owner/other can't be pushed: "),
    ],
)
def test_what_cant_be_pushed_is_refused(tiny, hub, tmp_path, monkeypatch, token, down, said):
    for name, value in {"ENDPOINT": hub.url, "HF_TOKEN_PATH": str(tmp_path / "token")}.items():
        monkeypatch.setattr(constants, name, value)
    monkeypatch.delenv("HUGGING_FACE_HUB_TOKEN", raising=False)
    monkeypatch.setenv("HF_TOKEN", token or "")
    hub.down = down
    run, record = tiny.root / "results" / "tiny", tmp_path / "pushed.json"
    places = {
        "model": run / "models" / "gpt2-tiny",
        "tokenizer": run / "tokenizers" / "own" / "summary.json",
        "corpus": run / "corpus" / "summary.json",
    }
    with pytest.raises(UserError, match=said) as error:
        push_model(
            PushSettings("owner/other", private=True),
            **places, title_of_run="Tiny", language="en", training={}, record=record,
        )  # fmt: skip
    assert "What to do:" in str(error.value) and not hub.repositories and not record.exists()
