"""Publish a model on the Hugging Face Hub: weights, tokenizer and card, as one commit."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samizdat.base import stage
from samizdat.base.errors import UserError
from samizdat.base.files import write_text
from samizdat.models.card import model_card
from samizdat.records.corpus import CorpusSummary
from samizdat.records.io import read_document
from samizdat.records.models import ModelSummary, TokenizerSummary

FILES = (
    "config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
    "train_log.csv",
)  # fmt: skip


@dataclass(frozen=True)
class PushSettings:
    """The keys of `push` in the config, where each is explained."""

    repository: str | None
    private: bool


def push_model(
    settings: PushSettings,
    model: Path,
    tokenizer: Path,
    corpus: Path,
    title_of_run: str,
    language: str,
    training: dict[str, Any],
    record: Path,
) -> str:
    """Push a model with its tokenizer and a generated card, with the token that the Hub's own tools would use.

    Args:
        settings: where to, and who may see it.
        model: the folder as `train` wrote it.
        tokenizer: the tokenizer's `summary.json`.
        corpus: the corpus's `summary.json`.
        title_of_run: for the card.
        language: of the texts, as in HTML's lang.
        training: the model's recipe, for the card.
        record: where to write which commit it became.

    Raises:
        UserError: no repository is named, there is no token, it may not write there, or the Hub can't be reached.
    """
    # Imported here because huggingface_hub reads HF_ENDPOINT at import.
    from huggingface_hub import CommitOperationAdd, HfApi, get_token
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, HTTPError
    from huggingface_hub.utils import disable_progress_bars

    if settings.repository is None:
        raise UserError(
            "there is no name to push to", remedy="set push.repository in the config, such as owner/my-gpt2"
        )
    if get_token() is None:
        raise UserError(
            "there is no token to push with",
            remedy="run `hf auth login`, or set HF_TOKEN to a token that may write",
        )
    summary = read_document(ModelSummary, model / "summary.json")
    card = model_card(
        summary,
        read_document(TokenizerSummary, tokenizer),
        read_document(CorpusSummary, corpus),
        title=title_of_run,
        language=language,
        training=training,
    )
    files: dict[str, str | bytes] = {name: str(model / name) for name in FILES} | {"README.md": card.encode()}
    disable_progress_bars()
    api = HfApi()
    try:
        repository = api.create_repo(settings.repository, private=settings.private, exist_ok=True).repo_id
        commit = api.create_commit(
            repository,
            [CommitOperationAdd(path_in_repo=name, path_or_fileobj=content) for name, content in files.items()],
            commit_message=f"{summary.name}: {summary.validation_bits_per_byte:.3f} bits per byte",
        )
    except HFValidationError as error:
        raise UserError(f"push.repository: {error}", remedy="write it as owner/name") from None
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else None
        if status in (401, 403):
            raise UserError(
                f"the token may not write to {settings.repository}",
                remedy="use a token with the right to write, of somebody whom push.repository belongs to",
            ) from None
        raise _unreachable(settings.repository, error) from None
    except (HTTPError, OSError, RuntimeError) as error:
        raise _unreachable(settings.repository, error) from None
    write_text(record, json.dumps({"repository": repository, "commit": commit.oid}, indent=2) + "\n")
    return f"{commit.commit_url}"


def _unreachable(repository: str, error: Exception) -> UserError:
    detail = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return UserError(f"{repository} can't be pushed: {detail}", remedy="try again where the Hub can be reached")


if __name__ == "__main__":
    stage.run(push_model)
