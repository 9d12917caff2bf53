"""Parse the command line of `samizdat` and call the command's function."""

import argparse
import io
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn, TypeAlias

from samizdat import commands
from samizdat.base.errors import UserError, disk_problem
from samizdat.base.parent import MEMORY_REMEDY, ran_out_of_memory

Subparsers: TypeAlias = "argparse._SubParsersAction[Parser]"


class Parser(argparse.ArgumentParser):
    """A parser whose errors end with the status that its command has for a wrong command line."""

    def error(self, message: str) -> NoReturn:
        """Print what is wrong, and exit."""
        self.print_usage(sys.stderr)
        self.exit(self.get_default("unusable") or 2, f"{self.prog}: error: {message}\n")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its status."""
    parser = make_parser()
    options, more = parser.parse_known_args(arguments)
    if more and options.command is not commands.plan:
        parser.exit(options.unusable, f"{parser.prog}: error: unrecognized arguments: {' '.join(more)}\n")
    options.more = more
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A character that the terminal's encoding lacks must not end a text.
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    try:
        if status := options.command(options):
            sys.exit(status)
    except UserError as error:
        _say(str(error))
        sys.exit(options.failed)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader has closed the pipe; Python would report that once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        # Python's own status for this is 1, which some commands use for a result.
        if os.environ.get("SAMIZDAT_TRACEBACK"):
            traceback.print_exc()
        if problem := disk_problem(error):
            _say(str(problem))
            sys.exit(options.failed)
        remedy = "this is a bug; please report it with what the same command prints with SAMIZDAT_TRACEBACK=1"
        if ran_out_of_memory(error):
            remedy = MEMORY_REMEDY
        elif isinstance(error, OSError) and error.errno is not None:
            remedy = "look at the disk, then run the same command again"
        _say(str(UserError(f"{type(error).__name__}: {error}", remedy=remedy)))
        sys.exit(options.failed)


def _say(problem: str) -> None:
    """Print an error; it may have words of somebody else's files, which must not control the terminal."""
    from samizdat.base.escaping import visible

    print(f"✗ {visible(problem)}", file=sys.stderr)


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of all commands. `make reference` writes docs/cli.md from it."""
    parser = Parser(
        prog="samizdat",
        description="Plan, check, bundle, keep and delete runs, write texts with their models, and let people label "
        "them.",
    )
    parser.set_defaults(failed=1, unusable=2)
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (
        _add_sample, _add_plan, _add_verify, _add_compare, _add_bundle,
        _add_label, _add_doctor, _add_clean, _add_keep, _add_where,
    ):  # fmt: skip
        add(subparsers)
    return parser


def _add_sample(subparsers: Subparsers) -> None:
    sample = subparsers.add_parser(
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
    sample.set_defaults(command=commands.sample)


def _add_plan(subparsers: Subparsers) -> None:
    plan = subparsers.add_parser(
        "plan",
        usage="samizdat plan [SNAKEMAKE OPTIONS]",
        help="say which jobs would run, why, and for how long",
        description="Say which jobs would run, why, and for about how long. All options are Snakemake's, such as "
        "--configfile config/mine.yaml.",
    )
    plan.set_defaults(command=commands.plan)


def _add_verify(subparsers: Subparsers) -> None:
    verify = subparsers.add_parser(
        "verify",
        help="make a run again and compare the results",
        description="Make a run again in a folder of its own and say, file by file, whether the result is the same. "
        "Exit status: 0 all bytes are the same; 1 all numbers are within the tolerance; 2 something is different; 3 "
        "the run can't be made again.",
    )
    verify.add_argument("run", type=Path, metavar="RUN", help="verify results/NAME, a bundle or a crate")
    verify.add_argument("copies", type=Path, nargs="*", metavar="COPY", help="compare this copy of the report (.ipynb, "
                        ".html, .pdf), which was handed in beside RUN, with the run's own")  # fmt: skip
    verify.set_defaults(command=commands.verify, failed=3, unusable=3)  # 2 says that something is different


def _add_compare(subparsers: Subparsers) -> None:
    compare = subparsers.add_parser(
        "compare",
        help="write a page and a notebook that compare runs",
        description="Write a notebook and a page that compare runs: what differs in corpus, config and code, which "
        "model is better on the texts that all runs hold out, and every statistic side by side.",
    )
    compare.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="compare results/NAME with other runs")
    compare.add_argument("--out", type=Path, default=Path("comparison"), metavar="FOLDER", help="write report.html and "
                         "report.ipynb into this folder (default: comparison)")  # fmt: skip
    compare.set_defaults(command=commands.compare)


def _add_bundle(subparsers: Subparsers) -> None:
    for name, what, description, command in (
        ("bundle", "write a run as one file for others to verify",
         "Write a run as one zip file, next to its folder, that somebody else can verify.", commands.bundle),
        ("crate", "write a run as a Workflow Run RO-Crate for archives",
         "Write a run as one zip file, NAME.crate.zip next to its folder: results, inputs, code, and metadata in the "
         "form of a Workflow Run RO-Crate, which archives and other programs read.", commands.crate),
    ):  # fmt: skip
        parser = subparsers.add_parser(name, help=what, description=description)
        parser.add_argument("run", type=Path, metavar="RUN", help="write results/NAME")
        parser.add_argument(
            "--inputs", choices=["files", "hashes"], default="files",
            help=f"put the corpus into the {name} as files, or only its hashes (default: files)",
        )  # fmt: skip
        parser.set_defaults(command=command)


def _add_label(subparsers: Subparsers) -> None:
    label = subparsers.add_parser(
        "label",
        help="write sheets for people to label texts, and read them back",
        description="Write sheets for people to label texts and samples of a run, and read what they filled in.",
    )
    steps = label.add_subparsers(required=True, metavar="STEP")
    draw = steps.add_parser(
        "draw",
        help="draw texts and samples, and write a sheet for each rater",
        description="Draw texts and samples of a run at random, and write a sheet for each rater into "
        "data/labels/RUN/: an .xlsx file that tells what may be written, and the same as .csv. Rows are mixed, and "
        "nothing in a sheet says which are texts.",
    )
    question = draw.add_mutually_exclusive_group(required=True)
    question.add_argument("--classifier", metavar="NAME", help="ask for the labels of this classifier")
    question.add_argument("--origin", action="store_true", help="ask whether a person or a model wrote the text")
    question.add_argument("--question", metavar="NAME", help="ask a question of your own, under this name")
    draw.add_argument("--words", metavar="TEXT", help="the words of your own question")
    draw.add_argument("--labels", nargs="+", metavar="LABEL", help="the answers to it that raters choose from")
    draw.add_argument("--raters", nargs="+", required=True, metavar="NAME", help="write a sheet for each of these")
    draw.add_argument("--rows", type=int, default=200, metavar="N", help="draw N rows (default: 200)")
    draw.add_argument("--run", default="demo", metavar="NAME", help="use the run in results/NAME/ (default: demo)")
    draw.add_argument(
        "--range", nargs=2, type=float, metavar=("LOW", "HIGH"),
        help="for a classifier that gives numbers: ask for numbers from LOW to HIGH (default: as the classifier gives)",
    )  # fmt: skip
    draw.set_defaults(command=commands.label_draw)
    read = steps.add_parser(
        "read",
        help="check the filled sheets and store their labels",
        description="Check the sheets that raters filled in, and store their labels in FOLDER/labels.parquet.",
    )
    read.add_argument("folder", type=Path, metavar="FOLDER", help="read the sheets in this folder")
    read.add_argument(
        "--unfinished", action="store_true", help="accept empty cells, and raters who gave no answer at all"
    )
    read.set_defaults(command=commands.label_read)


def _add_doctor(subparsers: Subparsers) -> None:
    doctor = subparsers.add_parser(
        "doctor",
        help="check this machine, the environment and the results",
        description="Check this machine, the environment and the results, and print what a bug report needs. Exit "
        "status: 0 a run can start and all results are undamaged; 1 something must be repaired.",
    )
    doctor.set_defaults(command=commands.doctor)


def _add_clean(subparsers: Subparsers) -> None:
    clean = subparsers.add_parser(
        "clean",
        help="show disk use and delete what you name",
        description="Show how much disk results, states, caches and logs take. Ask which to keep; without a terminal, "
        "delete only what is named.",
    )
    clean.add_argument("what", nargs="*", metavar="WHAT", help="delete these without a question, such as: logs verify")
    clean.add_argument("--all", action="store_true", help="delete everything without a question")
    clean.set_defaults(command=commands.clean)


def _add_keep(subparsers: Subparsers) -> None:
    keep = subparsers.add_parser(
        "keep",
        help="copy what a command makes into another folder",
        description="Restore files that FOLDER contains and that are missing here. Then run COMMAND, and copy texts, "
        "configs, results and states into FOLDER, about once a minute and at the end.",
    )
    keep.add_argument("folder", type=Path, metavar="FOLDER", help="store the copies here")
    keep.add_argument("call", nargs=argparse.REMAINDER, metavar="COMMAND", help="run this; without it, only restore")
    keep.set_defaults(command=commands.keep)


def _add_where(subparsers: Subparsers) -> None:
    where = subparsers.add_parser(
        "where",
        help="print the path of the Snakefile",
        description="Print the path of the workflow's Snakefile, for runs in a folder that is no clone of the project.",
    )
    where.set_defaults(command=commands.where)
