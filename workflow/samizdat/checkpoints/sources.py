"""Checkpoints from an installed package, a folder or the Hugging Face Hub: only safe files, of a known commit."""

import contextlib
import importlib.util
import json
import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from samizdat.base.corpus_files import path_is
from samizdat.base.errors import UserError
from samizdat.base.files import sha256_of
from samizdat.base.parent import ran_out_of_memory

log = logging.getLogger("samizdat")

PACKAGE_PREFIX = "package:"
# Not of a part of a package: to look for one imports the package.
PACKAGE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
COMMIT = re.compile(r"[0-9a-f]{40}")
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")

# Names of the files that may be fetched: never a Python file, and the pickle only for the isolated conversion.
VOCABULARY_FILES = ("tokenizer.json", "vocab.txt", "vocab.json", "merges.txt", "*.model")
TOKENIZER_FILES = (
    *VOCABULARY_FILES, "config.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
)  # fmt: skip
MODEL_FILES = (
    *TOKENIZER_FILES, "generation_config.json", "model.safetensors", "model-*.safetensors",
    "model.safetensors.index.json",
)  # fmt: skip
PICKLE_FILE = "pytorch_model.bin"
CHECKPOINT_FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")


@dataclass(frozen=True)
class Located:
    """A checkpoint on this machine: its folder, and its name in a report."""

    path: Path
    origin: str  # without absolute paths: "owner/name@commit", "the package NAME", or the folder as given

    def digests(self) -> dict[str, str]:
        """Compute the SHA-256 of each file, for the fingerprint of a result that depends on the checkpoint.

        Other programs add other files to the Hub's cache, which all of them share; those are not hashed.
        """
        files = {path for pattern in MODEL_FILES for path in self.path.glob(pattern) if path.is_file()}
        return {path.name: sha256_of(path) for path in sorted(files)}


def locate(checkpoint: str, revision: str | None, patterns: tuple[str, ...] = MODEL_FILES) -> Located:
    """Find a checkpoint; fetch it from the Hub if it is given by its Hub id.

    Args:
        checkpoint: `package:NAME/FOLDER` (a folder of an installed package, which is not imported), an existing
            folder, or a Hub id.
        revision: a commit, tag or branch of a Hub repository; `origin` has the commit that it refers to.
        patterns: the files that may be fetched.

    Raises:
        UserError: there is no such package, folder or id, the Hub can't be reached, or the checkpoint needs Python
            code of its own.
    """
    if checkpoint.startswith(PACKAGE_PREFIX):
        found = _in_package(checkpoint)
    elif path_is(Path(checkpoint), "is_dir"):
        found = Located(Path(checkpoint), Path(checkpoint).as_posix())
    elif is_hub_id(checkpoint):
        found = _from_hub(checkpoint, revision, patterns)
    else:
        raise UserError(
            f"the checkpoint folder {checkpoint} does not exist (looked in {Path.cwd()})",
            remedy="correct the path in the config, or name a Hub id such as owner/name",
        )
    _refuse_code(found)
    return found


def is_hub_id(checkpoint: str) -> bool:
    """Whether a checkpoint is one of the Hub, neither of a package nor a folder."""
    named = not checkpoint.startswith(PACKAGE_PREFIX) and not path_is(Path(checkpoint), "is_dir")
    return named and HUB_ID.fullmatch(checkpoint) is not None


def fetch(checkpoint: str, revision: str | None) -> None:
    """Fetch a checkpoint from the Hub with all files that any step may ask for.

    Raises:
        UserError: as `locate`.
    """
    found = locate(checkpoint, revision)
    if not any(found.path.glob("*.safetensors")):
        locate(checkpoint, revision, (*MODEL_FILES, PICKLE_FILE))


def _in_package(checkpoint: str) -> Located:
    name, _, folder = checkpoint.removeprefix(PACKAGE_PREFIX).partition("/")
    if not PACKAGE.fullmatch(name) or folder.startswith("/") or ".." in folder.split("/"):
        raise UserError(
            f"the checkpoint {checkpoint!r} is not package:NAME/FOLDER, the name of a package and a folder in it",
            remedy="correct it in the config: NAME has no dot, and FOLDER no `..`",
        )
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise UserError(
            f"the package {name} of the checkpoint {checkpoint} is not installed",
            remedy="install it into this environment; `make` installs what envs/lock.txt lists",
        )
    path = Path(next(iter(spec.submodule_search_locations)), folder)
    if not path.is_dir():
        raise UserError(
            f"the package {name} has no folder {folder!r}",
            remedy=f"correct {checkpoint} in the config",
        )
    return Located(path, f"the package {name}")


def _from_hub(checkpoint: str, revision: str | None, patterns: tuple[str, ...]) -> Located:
    # Imported here, because huggingface_hub reads HF_HUB_OFFLINE and HF_ENDPOINT when it is imported.
    from huggingface_hub import errors, snapshot_download
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    by_hand = "or name a folder that has its files"
    try:
        path = Path(snapshot_download(checkpoint, revision=revision, allow_patterns=list(patterns)))
    except errors.GatedRepoError:
        raise UserError(
            f"{checkpoint} is on the Hub, but its owner asks for an agreement",
            remedy=f"accept it on the model's page and run `hf auth login`, {by_hand}",
        ) from None
    except errors.RevisionNotFoundError:
        raise UserError(
            f"{checkpoint} has no revision {revision!r}",
            remedy="name a commit of its history as `revision`, all 40 digits of it, or a tag or branch",
        ) from None
    except (errors.RepositoryNotFoundError, errors.HFValidationError):
        raise UserError(
            f"{checkpoint} is neither a folder (looked in {Path.cwd()}) nor an id on the Hub, or it is private",
            remedy=f"correct the id; for a private one run `hf auth login`; {by_hand}",
        ) from None
    except (errors.HTTPError, OSError) as error:  # type: ignore[attr-defined] # of the HTTP client that it uses
        if getattr(error, "errno", None) is not None:
            raise  # A problem of this machine, such as a full disk.
        raise UserError(
            f"{checkpoint} can't be fetched from the Hub: {first_line(error)}",
            remedy="try again with a connection to the Hub; to use files that were fetched before, without a "
            f"connection, set HF_HUB_OFFLINE=1; {by_hand}",
        ) from None
    return Located(path, f"{checkpoint}@{path.name}")


@contextlib.contextmanager
def loading(found: Located) -> Iterator[None]:
    """Replace a library's error about a checkpoint that can't be loaded by one with a remedy.

    Damaged files make libraries raise errors of any class. A lack of memory is no damage.

    Raises:
        UserError: a library raised an error inside the block.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, UserError) or ran_out_of_memory(error):
            raise
        log.info("%s can't be loaded", found.origin, exc_info=True)
        raise UserError(
            f"{found.origin} can't be loaded: {first_line(error)}",
            remedy="check that it is complete, of the right kind, and has safetensors; fetch or copy it again",
        ) from None


def refuse_missing_weights(missing: Iterable[str], found: Located, what: str) -> None:
    """Refuse a checkpoint that lacks some of its weights, which transformers would draw at random.

    Args:
        missing: their names, as transformers reports them.
        found: where the checkpoint is.
        what: such a model is called, without an article.

    Raises:
        UserError: it lacks some.
    """
    if names := sorted(missing):
        raise UserError(
            f"{found.origin} is no {what}: it has no weights for {', '.join(names[:3])}",
            remedy=f"name a checkpoint that was trained as a {what}; or fetch or copy it again, if it is damaged",
        )


def refuse_incomplete_encoder(missing: Iterable[str], found: Located) -> None:
    """Refuse an encoder that lacks weights; many come without a pooler, which is learned or isn't used.

    Args:
        missing: the names of weights, as transformers reports them, without those of a head.
        found: where the checkpoint is.

    Raises:
        UserError: it lacks others than those of the pooler.
    """
    refuse_missing_weights((name for name in missing if "pooler" not in name), found, "encoder of its config.json")


def first_line(error: Exception) -> str:
    """Return the first line of an error's message that is not empty, or the name of its class."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def _refuse_code(found: Located) -> None:
    """Refuse a checkpoint that needs Python code of its own, or whose config can't be read."""
    for name in ("config.json", "tokenizer_config.json"):
        file = found.path / name
        try:
            values = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        except (ValueError, RecursionError):
            values = None
        if not isinstance(values, dict):
            raise UserError(f"{name} of {found.origin} is damaged", remedy="fetch or copy it again") from None
        if "auto_map" in values:
            raise UserError(
                f"{found.origin} needs Python code of its own (auto_map in its {name}), which is never run",
                remedy="name a checkpoint of an architecture that is part of transformers",
            )
