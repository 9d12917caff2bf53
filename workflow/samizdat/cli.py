"""Parse the command line of `samizdat` and call the command's function."""

import argparse
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from samizdat.base.errors import UserError
from samizdat.base.escaping import visible
from samizdat.base.seeds import derive_seed
from samizdat.records.io import read_document
from samizdat.records.models import ModelSummary

# A decoded text may end within a character, or within a line end: such an end is not shown yet.
_UNDECIDED = "\ufffd\r"
_CALL = "› "
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its status."""
    parser = make_parser()
    options, more = parser.parse_known_args(arguments)
    if more and options.command is not _plan:
        parser.error(f"unrecognized arguments: {' '.join(more)}")
    options.more = more
    if isinstance(sys.stdout, io.TextIOWrapper):
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
        # The reader has closed the pipe; Python would report that once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of all commands. `make cli-help` writes docs/cli.md from it."""
    parser = argparse.ArgumentParser(
        prog="samizdat", description="Plan, check, bundle, keep and delete runs, and write texts with their models."
    )
    parser.set_defaults(failed=1)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (_add_sample, _add_plan, _add_verify, _add_bundle, _add_doctor, _add_clean, _add_keep):
        add(commands)
    return parser


def _add_sample(commands: Commands) -> None:
    sample = commands.add_parser(
        "sample",
        help="write a text with a model of a run",
        description="Write a text with a model of a run, token by token. Without PROMPT, each line that you type "
        "begins a text. To write a sample of the report again, give its model, percent, temperature, seed and prompt.",
    )
    sample.add_argument("prompt", nargs="?", metavar="PROMPT", help='begin the text with this; "" begins with nothing')
    sample.add_argument("--run", default="demo", metavar="NAME", help="use the run in results/NAME/ (default: demo)")
    sample.add_argument("--percent", type=int, default=100, metavar="N", help="use the checkpoint at N percent of "
                        "training (default: 100)")  # fmt: skip
    first, config = "the config's first", "the config's"
    for option, kind, metavar, text, default in (
        ("--model", str, "NAME", "use this model of the run", first),
        ("--temperature", float, "T", "divide the logits by T; 0 takes the most probable token", first),
        ("--top-k", int, "K", "draw from the K most probable tokens; 0 draws from all", config),
        ("--top-p", float, "P", "draw from the most probable tokens whose probabilities add up to P", config),
        ("--repetition-penalty", float, "X", "make tokens less probable that were written before; 1 is off", config),
        ("--no-repeat-ngram", int, "N", "write no sequence of N tokens twice; 0 is off", config),
        ("--max-new-tokens", int, "N", "stop after N new tokens", config),
        ("--slots", int, "N", "compute as if N texts were written at once; 1 is faster with a large model, but only "
         "the config's number gives exactly the samples of the report", config),
        ("--seed", int, "N", "use this random seed; another seed gives another text", config),
        ("--device", str, "NAME", "compute on auto, cpu, cuda or mps", config),
    ):  # fmt: skip
        sample.add_argument(option, type=kind, metavar=metavar, help=f"{text} (default: {default})")
    sample.set_defaults(command=_sample)


def _add_plan(commands: Commands) -> None:
    plan = commands.add_parser(
        "plan",
        usage="samizdat plan [SNAKEMAKE OPTIONS]",
        help="say which jobs would run, why, and for how long",
        description="Say which jobs would run, why, and for about how long. All options are Snakemake's, such as "
        "--configfile config/mine.yaml.",
    )
    plan.set_defaults(command=_plan)


def _add_verify(commands: Commands) -> None:
    verify = commands.add_parser(
        "verify",
        help="make a run again and compare the results",
        description="Make a run again in a folder of its own and say, file by file, whether the result is the same. "
        "Exit status: 0 all bytes are the same; 1 all numbers are within the tolerance; 2 something is different; 3 "
        "the run can't be made again.",
    )
    verify.add_argument("run", type=Path, metavar="RUN", help="verify results/NAME, or a bundle")
    verify.set_defaults(command=_verify, failed=3)


def _add_bundle(commands: Commands) -> None:
    bundle = commands.add_parser(
        "bundle",
        help="write a run as one file for others to verify",
        description="Write a run as one zip file, next to its folder, that somebody else can verify.",
    )
    bundle.add_argument("run", type=Path, metavar="RUN", help="bundle results/NAME")
    bundle.add_argument(
        "--inputs", choices=["files", "hashes"], default="files",
        help="put the corpus into the bundle as files, or only its hashes (default: files)",
    )  # fmt: skip
    bundle.set_defaults(command=_bundle)


def _add_doctor(commands: Commands) -> None:
    doctor = commands.add_parser(
        "doctor",
        help="check this machine, the environment and the results",
        description="Check this machine, the environment and the results, and print what a bug report needs. Exit "
        "status: 0 a run can start and all results are undamaged; 1 something must be repaired.",
    )
    doctor.set_defaults(command=_doctor)


def _add_clean(commands: Commands) -> None:
    clean = commands.add_parser(
        "clean",
        help="show disk use and delete what you name",
        description="Show how much disk results, states, caches and logs take. Ask which to keep; without a terminal, "
        "delete only what is named.",
    )
    clean.add_argument("what", nargs="*", metavar="WHAT", help="delete these without a question, such as: logs verify")
    clean.add_argument("--all", action="store_true", help="delete everything without a question")
    clean.set_defaults(command=_clean)


def _add_keep(commands: Commands) -> None:
    keep = commands.add_parser(
        "keep",
        help="copy what a command makes into another folder",
        description="Restore files that FOLDER contains and that are missing here. Then run COMMAND, and copy texts, "
        "configs, results and states into FOLDER, about once a minute and at the end.",
    )
    keep.add_argument("folder", type=Path, metavar="FOLDER", help="store the copies here")
    keep.add_argument("call", nargs=argparse.REMAINDER, metavar="COMMAND", help="run this; without it, only restore")
    keep.set_defaults(command=_keep)


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
    from samizdat.checkpoints.encoding import encode, load_tokenizer
    from samizdat.samples.engine import Recipe, Request, stream_text

    transformers.utils.logging.disable_progress_bar()
    seed = config["seed"] if options.seed is None else options.seed
    device = prepare(options.device or config["device"], threads=config["threads"], seed=config["seed"])
    tokenizer = load_tokenizer(model_folder)
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
