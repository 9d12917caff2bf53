"""Jobs of a cluster: which were submitted, which outlived their Snakemake, which will never start."""

import json
import os
import platform
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from samizdat.base.errors import UserError

POLL_SECONDS = 20
# A Snakemake that has not renewed its record for so long is dead, also if its number is another process's by now.
STALE_SECONDS = 6 * POLL_SECONDS
# How long jobs that are cancelled may take to end; sites let them write a last state for up to some minutes.
END_SECONDS = 600
# SLURM's words for why a job is waiting that no waiting ends.
HOPELESS = (
    "PartitionTimeLimit", "PartitionNodeLimit", "PartitionDown", "PartitionInactive", "BadConstraints",
    "InvalidAccount", "InvalidQOS", "QOSMaxWallDurationPerJobLimit", "AssocMaxWallDurationPerJobLimit",
    "QOSMaxMemoryPerJob", "AssocMaxMemPerJob", "AssocMaxCpuPerJobLimit", "QOSMaxCpuPerJobLimit", "JobHeldAdmin",
    "JobHeldUser", "DependencyNeverSatisfied",
)  # fmt: skip
HOPELESS_REMEDY = (
    "ask for less with --set-resources RULE:runtime=MINUTES or RULE:mem_mb=MB, or name another partition or account "
    "with --default-resources slurm_partition=NAME slurm_account=NAME; `scontrol show job {}` says more"
)


@dataclass(frozen=True)
class Seen:
    """What SLURM says of a job."""

    state: str  # PENDING, RUNNING, COMPLETED, OUT_OF_MEMORY, TIMEOUT, CANCELLED, …
    reason: str
    node: str


@dataclass
class SubmittedJobs:
    """The jobs of a run that have not ended, in a file, so that the next start finds those that outlived this one."""

    path: Path
    titles: dict[str, str] = field(default_factory=dict)  # SLURM's number of a job → its step
    begun: bool = False

    def end_orphans(self) -> None:
        """End the jobs that a killed Snakemake left; their outputs would be written twice.

        Raises:
            UserError: another Snakemake is at work on this run, or jobs that it left don't end, or nobody knows whether
                they did, since SLURM doesn't answer or the file is damaged.
        """
        if self.path.is_file():
            self._end_jobs_of(self._recorded())
            self.path.unlink(missing_ok=True)

    def _recorded(self) -> dict[str, object]:
        try:
            record: dict[str, object] = json.loads(self.path.read_text(encoding="utf-8"))
            record["host"], int(str(record["pid"])), record["jobs"]
        except (ValueError, KeyError, TypeError):
            raise UserError(
                f"{self.path} is damaged, so nobody knows which jobs a killed run left",
                remedy="end those that `squeue --me` still lists of this run (scancel), and delete the file",
            ) from None
        return record

    def begin(self) -> None:
        """End the jobs that a killed Snakemake left, then keep the file up to date until this process ends.

        Raises:
            UserError: as `end_orphans`.
        """
        self.end_orphans()
        self.begun = True
        self._save()
        threading.Thread(target=self._watch, daemon=True).start()

    def add(self, job: str, title: str) -> None:
        """Record a job that was submitted; where a network's disk fails for a moment, the next record has it, too."""
        self.titles[job] = title
        with suppress(OSError):
            self._save()

    def remove(self, job: str) -> None:
        """Forget a job that has ended."""
        self.titles.pop(job, None)
        with suppress(OSError):
            self._save()

    def end(self) -> None:
        """Delete the file; Snakemake has ended its jobs."""
        if self.begun:
            self.path.unlink(missing_ok=True)

    def _save(self) -> None:
        record = {"host": platform.node(), "pid": os.getpid(), "jobs": list(self.titles)}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_suffix(".new")
        temporary.write_text(json.dumps(record), encoding="utf-8")
        temporary.replace(self.path)

    def _end_jobs_of(self, record: dict[str, object]) -> None:
        host, pid = str(record["host"]), int(str(record["pid"]))
        renewed = time.time() - self.path.stat().st_mtime < STALE_SECONDS
        alive = renewed and (host != platform.node() or _is_alive(pid))
        if alive and pid != os.getpid():
            raise UserError(
                f"another Snakemake is at work on this run (process {pid} on {host}, says {self.path})",
                remedy="wait until it ends, or stop it; its jobs then end too, or are ended by this command",
            )
        jobs = [str(job) for job in record["jobs"]] if isinstance(record["jobs"], list) else []
        left = self._running(jobs)
        if not left:
            return
        print(f"! jobs of a run that was killed are ended: {', '.join(left)}", file=sys.stderr, flush=True)
        subprocess.run(["scancel", *left], check=False)  # noqa: S607
        until = time.monotonic() + END_SECONDS
        while left := self._running(left):
            if time.monotonic() > until:
                raise UserError(
                    f"these jobs of a run that was killed don't end: {', '.join(left)}",
                    remedy="wait until `squeue` no longer lists them, then run the same command again",
                )
            time.sleep(1)

    def _running(self, jobs: list[str]) -> list[str]:
        """Select the jobs that wait, run or are about to end."""
        seen = _asked(jobs)
        if seen is None:
            raise UserError(
                f"a killed run left the jobs {', '.join(jobs)}, and SLURM does not say whether they have ended",
                remedy="run the same command again where `squeue` answers; if you know that they have ended, delete "
                f"{self.path}",
            )
        return [job for job, said in seen.items() if said.state in ("PENDING", "RUNNING", "COMPLETING", "SUSPENDED")]

    def _watch(self) -> None:
        """Renew the file; say once of each job that it can never start, and how many run and wait when that changes."""
        told: set[str] = set()
        counts = (0, 0)
        while True:
            time.sleep(POLL_SECONDS)
            with suppress(OSError):  # the file is gone, or a network's disk fails for a moment
                os.utime(self.path)
            seen = ask(list(self.titles))
            for job, said in seen.items():
                if said.state == "PENDING" and said.reason in HOPELESS and job not in told:
                    told.add(job)
                    what = f"job {job} ({self.titles.get(job, '?')}) will not start: SLURM says {said.reason}"
                    print(f"✗ {what}.\n  What to do: {HOPELESS_REMEDY.format(job)}", file=sys.stderr, flush=True)
            states = [said.state for said in seen.values()]
            now = (states.count("RUNNING"), states.count("PENDING"))
            if now != counts and any(now):
                print(f"  {now[0]} jobs run, {now[1]} wait", file=sys.stderr, flush=True)
            counts = now


def ask(jobs: list[str]) -> dict[str, Seen]:
    """Ask SLURM for the state of jobs; those that it has forgotten are left out, and all where it doesn't answer."""
    return _asked(jobs) or {}


def _asked(jobs: list[str]) -> dict[str, Seen] | None:
    """Ask SLURM for the state of jobs; None where it doesn't answer."""
    if not jobs:
        return {}
    question = ["squeue", "--noheader", "--states=all", f"--jobs={','.join(jobs)}", "--format=%i|%T|%r|%N"]
    try:
        answer = subprocess.run(question, capture_output=True, text=True, check=False)
    except OSError:
        return None
    if answer.returncode and "Invalid job id" not in answer.stderr:  # as it says of a single job that it has forgotten
        return None
    rows = [line.split("|") for line in answer.stdout.splitlines()]
    return {row[0].strip(): Seen(*(cell.strip() for cell in row[1:])) for row in rows if len(row) == 4}


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
