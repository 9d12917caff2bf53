"""Pushing a model: one commit with weights, tokenizer and a model card; no file contains the token."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml
from transformers import AutoModelForCausalLM, AutoTokenizer

from conftest import Checkout
from samizdat.records.io import read_document
from samizdat.records.models import ModelSummary
from support.hub_server import READERS_TOKEN, TOKEN
from support.hub_uploads import UploadHub

CONFIGS = ("--configfile", "config/tiny.yaml", "--config", "push={repository: owner/tiny}")


@pytest.fixture
def hub():
    server = UploadHub()
    yield server
    server.stop()


def push(checkout, hub, home: Path, *configs: str, token: str | None = TOKEN) -> subprocess.CompletedProcess[str]:
    """Run `snakemake push` as a user with that token does."""
    # hf_xet, the Hub's newer protocol, needs servers that no test has.
    known = {"HF_TOKEN": token} if token else {}
    variables = hub.variables(home, HF_HUB_DISABLE_XET="1", **known)
    # Not warm: each Hub and home would need a warm process of its own.
    return Checkout(checkout.root).snakemake("push", *(configs or CONFIGS), **variables)


def test_a_model_is_pushed_once_with_its_tokenizer_and_card(tiny, hub, tmp_path):
    done = push(tiny, hub, tmp_path)
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
    record = json.loads((tiny.root / "work/tiny/push/gpt2-tiny/pushed.json").read_text(encoding="utf-8"))
    assert record == {"repository": "owner/tiny", "commit": repository.branches["main"]}

    again = push(tiny, hub, tmp_path)
    assert again.returncode == 0 and len(hub.messages) == 1
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


@pytest.mark.parametrize(
    ("token", "config", "said"),
    [
        (None, "{repository: owner/other}", "there is no token to push with"),
        (READERS_TOKEN, "{repository: owner/other}", "the token may not write to owner/other"),
        (TOKEN, None, "there is no repository to push to"),
    ],
)
def test_what_cant_be_pushed_is_refused(tiny, hub, tmp_path, token, config, said):
    configs = ["--configfile", "config/tiny.yaml", *(["--config", f"push={config}"] if config else [])]
    done = push(tiny, hub, tmp_path, *configs, token=token)
    assert done.returncode != 0 and said in done.stderr and "What to do:" in done.stderr
    assert not hub.repositories


def test_a_hub_that_does_not_answer_is_an_error_for_people(tiny, hub, tmp_path):
    hub.down = True
    done = push(tiny, hub, tmp_path, "--configfile", "config/tiny.yaml", "--config", "push={repository: owner/down}")
    assert done.returncode != 0 and "owner/down can't be pushed: " in done.stderr and "What to do:" in done.stderr
