"""What each command of `samizdat` calls. Imports are inside, so that no command loads what another needs."""

from argparse import Namespace
from pathlib import Path

# The options of `sample` that replace a number of the run's config.
SAMPLING_NUMBERS = (
    "temperature", "top_k", "top_p", "repetition_penalty", "no_repeat_ngram", "max_new_tokens", "slots", "seed",
)  # fmt: skip


def _say(result: str | Path) -> None:
    """Print what a command did; names of files may have anything, which must not control the terminal."""
    from samizdat.base.escaping import visible

    print(visible(str(result)))


def sample(options: Namespace) -> None:
    """Write texts with a model of a run."""
    from samizdat.samples import sample_command

    changes = {name: value for name in SAMPLING_NUMBERS if (value := getattr(options, name)) is not None}
    sample_command.sample(
        options.prompt,
        changes,
        run=options.run,
        model=options.model,
        percent=options.percent,
        device=options.device,
    )


def plan(options: Namespace) -> int:
    """Say which jobs would run."""
    from samizdat.runs.plan import show_plan

    return show_plan(options.more)


def verify(options: Namespace) -> int:
    """Make a run again and compare."""
    from samizdat.runs import verify

    return verify.verify(options.run, options.copies)


def compare(options: Namespace) -> None:
    """Write a page that compares runs."""
    from samizdat.comparison import compare

    _say(compare.compare(options.runs, options.out))


def label_draw(options: Namespace) -> None:
    """Write sheets for people to label."""
    from samizdat.base.errors import UserError
    from samizdat.labels.draw import OwnQuestion, draw

    asked: str | OwnQuestion | None = options.classifier
    if options.question is not None:
        asked = OwnQuestion(options.question, options.words or "", options.labels or [])
    elif options.words or options.labels:
        raise UserError("--words and --labels belong to a question of your own", remedy="name it with --question")
    _say(draw(asked, run=options.run, raters=options.raters, rows=options.rows, limits=options.range))


def label_read(options: Namespace) -> None:
    """Check and store the sheets that people filled in."""
    from samizdat.labels.read import read

    _say(read(options.folder, unfinished=options.unfinished))


def doctor(options: Namespace) -> int:
    """Check machine, environment and results."""
    from samizdat import doctor

    return doctor.doctor(Path.cwd())


def clean(options: Namespace) -> None:
    """Delete what the user names."""
    from samizdat.runs.clean import asker, clean

    _say(clean(options.what, everything=options.all, ask=asker()))


def keep(options: Namespace) -> int:
    """Copy what a command makes into another folder."""
    from samizdat.runs import keep

    return keep.keep(options.folder, options.call)


def bundle(options: Namespace) -> None:
    """Write a run as one file that others can verify."""
    from samizdat.runs.bundle import write_bundle

    _say(write_bundle(options.run, hashes_only=options.inputs == "hashes"))


def crate(options: Namespace) -> None:
    """Write a run as an RO-Crate."""
    from samizdat.runs.crate import write_crate

    _say(write_crate(options.run, hashes_only=options.inputs == "hashes"))


def where(options: Namespace) -> None:
    """Print the path of the Snakefile."""
    from samizdat.base.project import own

    print(own("Snakefile"))
