"""Look at checkpoints before the first job, if a step loads them only when others have computed for long."""

from collections.abc import Iterable
from typing import Any

from samizdat.base import configuration
from samizdat.base.errors import UserError

WEIGHTS = "weights (*.safetensors)"
ENCODERS = ("sample_quality.encoder", "finetuning.checkpoint")  # of other checkpoints a pickle is converted


def look_ahead(config: configuration.Config, jobs: Iterable[Any]) -> None:
    """Fetch what jobs of this start load from the Hub, and check that each checkpoint has its files.

    Args:
        config: the config.
        jobs: Snakemake's, which are to run.

    Raises:
        UserError: a checkpoint can't be found or fetched, needs Python code of its own, or lacks files.
    """
    from samizdat.checkpoints.sources import PICKLE_FILE, VOCABULARY_FILES, fetch, locate

    for key, checkpoint, revision in dict.fromkeys(_loaded(config, jobs)):
        fetch(checkpoint, revision)
        found = locate(checkpoint, revision)
        pickle = () if key in ENCODERS else (PICKLE_FILE,)
        needed = {"config.json": ("config.json",), WEIGHTS: ("*.safetensors", *pickle), "tokenizer": VOCABULARY_FILES}
        lacking = [name for name, patterns in needed.items() if not any(any(found.path.glob(it)) for it in patterns)]
        if lacking:
            raise UserError(
                f"`{key}` in the config: {found.origin} is no checkpoint of a model of texts, since it has no "
                f"{' and no '.join(lacking)}",
                remedy="correct the path or the Hub id, or fetch or copy the checkpoint again",
            )


def _loaded(config: configuration.Config, jobs: Iterable[Any]) -> Iterable[tuple[str, str, str | None]]:
    """List key, checkpoint and revision of what these jobs load."""
    quality = config["sample_quality"]
    for job in jobs:
        rule, name = job.rule.name, dict(job.wildcards.items()).get("classifier", "")
        if rule.endswith("judge_samples"):
            yield ENCODERS[0], quality["encoder"], quality["encoder_revision"]
        elif rule.endswith("finetune_classifier"):
            item = configuration.finetuning_settings(config, name)
            yield ENCODERS[1], item["checkpoint"], item["revision"]
        elif rule.endswith(("import_classifier", "prepare_few_shot")):
            item = next(item for item in config["classifiers"] if item["name"] == name)
            yield f"checkpoint of the classifier {name}", item["checkpoint"], item.get("revision")
