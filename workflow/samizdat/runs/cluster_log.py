"""What the jobs of a cluster say, told at the terminal where they were submitted."""

import logging
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from samizdat.base.escaping import visible
from samizdat.runs.cluster_jobs import SubmittedJobs, ask

_SUBMITTED = re.compile(
    r"(?:Job|Group job) (?P<slurm_name>\S+) has been submitted with SLURM jobid (?P<slurm_number>\S+)"
    r"|Submitted (?:job|group job) (?P<name>\S+) with external jobid '(?P<number>[^']+)'"
)
# How a job ended that could say nothing itself, and what a person can do.
ENDS = {
    "OUT_OF_MEMORY": ("ran out of the memory that it asked for", "ask for more: --set-resources {rule}:mem_mb=MB"),
    "TIMEOUT": (
        "reached its time limit",
        "run the same command again, and it goes on from its last state; for more time: "
        "--set-resources {rule}:runtime=MINUTES",
    ),
    "CANCELLED": ("was cancelled by somebody", "run the same command again"),
    "NODE_FAIL": ("lost its node {node}", "run the same command again"),
    "PREEMPTED": ("had to make room for another job", "run the same command again"),
}
ENDED_OUTSIDE = (
    "was ended from outside before it could say why, mostly for lack of memory",
    "ask for more: --set-resources {rule}:mem_mb=MB",
)

NOT_SUBMITTED = (
    "was not accepted by the cluster. {message}",
    "correct what the cluster says, mostly an account, a partition or a limit: on the command line or in your profile",
)
# What the plugins add to the cluster's own words.
_ADDED = re.compile(r":?\s*(?:sbatch call:|For further error details)(?:.|\n)*")


@dataclass
class _Job:
    rule: str
    title: str
    log: Path | None
    number: str = ""  # the cluster's
    slurm: bool = False  # whether the cluster is known to be SLURM, which can be asked


@dataclass
class JobTeller:
    """A filter of Snakemake's log that tells each submitted job's end in place of Snakemake's own messages about it.

    A step that Snakemake starts itself speaks at this terminal; one that runs elsewhere only writes its log, which is
    on the disk that all machines share.
    """

    workflow: Any
    submitted: SubmittedJobs
    jobs: dict[str, _Job] = field(default_factory=dict)  # Snakemake's number of a job → the job

    def __call__(self, record: logging.LogRecord) -> bool:
        """Tell of a job if the record is about one."""
        event = getattr(getattr(record, "event", None), "name", "")
        if event == "JOB_INFO" and not record.local:  # type: ignore[attr-defined]
            self._prepare(record)
        elif found := _SUBMITTED.match(record.getMessage()):
            self._begin(
                found["slurm_name"] or found["name"], found["slurm_number"] or found["number"], found["name"] is None
            )
            return False
        elif event == "JOB_FINISHED":
            self._succeed(str(record.job_id))  # type: ignore[attr-defined]
            return False
        elif event == "PROGRESS" or record.getMessage().startswith("Trying to restart job"):
            return False
        elif event == "JOB_ERROR":
            logs = [Path(name) for name in record.log]  # type: ignore[attr-defined]
            self._fail(str(record.jobid), logs, record.rule_msg or "")  # type: ignore[attr-defined]
        return True

    def _prepare(self, record: Any) -> None:
        log = Path(record.log[0]) if record.log else None
        self.jobs[str(record.jobid)] = _Job(record.rule_name, record.rule_msg or record.rule_name, log)

    def _begin(self, name: str, number: str, slurm: bool) -> None:
        # A group has a name of its own; its jobs are those that were told before it.
        members = [self.jobs[name]] if name in self.jobs else [job for job in self.jobs.values() if not job.number]
        for job in members:
            job.number, job.slurm = number, slurm
        title = ", ".join(job.title for job in members) or name
        if slurm:
            self.submitted.add(number, title)
        _say(f"  {title}: job {number}")

    def _succeed(self, jobid: str) -> None:
        job = self.jobs.pop(jobid, None)
        if job is None:
            return
        if job.slurm:
            self.submitted.remove(job.number)
        _say(_last(job.log, "INFO", "✓") or f"✓ {job.title}")

    def _fail(self, jobid: str, logs: list[Path], message: str) -> None:
        job = self.jobs.pop(jobid, None)
        if job is None:
            return
        if job.slurm:
            self.submitted.remove(job.number)
        seen = ask([job.number]).get(job.number) if job.slurm else None
        said = _last(job.log, "ERROR", "")
        state = "OUT_OF_MEMORY" if any(map(_names_memory, logs)) else seen.state if seen else ""
        if not job.number:
            what, remedy = NOT_SUBMITTED
        elif state in ENDS:
            what, remedy = ENDS[state]
        elif said is not None:
            _say(f"✗ {said}\n  Log: {job.log}")
            if "too little memory" not in said:
                # Only a person can mend it, so it is not submitted again.
                self.workflow.get_rule(job.rule).restart_times = 0
            return
        else:
            what, remedy = ENDED_OUTSIDE
        node = seen.node if seen else ""
        number = f" {job.number}" if job.number else ""
        _say(f"✗ {job.title}: job{number} {what.format(node=node, message=_ADDED.sub('', message))}")
        if self._is_tried_again(jobid):
            _say("  It is submitted again, and asks for more memory and time.")
        else:
            _say(f"  What to do: {remedy.format(rule=job.rule)}")

    def _is_tried_again(self, jobid: str) -> bool:
        dag = self.workflow.dag
        return any(job.restart_times >= job.attempt for job in dag.jobs if str(dag.jobid(job)) == jobid)


def tell_of_jobs(workflow: Any, submitted: SubmittedJobs) -> None:
    """Tell the jobs' ends at this terminal from now on."""
    logging.getLogger("snakemake.logging").addFilter(JobTeller(workflow, submitted))


def _names_memory(log: Path) -> bool:
    """Whether SLURM says in a job's output that memory ran out; its state is not the same at all sites."""
    return log.is_file() and "memory limit" in log.read_text(encoding="utf-8", errors="replace")


def _last(log: Path | None, level: str, start: str) -> str | None:
    """Return the last entry of a step's log that has this level and begins so, with all its lines; None if none has."""
    if log is None or not log.is_file():
        return None
    entries = re.split(r"^\d{4}-\d\d-\d\d [\d:,]+ \S+ ", log.read_text(encoding="utf-8", errors="replace"), flags=re.M)
    texts = [text for entry in entries if (text := entry.removeprefix(f"{level} ").strip()) != entry.strip()]
    return next((text for text in reversed(texts) if text.startswith(start)), None)


def _say(line: str) -> None:
    print(visible(line), file=sys.stderr, flush=True)  # it may have words of somebody's texts
