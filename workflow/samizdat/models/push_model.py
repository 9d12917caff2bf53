"""Publish a model on the Hugging Face Hub: weights, tokenizer and model card, as one commit."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from samizdat.base import stage
from samizdat.base.errors import UserError
from samizdat.base.files import checked_sha256, write_text
from samizdat.checkpoints.sources import first_line
from samizdat.models.card import model_card
from samizdat.records.corpus import CorpusSummary
from samizdat.records.io import read_document
from samizdat.records.models import ModelSummary, TokenizerSummary

if TYPE_CHECKING:
    from huggingface_hub import CommitInfo

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
        settings: which repository, and whether it is private.
        model: the folder that `train_model` wrote.
        tokenizer: the tokenizer's `summary.json`.
        corpus: the corpus's `summary.json`.
        title_of_run: for the card.
        language: of the texts, as in HTML's lang.
        training: the model's recipe, for the card.
        record: JSON file to write with the repository and the commit.

    Raises:
        UserError: no repository is named, there is no token, the token may not write to the repository, this is public
            and must not be, or the Hub can't be reached.
    """
    # Imported here because huggingface_hub reads HF_ENDPOINT at import.
    from huggingface_hub import get_token

    if settings.repository is None:
        raise UserError(
            "there is no repository to push to", remedy="set push.repository in the config, such as owner/my-gpt2"
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
        training=training | summary.recipe,
    )
    for name in FILES:
        checked_sha256(model / name)
    files: dict[str, str | bytes] = {name: str(model / name) for name in FILES} | {"README.md": card.encode()}
    message = f"{summary.name}: {summary.test_bits_per_byte:.3f} bits per byte"
    repository, commit = _commit(settings.repository, files, message, private=settings.private)
    write_text(record, json.dumps({"repository": repository, "commit": commit.oid}, indent=2) + "\n")
    return commit.commit_url


def _commit(repository: str, files: dict[str, str | bytes], message: str, *, private: bool) -> tuple[str, "CommitInfo"]:
    """Upload files as one commit; a repository that does not exist is created.

    Args:
        repository: `owner/name`.
        files: name in the repository → path of a file, or its bytes.
        message: of the commit.
        private: whether the repository must be private; a new one is made so.

    Returns:
        The repository's id on the Hub, and the commit.

    Raises:
        UserError: the name is not valid, the token may not write there, the repository is public and must not be, or
            the Hub can't be reached.
    """
    from huggingface_hub import CommitOperationAdd, HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, HTTPError  # type: ignore[attr-defined]
    from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]  # both lack a re-export

    disable_progress_bars()
    api = HfApi()
    operations = [CommitOperationAdd(path_in_repo=name, path_or_fileobj=content) for name, content in files.items()]
    try:
        found = api.create_repo(repository, private=private, exist_ok=True).repo_id
        # A repository that is there already stays as public as it is.
        if private and not api.model_info(found).private:
            raise UserError(
                f"{found} is a public repository, but push.private is true",
                remedy="make it private on its page on the Hub (Settings), name another one as push.repository, or set "
                "`private: false` if everybody may have this model",
            )
        return found, api.create_commit(found, operations, commit_message=message)
    except HFValidationError as error:
        raise UserError(f"push.repository: {error}", remedy="write it as owner/name") from None
    except HfHubHTTPError as error:
        if error.response is not None and error.response.status_code in (401, 403):
            raise UserError(
                f"the token may not write to {repository}",
                remedy="use a token with write access of the user or organisation that owns the repository",
            ) from None
        raise _unreachable(repository, error) from None
    except (HTTPError, OSError, RuntimeError) as error:
        raise _unreachable(repository, error) from None


def _unreachable(repository: str, error: Exception) -> UserError:
    return UserError(
        f"{repository} can't be pushed: {first_line(error)}", remedy="try again when the Hub can be reached"
    )


if __name__ == "__main__":
    stage.run(push_model)
