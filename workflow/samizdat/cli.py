"""`samizdat`: what people type at a terminal. Each command's work is in a module of its own."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from samizdat.base.errors import UserError

# The options of `sample` that replace a number of the run's config.
_NUMBERS = (
    "temperature", "top_k", "top_p", "repetition_penalty", "no_repeat_ngram", "max_new_tokens", "slots", "seed",
)  # fmt: skip


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


def _sample(options: argparse.Namespace) -> None:
    from samizdat.samples.prompting import sample

    changes = {name: value for name in _NUMBERS if (value := getattr(options, name)) is not None}
    sample(
        options.prompt,
        changes,
        run=options.run,
        model=options.model,
        percent=options.percent,
        device=options.device,
    )


def _plan(options: argparse.Namespace) -> int:
    from samizdat.runs.plan import show_plan

    return show_plan(options.more)


def _verify(options: argparse.Namespace) -> int:
    from samizdat.runs.verify import verify

    return verify(options.run)


def _clean(options: argparse.Namespace) -> None:
    from samizdat.runs.clean import asker, clean

    print(clean(options.what, everything=options.all, ask=asker()))


def _keep(options: argparse.Namespace) -> int:
    from samizdat.runs.keep import keep

    return keep(options.folder, options.call)


def _bundle(options: argparse.Namespace) -> None:
    from samizdat.runs.bundle import write_bundle

    print(write_bundle(options.run, hashes_only=options.inputs == "hashes"))
