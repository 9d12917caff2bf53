"""A run on a real SLURM: same bytes as on one machine, and whatever happens to a job is said where it was submitted."""

import json
import shlex
import shutil
import signal
import subprocess
import time

import pytest

from conftest import ROOT, Checkout, new_checkout
from support import slurm_cluster

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(bool(slurm_cluster.missing()), reason=slurm_cluster.missing()),
]
MODEL = "results/tiny/models/gpt2-tiny/summary.json"
SLURM = ("--workflow-profile", "profiles/slurm", "--slurm-init-seconds-before-status-checks", "8")
TINY = ("--configfile", "config/tiny.yaml")


@pytest.fixture(scope="module")
def place(tiny, tmp_path_factory) -> Checkout:
    """A checkout in which a run can be submitted to a SLURM of two nodes."""
    folder = tmp_path_factory.mktemp("slurm")
    try:
        slurm_cluster.start(folder / "cluster")
    except AssertionError as error:
        slurm_cluster.stop(folder / "cluster")
        pytest.skip(f"SLURM doesn't start on this machine: {error}")
    checkout = new_checkout(folder / "checkout")
    shutil.copytree(tiny.root / "work" / "downloads", checkout.root / "work" / "downloads")
    yield checkout
    slurm_cluster.stop(folder / "cluster")


def begin(place: Checkout, *arguments: str) -> "subprocess.Popen[str]":
    """Start Snakemake, with its output as one text."""
    return subprocess.Popen(
        ["snakemake", *SLURM, *(() if "--configfile" in arguments else TINY), *arguments],
        cwd=place.root,
        env=place.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def submit(place: Checkout, *arguments: str) -> tuple[int, str]:
    """Run Snakemake to its end; return its status and what it said."""
    process = begin(place, *arguments)
    said, _ = process.communicate()
    return process.returncode, said


def wait_for_job(process: "subprocess.Popen[str]") -> str:
    """Wait until a job runs; return its number."""
    while not (jobs := slurm_cluster.running_jobs()):
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.2)
    return jobs[0]


def forget_model(place: Checkout) -> None:
    """Delete the model, and the kept result."""
    for root in ("results", "work"):
        shutil.rmtree(place.root / root / "tiny" / "models", ignore_errors=True)


def assert_same_model(place: Checkout, tiny: Checkout) -> None:
    """The model has the bytes of the one that was trained without a cluster."""
    for file in (tiny.root / "results" / "tiny" / "models").rglob("*.safetensors"):
        assert (place.root / file.relative_to(tiny.root)).read_bytes() == file.read_bytes(), file


def test_a_job_that_lacks_memory_asks_for_more_and_the_bytes_are_those_of_one_machine(place, tiny):
    little = "train_model_gpt2-tiny:mem_mb=300*attempt**3"
    status, said = submit(place, "--set-resources", little, "--", MODEL)
    assert status == 0, said
    assert "ran out of the memory that it asked for" in said and "It is submitted again" in said
    assert "✓ tokenizer own" in said and "✓ model gpt2-tiny" in said, "what a step says elsewhere is told here"
    assert_same_model(place, tiny)
    usage = (place.root / "work" / "tiny" / "models" / "gpt2-tiny" / "usage.json").read_text(encoding="utf-8")
    assert '"cluster_job": "' in usage
    assert "Nothing to be done" in submit(place, "--", MODEL)[1]


def test_the_jobs_of_a_killed_run_are_ended_first(place, tiny):
    forget_model(place)
    process = begin(place, "--", MODEL)
    job = wait_for_job(process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    status, said = submit(place, "--", MODEL)
    assert status == 0 and f"jobs of a run that was killed are ended: {job}" in said, said
    assert_same_model(place, tiny)


def test_a_job_that_is_cancelled_one_that_can_never_start_and_a_slip_are_told(place):
    (place.root / "data" / "mine.csv").write_text("words\nrain\n", encoding="utf-8")
    corpus = {"source": "files", "paths": ["data/mine.csv"], "text_column": "text"}
    slip = place.overlay("slip", name="slip", title="Mine", corpus=corpus, classifiers=[])
    runs = {
        name: begin(place, "--configfile", config, *options, "--", f"results/{name}/corpus/texts.parquet")
        for name, config, options in (
            ("slip", slip, []),
            ("cancelled", place.overlay("cancelled", name="cancelled"), huge("mem_mb=7900", "--retries", "0")),
            ("never", place.overlay("never", name="never"), huge("runtime=99999")),
        )
    }
    subprocess.run(["scancel", recorded_job(place, "cancelled")], check=True)
    never = []
    for line in runs["never"].stdout:
        never.append(line)
        if "will not start" in line:
            break
    runs["never"].send_signal(signal.SIGINT)
    said = {name: process.communicate()[0] for name, process in runs.items()}
    assert "PartitionTimeLimit" in never[-1] and "--set-resources" in said["never"], "".join(never)
    assert "was cancelled by somebody" in said["cancelled"] and "run the same command again" in said["cancelled"]
    assert said["slip"].count("✗ corpus:") == 1 and "data/mine.csv" in said["slip"], said["slip"]
    assert "Log: logs/slip/import_corpus.log" in said["slip"]
    assert all(process.returncode for process in runs.values())


def huge(request: str, *more: str) -> list[str]:
    """Options by which importing the corpus asks for much."""
    return ["--set-resources", f"import_corpus:{request}", *more]


def recorded_job(place: Checkout, run: str) -> str:
    """Wait until a run has submitted a job; return its number."""
    record = place.root / "work" / run / "cluster" / "jobs.json"
    while not (record.is_file() and (jobs := json.loads(record.read_text(encoding="utf-8"))["jobs"])):
        time.sleep(0.1)
    return jobs[0]


def test_other_clusters_are_told_how_a_job_ended_also_one_that_the_cluster_itself_ends(place):
    script = shlex.quote(str(ROOT / "profiles" / "generic" / "job.sh"))
    folder = place.root / ".snakemake" / "tmp.it's"
    folder.mkdir(parents=True)

    def job(what: str, command: str, *more: str) -> str:
        environment = place.environment() | {"LATE_SECONDS": "0"}
        line = f"sh {script} {what} {command} {shlex.join(more)}"
        done = subprocess.run(line, shell=True, cwd=place.root, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    numbers = {}
    for does in ("true", "exit 3", "sleep 600"):
        path = folder / f"{does} it.sh"
        path.write_text(f"#!/bin/sh\n{does}\n", encoding="utf-8")
        numbers[does] = job("submit", "sbatch --mem=100", str(path))
    wanted = {"true": "success", "exit 3": "failed", "sleep 600": "running"}
    until = time.monotonic() + 60
    while (
        found := {does: job("status", "squeue --noheader --job", number) for does, number in numbers.items()}
    ) != wanted:
        assert time.monotonic() < until, found
        time.sleep(0.5)
    subprocess.run(["scancel", numbers["sleep 600"]], check=True)
    while (found := job("status", "squeue --noheader --job", numbers["sleep 600"])) != "failed":
        assert time.monotonic() < until, found
        time.sleep(0.5)
    assert job("status", "squeue --noheader --job", "987654") == "failed"
