"""`samizdat`: what people type at a terminal. Each command's work is in a module of its own, but for `sample`'s."""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from samizdat.base.errors import UserError
from samizdat.base.escaping import visible
from samizdat.base.seeds import derive_seed
from samizdat.records.io import read_document
from samizdat.records.models import ModelSummary

# A decoded text may end within a character, or within a line end: such an end is not shown yet.
_UNDECIDED = "\ufffd\r"
_CALL = "› "


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its status."""
    options, more = _parser().parse_known_args(arguments)
    if more and options.command is not _plan:
        _parser().error(f"unrecognized arguments: {' '.join(more)}")
    options.more = more
    # A character that the terminal's encoding lacks must not end a text.
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    try:
        if status := options.command(options):
            sys.exit(status)
    except UserError as error:
        print(f"✗ {error}", file=sys.stderr)
        sys.exit(options.failed)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read has enough; Python would complain once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="samizdat", description="What people ask of a run.")
    parser.set_defaults(failed=1)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    sample = commands.add_parser(
        "sample",
        help="continue a prompt, word by word, with a checkpoint of a run",
        description="Continue a prompt with a checkpoint of a run; without a prompt, each line that is typed is one. "
        "What is not said here stands in the run's config. A sample of the report is written again by its model, "
        "percent, temperature, seed and prompt.",
    )
    sample.add_argument("prompt", nargs="?", metavar="PROMPT", help="how the text begins; an empty one: with nothing")
    sample.add_argument("--run", default="demo", metavar="NAME", help="results/<NAME>/ holds it (demo)")
    sample.add_argument("--model", metavar="NAME", help="one of the run's models (its first)")
    sample.add_argument("--percent", type=int, default=100, metavar="N", help="how far through its training (100)")
    sample.add_argument("--temperature", type=float, metavar="T", help="0: always the most probable token")
    sample.add_argument("--top-k", type=int, metavar="K", help="draw from the K most probable tokens; 0: from all")
    sample.add_argument("--top-p", type=float, metavar="P", help="draw from the tokens that make up this share")
    sample.add_argument("--repetition-penalty", type=float, metavar="X", help="1: none")
    sample.add_argument("--no-repeat-ngram", type=int, metavar="N", help="no run of N tokens twice; 0: off")
    sample.add_argument("--max-new-tokens", type=int, metavar="N", help="the longest continuation")
    sample.add_argument(
        "--slots", type=int, metavar="N", help="1 is faster with a large model; the run's gives the very same samples"
    )
    sample.add_argument("--seed", type=int, metavar="N", help="another one: another text")
    sample.add_argument("--device", metavar="NAME", help="auto, cpu, cuda or mps")
    sample.set_defaults(command=_sample)
    plan = commands.add_parser(
        "plan",
        help="which jobs would run, why, and for about how long",
        description="Say which jobs would run, why, and for about how long. Options are Snakemake's, such as "
        "--configfile config/mine.yaml.",
    )
    plan.set_defaults(command=_plan)
    verify = commands.add_parser(
        "verify",
        help="make a run again and say what is the same",
        description="Make a run again in a folder of its own and say, artefact by artefact, what is the same. Exit "
        "status: 0 all bytes are the same, 1 all numbers are within the tolerance, 2 something is different, 3 it "
        "can't be made again.",
    )
    verify.add_argument("run", type=Path, metavar="RUN", help="results/<name>, or a bundle")
    verify.set_defaults(command=_verify, failed=3)
    bundle = commands.add_parser("bundle", help="write a run as one file that somebody else can verify")
    bundle.add_argument("run", type=Path, metavar="RUN", help="results/<name>")
    bundle.add_argument(
        "--inputs", choices=["files", "hashes"], default="files", help="hashes: leave the corpus's texts out"
    )
    bundle.set_defaults(command=_bundle)
    doctor = commands.add_parser(
        "doctor",
        help="check this machine, the environment and the results",
        description="Check this machine, the environment and the results, and print what a report of a bug needs. "
        "Exit status: 0 a run can start and every result is whole, 1 something must be mended.",
    )
    doctor.set_defaults(command=_doctor)
    clean = commands.add_parser("clean", help="what takes how much disk, and what of it to keep")
    clean.add_argument("what", nargs="*", metavar="WHAT", help="delete these without a question")
    clean.add_argument("--all", action="store_true", help="delete everything without a question")
    clean.set_defaults(command=_clean)
    keep = commands.add_parser(
        "keep",
        help="run a command, and copy what it makes into a folder that outlives this machine",
        description="Put back what the folder holds and is missing here, run the command, and copy texts, configs, "
        "results and state into the folder, time and again and at the end.",
    )
    keep.add_argument("folder", type=Path, metavar="FOLDER", help="where the copies lie")
    keep.add_argument("call", nargs=argparse.REMAINDER, metavar="COMMAND", help="without one, all is only put back")
    keep.set_defaults(command=_keep)
    return parser


def _plan(options: argparse.Namespace) -> int:
    from samizdat.runs.plan import show_plan

    return show_plan(options.more)


def _verify(options: argparse.Namespace) -> int:
    from samizdat.runs.verify import verify

    return verify(options.run)


def _doctor(options: argparse.Namespace) -> int:
    from samizdat.doctor import doctor

    return doctor(Path.cwd())


def _clean(options: argparse.Namespace) -> None:
    from samizdat.runs.clean import asker, clean

    print(clean(options.what, everything=options.all, ask=asker()))


def _keep(options: argparse.Namespace) -> int:
    from samizdat.runs.keep import keep

    return keep(options.folder, options.call)


def _bundle(options: argparse.Namespace) -> None:
    from samizdat.runs.bundle import write_bundle

    print(write_bundle(options.run, hashes_only=options.inputs == "hashes"))


def _sample(options: argparse.Namespace) -> None:
    folder = Path("results", options.run)
    config = _config(folder)
    sampling = config["sampling"] | {key: value for key, value in vars(options).items() if value is not None}
    _check(sampling)
    checkpoint, model_folder = _checkpoint(folder, config, options.model, options.percent)

    # Imported here so that a wrong name is answered at once.
    import transformers

    from samizdat.base.device import enough_memory, prepare
    from samizdat.checkpoints.encoding import encode, load
    from samizdat.samples.engine import Recipe, Request, stream_text

    transformers.utils.logging.disable_progress_bar()
    seed = config["seed"] if options.seed is None else options.seed
    device = prepare(options.device or config["device"], threads=config["threads"], seed=config["seed"])
    tokenizer = load(model_folder)
    model = transformers.GPT2LMHeadModel.from_pretrained(
        checkpoint, dtype="float32", use_safetensors=True, local_files_only=True
    )
    model.eval().to(device.kind)
    recipe = Recipe(**{name: sampling[name] for name in Recipe.__dataclass_fields__})
    temperature = float(sampling.get("temperature", sampling["temperatures"][0]))
    for number, prompt in enumerate(_prompts(options.prompt)):
        tokens = (tokenizer.eos_token_id, *encode(tokenizer, [prompt])[0])
        if len(tokens) >= model.config.n_positions:
            raise UserError(
                f"the prompt has {len(tokens)} tokens, the model reads {model.config.n_positions}",
                remedy="shorten it",
            )
        # The first text has the seed as it was given, so that a sample of the report can be written again.
        request = Request(tokens, temperature, derive_seed(seed, number) if number else seed)
        written = stream_text(model, request, recipe, boundary=tokenizer.eos_token_id)
        try:
            with enough_memory(device, f"{recipe.slots} texts at once", remedy="give --slots 1"):
                for piece in _pieces(tokenizer, tokens[1:], written):
                    print(visible(piece), end="", flush=True)
        except KeyboardInterrupt:
            if options.prompt is not None:
                raise
        print(flush=True)


def _config(folder: Path) -> dict[str, Any]:
    try:
        return json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        runs = sorted(path.parent.name for path in folder.parent.glob("*/config.json"))
        raise UserError(
            f"there is no run in {folder.absolute()}",
            remedy=f"name one of {', '.join(runs)}" if runs else "start this where results/ is, after `make`",
        ) from None


def _check(sampling: dict[str, Any]) -> None:
    """Refuse options that the config's schema would refuse."""
    for name, right, wanted in (
        ("temperature", sampling.get("temperature", 1) >= 0, "0 or more"),
        ("top_k", sampling["top_k"] >= 0, "0 or more"),
        ("top_p", 0 < sampling["top_p"] <= 1, "above 0 and at most 1"),
        ("repetition_penalty", sampling["repetition_penalty"] >= 1, "1 or more"),
        ("no_repeat_ngram", sampling["no_repeat_ngram"] >= 0, "0 or more"),
        ("max_new_tokens", sampling["max_new_tokens"] >= 1, "1 or more"),
        ("slots", sampling["slots"] >= 1, "1 or more"),
        ("seed", sampling.get("seed", 0) >= 0, "0 or more"),
    ):
        if not right:
            option = "--" + name.replace("_", "-")
            raise UserError(f"{option} is {sampling[name]}", remedy=f"give a number that is {wanted}")


def _checkpoint(folder: Path, config: dict[str, Any], model: str | None, percent: int) -> tuple[Path, Path]:
    """The folder of the weights, and that of their model with the tokenizer."""
    names = [item["name"] for item in config["models"]]
    if model is not None and model not in names:
        raise UserError(f"the run has no model {model!r}", remedy=f"name one of {', '.join(names)}")
    model_folder = folder / "models" / (model or names[0])
    summary = read_document(ModelSummary, model_folder / "summary.json")
    if str(percent) not in summary.checkpoints:
        kept = ", ".join(sorted(summary.checkpoints, key=int))
        raise UserError(f"no checkpoint was kept at {percent} %", remedy=f"give --percent one of {kept}")
    return (model_folder if percent == 100 else model_folder / "steps" / str(percent)), model_folder


def _prompts(given: str | None) -> Iterator[str]:
    """The prompt that was given, or each line that is typed or piped in."""
    if given is not None:
        yield given
        return
    asking = sys.stdin.isatty() and sys.stdout.isatty()
    if asking:
        # Arrow keys and a history for input().
        import readline  # noqa: F401

        print("Type how a text begins (Return alone: with nothing); Ctrl-D ends.")
    while True:
        try:
            yield input(_CALL if asking else "")
        except EOFError:
            return


def _pieces(tokenizer: Any, prompt: Sequence[int], written: Iterable[int]) -> Iterator[str]:
    """What a text grows by, token by token, in whole characters; the prompt first."""
    tokens = list(prompt)
    text = tokenizer.decode(tokens, clean_up_tokenization_spaces=False)
    yield text
    shown = len(text)
    for token in written:
        tokens.append(token)
        text = tokenizer.decode(tokens, clean_up_tokenization_spaces=False)
        whole = text.rstrip(_UNDECIDED)
        if len(whole) > shown:
            yield whole[shown:]
            shown = len(whole)
    yield text[shown:]
