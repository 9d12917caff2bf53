"""What the steps ask of a cluster, which jobs outlived their Snakemake, and what is told of the others."""

import json
import logging
import os
import platform
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from snakemake_interface_logger_plugins.common import LogEvent

from samizdat.base.errors import UserError
from samizdat.runs import cluster, cluster_jobs
from samizdat.runs.cluster_jobs import SubmittedJobs
from samizdat.runs.cluster_log import JobTeller

ROOT = Path(__file__).parents[3]
REMOTE, LOCAL = SimpleNamespace(local_exec=False), SimpleNamespace(local_exec=True)


def config(file="config.yaml"):
    """A config as it is shipped."""
    return yaml.safe_load((ROOT / "config" / file).read_text(encoding="utf-8"))


def test_memory_grows_with_the_inputs_and_memory_and_time_with_the_attempt():
    asked = cluster.asks(1000, minutes=30, megabytes_per_input=20)
    inputs = SimpleNamespace(size_mb=5)
    assert [asked["mem_mb"](None, input=inputs, attempt=number) for number in (1, 2, 3)] == [1100, 2200, 4400]
    assert [asked["runtime"](None, attempt=number) for number in (1, 2)] == [30, 60]


def test_the_demos_training_asks_for_more_than_it_takes_and_gpt2_small_for_much_more():
    settings = config()["training"]
    demo = cluster.training_memory_mb(settings, 4096)
    small = cluster.training_memory_mb(
        settings | {"width": 768, "layers": 12, "context_tokens": 1024, "micro_batch_sequences": 8}, 50_257
    )
    assert 1270 < demo < 6000  # it was measured at 1,270 MB
    assert 8000 < small < 64_000
    assert cluster.training_memory_mb(settings | {"checkpoint": "gpt2"}, 50_257) == cluster.UNKNOWN_MB
    for key in ("width", "layers", "context_tokens", "batch_tokens"):  # a recipe decides it from the corpus
        assert cluster.training_memory_mb(settings | {key: "auto"}, 4096) == cluster.UNKNOWN_MB
    assert cluster.training_memory_mb(settings, "auto") == cluster.UNKNOWN_MB


def test_samples_ask_for_what_each_thread_needs():
    settings, sampling = config()["training"], config()["sampling"] | {"slots": 128, "max_new_tokens": 56}
    tiny = settings | {"width": 64, "layers": 2, "context_tokens": 64}
    asked = [cluster.sampling_memory_mb(tiny, sampling, 50_257, threads) for threads in (1, 2, 4)]
    # Measured: a process without texts takes 418 MB, and 233, 513 and 998 MB more with 1, 2 and 4 threads.
    assert asked[1] - asked[0] > 513 - 233 and asked[2] - asked[0] > 998 - 233 and 1416 < asked[2] < 5000
    # 64 slots of 192 tokens, 256 features and 4 layers: 112 and 416 MB more with 1 and 4 threads.
    wide = settings | {"width": 256, "layers": 4, "context_tokens": 192}
    slots = sampling | {"slots": 64, "max_new_tokens": 100}
    one, four = (cluster.sampling_memory_mb(wide, slots, 1000, threads) for threads in (1, 4))
    assert 416 - 112 <= four - one < 500
    assert cluster.sampling_memory_mb(settings | {"checkpoint": "gpt2"}, sampling, 50_257, 4) == cluster.UNKNOWN_MB
    assert cluster.sampling_memory_mb(settings | {"width": "auto"}, sampling, 4096, 4) == cluster.UNKNOWN_MB
    memory = cluster.asks(lambda wildcards: wildcards.model * 1000, minutes=1)["mem_mb"]
    assert memory(SimpleNamespace(model=2), input=SimpleNamespace(size_mb=5), attempt=2) == 4000


@pytest.mark.parametrize("file", sorted((ROOT / "workflow" / "rules").glob("*.smk")), ids=lambda file: file.stem)
def test_every_step_that_may_run_on_a_node_says_what_it_asks_for(file):
    rules = re.split(r"^ *rule\b", file.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    steps = [rule for rule in rules if "shell:" in rule and "localrule: True" not in rule]
    assert [rule.splitlines()[0] for rule in steps if "asks(" not in rule] == []


@pytest.mark.parametrize(
    ("workflow", "device", "processes", "has_gpus", "asked"),
    [
        (LOCAL, "cuda", 4, True, 0),
        (REMOTE, "cpu", 4, True, 0),
        (REMOTE, "cuda", 4, False, 4),
        (REMOTE, "auto", "auto", True, 1),
        (REMOTE, "auto", 1, False, 0),
    ],
)
def test_a_gpu_is_asked_for_on_a_cluster_alone(monkeypatch, workflow, device, processes, has_gpus, asked):
    monkeypatch.setattr(cluster, "cluster_has_gpus", lambda: has_gpus)
    assert cluster.gpus_asked(workflow, device, processes)(None) == asked


def test_every_checkpoint_on_the_hub_is_fetched_before_the_first_job():
    merged = config() | config("gpu.yaml")
    assert cluster.hub_checkpoints(config()) == []
    wanted = {(item["checkpoint"], item.get("revision")) for item in config("gpu.yaml")["classifiers"]}
    assert wanted <= set(cluster.hub_checkpoints(merged))
    merged["models"] = [{"name": "a", "tokenizer": "own", "checkpoint": "owner/gpt2", "revision": "main"}]
    assert ("owner/gpt2", "main") in cluster.hub_checkpoints(merged)
    merged["sample_quality"] |= {"encoder": "owner/encoder", "encoder_revision": "a" * 40}
    assert ("owner/encoder", "a" * 40) in cluster.hub_checkpoints(merged)


def test_what_is_read_where_jobs_are_submitted_is_not_told_to_work_offline(monkeypatch):
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    cluster.fetch_checkpoints(config())
    assert "HF_HUB_OFFLINE" not in os.environ


def record(folder: Path, **fields: object) -> Path:
    """The record of a Snakemake that submitted two jobs."""
    path = folder / "jobs.json"
    path.write_text(json.dumps({"host": platform.node(), "pid": 2**22 + 1, "jobs": ["7", "8"]} | fields), "utf-8")
    return path


def test_a_second_snakemake_on_one_run_is_refused(tmp_path):
    with pytest.raises(UserError, match="another Snakemake is at work"):
        SubmittedJobs(record(tmp_path, pid=os.getppid())).begin()
    with pytest.raises(UserError, match="on elsewhere"):
        SubmittedJobs(record(tmp_path, host="elsewhere")).begin()
    with pytest.raises(UserError, match="on elsewhere"):
        SubmittedJobs(tmp_path / "jobs.json").end_orphans()  # as a start that submits nothing does
    SubmittedJobs(tmp_path / "jobs.json").end()  # of a start that was refused
    assert (tmp_path / "jobs.json").is_file()


@pytest.fixture
def squeue(tmp_path, monkeypatch):
    """Let a program in the place of SLURM's run a script."""

    def say(script: str) -> None:
        program = tmp_path / "bin" / "squeue"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
        program.chmod(0o755)

    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    return say


@pytest.mark.parametrize("of", [{"host": "elsewhere"}, {"pid": os.getppid()}])  # the number may be another process's
def test_a_snakemake_that_has_not_renewed_its_record_for_long_is_dead(tmp_path, squeue, of):
    squeue("echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1")
    path = record(tmp_path, **of)
    os.utime(path, (0, 0))
    SubmittedJobs(path).end_orphans()  # SLURM knows no job of it
    assert not path.exists()


@pytest.mark.parametrize("script", ["echo 'slurm_load_jobs error: Socket timed out' >&2; exit 1", None])
def test_jobs_of_which_slurm_says_nothing_are_not_taken_for_ended(tmp_path, squeue, monkeypatch, script):
    if script:
        squeue(script)
    else:  # another machine with the same folder
        monkeypatch.setenv("PATH", str(tmp_path))
    path = record(tmp_path)
    with pytest.raises(UserError, match=r"left the jobs 7, 8, and SLURM does not say(.|\n)*delete .*jobs\.json"):
        SubmittedJobs(path).end_orphans()
    assert path.is_file() and cluster_jobs.ask(["7"]) == {}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"host": "x", "pid": "y", "jobs": []}', b"\xff"])
def test_a_damaged_record_of_jobs_is_told(tmp_path, content):
    (tmp_path / "jobs.json").write_bytes(content)
    with pytest.raises(UserError, match="is damaged, so nobody knows which jobs") as told:
        SubmittedJobs(tmp_path / "jobs.json").end_orphans()
    assert "squeue --me" in told.value.remedy and (tmp_path / "jobs.json").is_file()


def test_a_job_is_recorded_later_where_the_disk_fails_for_a_moment(tmp_path):
    jobs = SubmittedJobs(tmp_path / "cluster" / "jobs.json")
    (tmp_path / "cluster").write_text("in the way", encoding="utf-8")
    for job in ("7", "8"):
        jobs.add(job, "Scoring")
    jobs.remove("7")
    (tmp_path / "cluster").unlink()
    jobs.add("9", "Training")
    assert json.loads(jobs.path.read_text(encoding="utf-8"))["jobs"] == ["8", "9"]


SUBMITTED = "Job 4 has been submitted with SLURM jobid 12 (log: x)."


@pytest.fixture
def told(tmp_path, monkeypatch, capsys):
    """Send events of one job to a teller; return what it said, the rule, and its log."""
    rule = SimpleNamespace(restart_times=2)
    job = SimpleNamespace(restart_times=2, attempt=1)
    workflow = SimpleNamespace(get_rule=lambda name: rule, dag=SimpleNamespace(jobs=[job], jobid=lambda job: 4))
    teller = JobTeller(workflow, SubmittedJobs(tmp_path / "jobs.json"))
    log = tmp_path / "stage.log"

    def send(event, message="", **fields):
        made = logging.makeLogRecord({"msg": message, "event": event and LogEvent[event], **fields})
        return teller(made)

    def tell(
        text: str, event: str, state: str = "FAILED", output: str = "", attempt: int = 1, begins: str = SUBMITTED,
        message: str | None = None,
    ):  # fmt: skip
        job.attempt = attempt
        monkeypatch.setattr("samizdat.runs.cluster_log.ask", lambda jobs: {"12": cluster_jobs.Seen(state, "", "n1")})
        send("JOB_INFO", jobid=4, rule_name="score", rule_msg="Scoring", log=[str(log)], local=False)
        assert not begins or not send(None, begins)
        log.write_text(text, encoding="utf-8")
        said = tmp_path / "12.log"
        said.write_text(output, encoding="utf-8")
        error = {"jobid": 4, "log": [str(log), str(said)], "rule_msg": message}
        number = {"job_id": 4} if event == "JOB_FINISHED" else error
        send(event, **number)
        assert teller.submitted.titles == {}
        return capsys.readouterr().err, rule

    return tell


ENTRY = "2026-01-02 03:04:05,678 samizdat "


def test_the_end_of_a_job_is_told_in_the_words_of_its_step(told):
    said, _ = told(f"{ENTRY}INFO begun\n{ENTRY}INFO ✓ scores (3 s): 7 texts\n", "JOB_FINISHED")
    assert said == "  Scoring: job 12\n✓ scores (3 s): 7 texts\n"


def test_what_only_a_person_can_mend_is_told_and_not_tried_again(told):
    said, rule = told(f"{ENTRY}ERROR scores: no texts\n  What to do: add some\n", "JOB_ERROR")
    assert "✗ scores: no texts\n  What to do: add some\n  Log: " in said and rule.restart_times == 0


@pytest.mark.parametrize(
    ("state", "output", "words"),
    [
        ("OUT_OF_MEMORY", "", "ran out of the memory"),
        ("FAILED", "slurmstepd: error: Exceeded job memory limit", "ran out of the memory"),
        ("TIMEOUT", "", "reached its time limit"),
        ("NODE_FAIL", "", "lost its node n1"),
        ("FAILED", "", "ended from outside"),
    ],
)
def test_a_job_that_could_say_nothing_is_explained(told, state, output, words):
    said, rule = told("", "JOB_ERROR", state, output)
    assert words in said and "submitted again" in said and rule.restart_times == 2
    said, _ = told("", "JOB_ERROR", state, output, attempt=3)
    assert words in said and "What to do: " in said


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("SLURM sbatch failed. The error message was 'sbatch: error: Invalid account'.\n    sbatch call:\n  sbatch -A",
         "not accepted by the cluster. SLURM sbatch failed. The error message was 'sbatch: error: Invalid account'.\n"),
        ("Error submitting jobscript (exit code 1):\n\nFor further error details see the cluster",
         "not accepted by the cluster. Error submitting jobscript (exit code 1)\n"),
    ],
)  # fmt: skip
def test_a_job_that_the_cluster_does_not_accept_is_told_with_its_reason(told, message, words):
    earlier = f"{ENTRY}ERROR of an earlier start\n"
    said, _ = told(earlier, "JOB_ERROR", begins="", attempt=3, message=message)
    assert words in said and "What to do: correct what the cluster says" in said and "earlier" not in said


def test_a_lack_of_memory_that_a_step_noticed_is_tried_again(told):
    said, rule = told(f"{ENTRY}ERROR scores: too little memory (x)\n", "JOB_ERROR")
    assert "too little memory" in said and rule.restart_times == 2


def test_a_job_of_another_cluster_has_its_number_and_slurm_is_not_asked(told, tmp_path, squeue):
    squeue("exit 1")
    said, _ = told("", "JOB_ERROR", "CANCELLED", attempt=3, begins="Submitted job 4 with external jobid '12'.")
    assert "✗ Scoring: job 12 was ended from outside" in said and "What to do: " in said
    assert not (tmp_path / "jobs.json").exists()
