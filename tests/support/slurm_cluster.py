"""A SLURM of two nodes on this machine, for tests: needs root, SLURM's and munge's daemons, and no SLURM of its own."""

import fcntl
import os
import platform
import secrets
import shutil
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from typing import IO

# The plugin's jobs drop SLURM_CONF from their environment, so the config is where SLURM looks for it.
CONFIG = Path("/etc/slurm/slurm.conf")
MARK = "# Written by a test of samizdat."
DAEMONS = ("munged", "slurmctld", "slurmd", "sbatch")
_locks: dict[Path, IO[str]] = {}
TEXT = """{mark}
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={place}/munge.socket
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0
EnforcePartLimits=NO
MinJobAge=600
KillWait=5
SlurmctldPidFile={place}/slurmctld.pid
SlurmdPidFile={place}/slurmd-%n.pid
StateSaveLocation={place}/state
SlurmdSpoolDir={place}/spool-%n
SlurmctldLogFile={place}/slurmctld.log
SlurmdLogFile={place}/slurmd-%n.log
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port=17001 CPUs=4 RealMemory=8000
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port=17002 CPUs=4 RealMemory=8000
PartitionName=main Nodes=ALL Default=YES MaxTime=1440 DefMemPerCPU=1000
"""


def missing() -> str:
    """Say what this machine lacks for a SLURM of its own; empty where nothing is missing."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "needs root"
    if lacking := [name for name in DAEMONS if not shutil.which(name)]:
        return f"needs SLURM and munge ({', '.join(lacking)} not found)"
    if find_spec("snakemake_executor_plugin_slurm") is None:
        return "needs the package snakemake-executor-plugin-slurm"
    if CONFIG.exists() and MARK not in CONFIG.read_text(encoding="utf-8"):
        return f"this machine has a SLURM already ({CONFIG})"
    return ""


def start(place: Path) -> None:
    """Start munge, the controller and two nodes, and wait until both nodes are idle."""
    (place / "state").mkdir(parents=True)
    place.chmod(0o755)
    CONFIG.parent.mkdir(parents=True, exist_ok=True)
    # One at a time on this machine, whatever tests run at once; the lock ends with the process at the latest.
    _locks[place] = CONFIG.with_suffix(".lock").open("w")
    fcntl.flock(_locks[place], fcntl.LOCK_EX)
    key = place / "munge.key"
    key.touch(mode=0o600)
    key.write_bytes(secrets.token_bytes(128))
    files = {"key-file": key, "socket": place / "munge.socket", "pid-file": place / "munged.pid",
             "log-file": place / "munged.log", "seed-file": place / "munged.seed"}  # fmt: skip
    _run("munged", "--force", *(f"--{name}={path}" for name, path in files.items()))
    host = platform.node().partition(".")[0]
    CONFIG.write_text(TEXT.format(mark=MARK, host=host, place=place), encoding="utf-8")
    _run("slurmctld")
    for node in ("n1", "n2"):
        _run("slurmd", "-N", node)
    until = time.monotonic() + 120
    while _run("sinfo", "--noheader", "--states=idle", "--format=%D").strip() != "2":
        assert time.monotonic() < until, _run("sinfo", "--Node", "--long")
        time.sleep(0.3)


def stop(place: Path) -> None:
    """End all jobs, wait until they have ended, and end the daemons: without these a job would live on."""
    subprocess.run(["scancel", "--full", "--user=root"], check=False)
    until = time.monotonic() + 120
    while subprocess.run(["squeue", "--noheader"], capture_output=True).stdout and time.monotonic() < until:
        time.sleep(0.3)
    for name in ("slurmd-n1", "slurmd-n2", "slurmctld", "munged"):
        pid = place / f"{name}.pid"
        if pid.is_file():
            subprocess.run(["kill", pid.read_text(encoding="utf-8").strip()], check=False)
    CONFIG.unlink(missing_ok=True)
    _locks.pop(place).close()


def running_jobs() -> list[str]:
    """List the numbers of the jobs that run."""
    return _run("squeue", "--noheader", "--states=running", "--format=%i").split()


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout
