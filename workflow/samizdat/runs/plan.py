"""Say which jobs would run, why, and for about how long, by the times that they took last (`samizdat plan`)."""

import json
import logging
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from samizdat.base.errors import UserError
from samizdat.base.escaping import visible
from samizdat.base.files import checked_bytes
from samizdat.base.hardware import describe_device
from samizdat.base.wording import duration
from samizdat.runs.plan_reasons import direct_reasons, listed, takes_as_long

_UPDATED = "Input files updated by another job: "


@dataclass(frozen=True)
class Job:
    """One job that would run."""

    title: str  # the rule's message, such as "Scoring texts with sentiment"
    reason: str  # Snakemake's
    inputs: frozenset[str]
    outputs: frozenset[str]
    work: Path | None  # the stage's private folder; None for a rule that is no stage
    device: str | None = None  # its option `--device`; None for a job without one

    @property
    def seconds(self) -> float | None:
        """How long the job took when it last computed something; None where that is not known."""
        if self.work is None:
            return None
        try:
            usage = json.loads(checked_bytes(self.work / "usage.json"))
        except (OSError, ValueError, UserError):
            return None
        seconds: float | None = usage.get("computing_seconds", usage.get("elapsed_seconds"))
        return seconds


def show_plan(arguments: Sequence[str]) -> int:
    """Print the plan of a run; return Snakemake's exit status.

    Args:
        arguments: for Snakemake, such as `--configfile config/mine.yaml`.

    Raises:
        UserError: a config is named without its option.
    """
    if arguments and (config := re.fullmatch(r"(?:CONFIG=)?([^-].*\.ya?ml)", arguments[0])):
        raise UserError(
            f"{arguments[0]} is named as if a run made it",
            remedy=f"write Snakemake's option before the config: samizdat plan --configfile {shlex.quote(config[1])}",
        )
    jobs, status = planned_jobs(arguments)
    if status == 0:
        print(visible(plan_text(jobs)))
    return status


def planned_jobs(arguments: Sequence[str]) -> tuple[list[Job], int]:
    """Make a dry run; return its jobs, each after those that it depends on, and Snakemake's exit status.

    Snakemake gives its loggers the fields of each job, which change less often than what it prints. Warnings and
    errors are printed as usual.
    """
    from snakemake.cli import main as snakemake
    from snakemake_interface_logger_plugins.common import LogEvent

    jobs: list[Job] = []

    def collect(record: logging.LogRecord) -> bool:
        fields = vars(record)
        if fields.get("event") == LogEvent.JOB_INFO and fields["rule_msg"]:
            work, device = (re.search(rf" --{name}=(\S+)", fields["shellcmd"] or "") for name in ("work", "device"))
            jobs.append(
                Job(
                    fields["rule_msg"],
                    fields["reason"],
                    frozenset(fields["input"]),
                    frozenset(fields["output"]),
                    Path(work[1]) if work else None,
                    device[1] if device else None,
                )
            )
        return record.levelno > logging.INFO

    logger = logging.getLogger("snakemake.logging")
    logger.addFilter(collect)
    try:
        snakemake(["--dry-run", "--quiet=all", *arguments])  # without =, a result behind it would be its value
    except SystemExit as end:
        return jobs, int(end.code or 0)
    finally:
        logger.removeFilter(collect)
    return jobs, 0


def plan_text(jobs: Sequence[Job]) -> str:
    """Write the plan as text: the sum, a line for each job with its duration and reason, and the device."""
    if not jobs:
        return "Nothing would run: all results are up to date."
    ancestors = _ancestors(jobs)
    rows = [(job.title, _duration(job), _why(job, jobs, ancestors)) for job in jobs]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    lines = [f"  {title:<{widths[0]}}  {seconds:>{widths[1]}}  {why}" for title, seconds, why in rows]
    known = [seconds for job in jobs if (seconds := job.seconds) is not None]
    untimed = sum(1 for job in jobs if job.work and job.seconds is None)
    total = f"for about {duration(sum(known))} by their last times" if known else "for how long is not known yet"
    total += f", {untimed} of them never timed here" if known and untimed else ""
    lines.insert(0, f"{len(jobs)} job{'s' if len(jobs) > 1 else ''} would run, {total}:")
    lines += [describe_device(device) for device in sorted({job.device for job in jobs if job.device})]
    reasons = [reason for job in jobs if job.seconds is not None for reason in direct_reasons(job.reason)]
    if not all(map(takes_as_long, reasons)):
        lines.append("With other settings or texts than last time, a job and those after it may take another time.")
    if any(job.reason.startswith(_UPDATED) for job in jobs):
        lines.append("Costly steps return in seconds where their inputs turn out to be the same as before.")
    return "\n".join(lines)


def _why(job: Job, jobs: Sequence[Job], ancestors: dict[Job, set[Job]]) -> str:
    """Write the reason of a job: what changed, or the jobs right before it whose results may change."""
    found = direct_reasons(job.reason)
    if found:
        return "because " + " and ".join(found)
    before = [other for other in jobs if other.outputs & job.inputs]
    nearest = [other for other in before if not any(other in ancestors[later] for later in before)]
    names = listed([other.title[:1].lower() + other.title[1:] for other in nearest])
    return f"because {names} may write {'another result' if len(nearest) == 1 else 'other results'}"


def _ancestors(jobs: Sequence[Job]) -> dict[Job, set[Job]]:
    """Find the jobs that each job depends on, directly or through others."""
    found: dict[Job, set[Job]] = {}

    def of(job: Job) -> set[Job]:
        if job not in found:
            before = {other for other in jobs if other.outputs & job.inputs}
            found[job] = before.union(*(of(other) for other in before))
        return found[job]

    for job in jobs:
        of(job)
    return found


def _duration(job: Job) -> str:
    return "" if job.seconds is None else duration(job.seconds)
