"""`samizdat sample`: continue prompts with a checkpoint of a run.

Importing torch takes seconds, so names and numbers are checked before.
"""

import io
import json
import math
import operator
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from samizdat.base.configuration import Config, load_schema, trainings
from samizdat.base.errors import UserError
from samizdat.base.escaping import visible
from samizdat.base.files import MAKE_AGAIN, checked_bytes
from samizdat.base.seeds import derive_seed
from samizdat.base.wording import how_to_make
from samizdat.records.io import read_document
from samizdat.records.models import ModelSummary

_CALL = "› "
_SAMPLING = ("top_k", "top_p", "repetition_penalty", "no_repeat_ngram", "max_new_tokens", "slots")
# A number's limits in a JSON schema: how the number is compared with the limit, and the limit in words.
_LIMITS = {
    "minimum": (operator.ge, "{} or more"),
    "exclusiveMinimum": (operator.gt, "above {}"),
    "maximum": (operator.le, "at most {}"),
}


def sample(
    prompt: str | None,
    changes: Mapping[str, int | float],
    *,
    run: str,
    model: str | None,
    percent: int,
    device: str | None,
) -> None:
    """Print a prompt and its continuation, token by token; without a prompt, do so for each line of stdin.

    Args:
        prompt: how the text begins; None: read prompts from stdin.
        changes: numbers to use in place of the config's: keys of `sampling`, `temperature`, `seed`.
        run: name of the run, which is in `results/<run>/`.
        model: one of the run's trainings, such as `small` or `small.seed2`; None: the first.
        percent: of training, to choose a checkpoint; 100 is the published model.
        device: `auto`, `cpu`, `cuda` or `mps`; None: the config's.

    Raises:
        UserError: there is no such run, model, checkpoint or device, the model isn't trained yet or lacks a file, a
            number is not allowed, a prompt is no UTF-8 or longer than the model's context, or memory is too small. At
            a terminal it asks again after the last three.
    """
    folder = Path("results", run)
    config = _config(folder)
    _check(changes, device)
    model_folder = _model_folder(folder, config, model, percent)
    sampling = {"temperature": config["sampling"]["temperatures"][0], **config["sampling"], **changes}
    seed = int(changes.get("seed", config["seed"]))

    from transformers.utils import logging as transformers_logging

    from samizdat.base.device import enough_memory, prepare
    from samizdat.checkpoints.encoding import load_tokenizer
    from samizdat.samples.checkpoint import load_model
    from samizdat.samples.stream import continuation
    from samizdat.samples.token_choice import Recipe

    transformers_logging.disable_progress_bar()
    chosen = prepare(device or config["device"], threads=config["threads"], seed=config["seed"])
    try:
        weights, tokenizer = load_model(model_folder, percent, chosen.kind), load_tokenizer(model_folder)
    except FileNotFoundError as error:
        raise UserError(f"{error.filename} is missing", remedy=f"make it with {how_to_make(run)}") from None
    recipe, temperature = Recipe.of(sampling), float(sampling["temperature"])
    asking = prompt is None and sys.stdin.isatty() and sys.stdout.isatty()
    for number, text in enumerate(_prompts(prompt, asking=asking)):
        # The first text has the seed as it was given, so that a sample of the report can be written again.
        own_seed = derive_seed(seed, number) if number else seed
        try:
            _refuse_other_bytes(text)
            with enough_memory(chosen, f"{recipe.slots} texts at once", remedy="give --slots 1"):
                for piece in continuation(weights, tokenizer, text, recipe, temperature=temperature, seed=own_seed):
                    print(visible(piece), end="", flush=True)
        except KeyboardInterrupt:
            if not asking:
                raise
        except UserError as error:  # such as a prompt that is too long: the next one may be shorter
            if not asking:
                raise
            print(visible(f"✗ {error}"), end="")
        print(flush=True)


def _config(folder: Path) -> Config:
    """Read the config of a run.

    Raises:
        UserError: there is no such run, or the file is damaged or of another version.
    """
    path = folder / "config.json"
    try:
        config: Config = json.loads(checked_bytes(path))
        _values_read(config)
    except (KeyError, TypeError, AttributeError, IndexError):
        raise UserError(
            f"{path} lacks what this version reads there, so another version made the run, or it was edited",
            remedy="write texts with the version that made the run, or make the run again",
        ) from None
    except ValueError:
        raise UserError(f"{path} is damaged", remedy=MAKE_AGAIN) from None
    except FileNotFoundError:
        runs = sorted(path.parent.name for path in Path("results").glob("*/config.json"))
        raise UserError(
            f"there is no run in {folder.absolute()}",
            remedy=f"name one of {', '.join(runs)}" if runs else "start this in the folder of results/, after `make`",
        ) from None
    return config


def _values_read(config: Config) -> list[Any]:
    """List all that is read of a config; what it lacks is an error of Python's."""
    sampling = config["sampling"]
    of_sampling = [sampling["temperatures"][0], *(sampling[key] for key in _SAMPLING)]
    return [*(config[key] for key in ("threads", "seed", "device")), *of_sampling, *trainings(config)]


def _check(changes: Mapping[str, int | float], device: str | None) -> None:
    """Refuse numbers and a device that the config's schema doesn't allow, and infinity.

    Raises:
        UserError: names the option, its value and what is allowed.
    """
    schema = load_schema()["properties"]
    keys = schema["sampling"]["properties"]
    # 0 is no temperature for the config; here it means: always the most probable token.
    of_config = keys["temperatures"]["items"]
    temperature = {"minimum": of_config["exclusiveMinimum"], "maximum": of_config["maximum"]}
    allowed = keys | {"seed": schema["seed"], "temperature": temperature}
    for name, value in changes.items():
        limits = [(*_LIMITS[key], allowed[name][key]) for key in _LIMITS if key in allowed[name]]
        if not math.isfinite(value) or not all(fits(value, limit) for fits, _, limit in limits):
            wanted = " and ".join(words.format(limit) for _, words, limit in limits)
            raise UserError(f"--{name.replace('_', '-')} is {value}", remedy=f"give a number that is {wanted}")
    if device not in (None, *schema["device"]["enum"]):
        raise UserError(f"--device is {device}", remedy=f"give one of {', '.join(schema['device']['enum'])}")


def _model_folder(folder: Path, config: Config, model: str | None, percent: int) -> Path:
    """Return the folder of one of the run's models.

    Raises:
        UserError: the run has no such model, or the model isn't trained yet, or has no checkpoint at `percent`.
    """
    names = list(trainings(config))
    if model is not None and model not in names:
        raise UserError(f"the run has no model {model!r}", remedy=f"name one of {', '.join(names)}")
    model_folder: Path = folder / "models" / (model or names[0])
    if not (model_folder / "summary.json").is_file():
        raise UserError(
            f"the model {model_folder.name!r} isn't trained yet", remedy=f"train it with {how_to_make(folder.name)}"
        )
    checkpoints = read_document(ModelSummary, model_folder / "summary.json").checkpoints
    if str(percent) not in checkpoints:
        kept = ", ".join(sorted(checkpoints, key=int))
        raise UserError(f"no checkpoint was kept at {percent} %", remedy=f"give --percent one of {kept}")
    return model_folder


def _refuse_other_bytes(prompt: str) -> None:
    """Refuse a prompt with bytes that are no UTF-8; Python has read them as halves of surrogate pairs.

    Raises:
        UserError: names the first such byte.
    """
    try:
        prompt.encode()
    except UnicodeEncodeError as error:
        byte = ord(prompt[error.start]) & 0xFF
        raise UserError(
            f"the prompt has the byte 0x{byte:02X} after {prompt[: error.start]!r}, which is no UTF-8",
            remedy="save the file of prompts as UTF-8, or let the terminal send UTF-8",
        ) from None


def _prompts(given: str | None, *, asking: bool) -> Iterator[str]:
    """Yield the prompt that was given, or each line that is typed (`asking`) or piped in."""
    if given is not None:
        yield given
        return
    if asking:
        # Arrow keys and a history for input().
        import readline  # noqa: F401

        print("Type how a text begins (Return alone: with nothing); Ctrl-D ends.")
    elif isinstance(sys.stdin, io.TextIOWrapper):
        # A mark at the beginning is no letter. Bytes that are no UTF-8 are read, and refused where they are.
        sys.stdin.reconfigure(encoding="utf-8-sig", errors="surrogateescape")
    while True:
        try:
            yield input(_CALL if asking else "")
        except EOFError:
            return
