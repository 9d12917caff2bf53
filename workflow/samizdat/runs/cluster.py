"""Runs on a cluster: what each step asks for, and what the machine that submits the jobs does before the first one."""

import functools
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from samizdat.base.configuration import Config
from samizdat.base.play_size import weight_count
from samizdat.base.project import project_folder

# A function that Snakemake calls for a value under `resources:`.
Request = Callable[..., int]
# What a training asks for when its size is known only later: from a checkpoint, or by a recipe from the corpus.
UNKNOWN_MB = 16_000
# Bytes for each weight (itself, its gradient, the optimisers' averages, a copy), and for each position and feature of a
# micro-batch that is kept for the backward pass. Generous: the demo's training was measured at 1.2 GB.
WEIGHT_BYTES, FEATURE_BYTES = 24, 100
# Bytes for each token of the vocabulary and slot in which a thread writes texts: ten copies of logits were measured.
# And how many tokens a prompt has at most, in the longest cache of a usual run.
LOGIT_BYTES, PROMPT_TOKENS = 48, 128


def asks(memory_mb: float | Callable[[Any], float], minutes: int, megabytes_per_input: float = 0) -> dict[str, Request]:
    """Say what a job asks of a cluster, as `resources`; a second attempt asks for twice as much of both.

    Args:
        memory_mb: memory that the step takes with small inputs, in MB, or a function of the wildcards.
        minutes: its time limit.
        megabytes_per_input: memory for each MB of its input files, in MB.
    """

    # Snakemake tells by the names of the parameters what to give.
    def memory(wildcards: Any, input: Any, attempt: int) -> int:
        least = memory_mb(wildcards) if callable(memory_mb) else memory_mb
        return int((least + megabytes_per_input * input.size_mb) * (1 << (attempt - 1)))

    def runtime(wildcards: Any, attempt: int) -> int:
        return minutes << (attempt - 1)

    return {"mem_mb": memory, "runtime": runtime}


def training_memory_mb(settings: Config, vocabulary_size: int | str | None) -> float:
    """Estimate the memory of a training in MB, from its settings (`configuration.model_settings`)."""
    weights = weight_count(settings, vocabulary_size)
    if weights is None or settings["batch_tokens"] == "auto":
        return UNKNOWN_MB
    width, layers, context = settings["width"], settings["layers"], settings["context_tokens"]
    rows = settings["micro_batch_sequences"]
    positions = rows * context if isinstance(rows, int) else settings["batch_tokens"]
    features: int = positions * width * layers
    return 2000 + (WEIGHT_BYTES * weights + FEATURE_BYTES * features) / 1e6


def sampling_memory_mb(settings: Config, sampling: Config, vocabulary_size: int | str | None, threads: int) -> float:
    """Estimate the memory of writing samples in MB: on a CPU each thread has slots of its own.

    Args:
        settings: of the model's training (`configuration.model_settings`).
        sampling: the config's.
        vocabulary_size: tokens of its vocabulary.
        threads: that write at once; on a GPU one.
    """
    if weight_count(settings, vocabulary_size) is None or not isinstance(vocabulary_size, int):
        return UNKNOWN_MB
    cached = min(settings["context_tokens"], sampling["max_new_tokens"] + PROMPT_TOKENS)
    features: int = 2 * cached * settings["layers"] * settings["width"]  # keys and values, of four bytes each
    bytes_of_slot: int = 4 * features + LOGIT_BYTES * vocabulary_size
    slots: int = threads * sampling["slots"]
    return 3000 + slots * bytes_of_slot / 1e6


def gpus_asked(workflow: Any, device: str, processes: int | str = 1) -> Request:
    """Make the resource `gpu`: how many a job asks a cluster for; 0 where Snakemake starts the step itself.

    Args:
        workflow: Snakemake's workflow.
        device: the config's `device`; with `auto` a GPU is asked for where the cluster has any.
        processes: one GPU for each; `auto` asks for one.
    """

    def gpus(wildcards: Any) -> int:
        if workflow.local_exec or device in ("cpu", "mps") or (device == "auto" and not cluster_has_gpus()):
            return 0
        return processes if isinstance(processes, int) else 1

    return gpus


@functools.cache
def cluster_has_gpus() -> bool:
    """Ask SLURM whether any node has GPUs; on another kind of cluster `device: cuda` asks for them."""
    if not shutil.which("sinfo"):
        return False
    answer = subprocess.run(["sinfo", "--noheader", "--format=%G"], capture_output=True, text=True, check=False)  # noqa: S607
    return "gpu" in answer.stdout


def job_command(what: str) -> str:
    """Write how a command of `profiles/generic` begins: with its script, wherever the project and the profile are.

    Args:
        what: `submit`, in whose command Snakemake replaces `{…}`, or `status`.
    """
    script = shlex.quote(str(project_folder().resolve() / "profiles/generic/job.sh"))
    return f"sh {script.replace('{', '{{').replace('}', '}}') if what == 'submit' else script} {what}"


def fetch_checkpoints(config: Config) -> None:
    """Fetch from the Hub what the config names, because nodes often have no network.

    Raises:
        UserError: a checkpoint can't be fetched.
    """
    if wanted := dict.fromkeys(hub_checkpoints(config)):
        from samizdat.checkpoints.sources import fetch

        for checkpoint, revision in wanted:
            fetch(checkpoint, revision)
        print(f"✓ from the Hub: {', '.join(name for name, _ in wanted)}", file=sys.stderr, flush=True)


def hub_checkpoints(config: Config) -> list[tuple[str, str | None]]:
    """List Hub id and revision of each checkpoint that the steps of a run load."""
    quality = config["sample_quality"]
    sections = [
        *config["tokenizers"],
        *config["classifiers"],
        *(config["training"] | item for item in config["models"]),
        *(config["finetuning"] | item for item in config["classifiers"] if item["source"] == "finetune"),
        {"checkpoint": quality["encoder"], "revision": quality["encoder_revision"]},
    ]
    from samizdat.checkpoints.sources import is_hub_id

    pairs = [(item.get("checkpoint"), item.get("revision")) for item in sections]
    return [(checkpoint, revision) for checkpoint, revision in pairs if checkpoint and is_hub_id(checkpoint)]
