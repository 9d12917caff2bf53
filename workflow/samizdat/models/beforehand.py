"""Say before a training what it will do, and what about it can hardly be useful."""

from samizdat.base import stage
from samizdat.models.loop import TrainingLoop
from samizdat.models.settings import FEWEST_STEPS, StepPlan, enough_steps

# A checkpoint of so few steps has learned next to nothing.
UNTRAINED_STEPS = 1


def announce(loop: TrainingLoop, name: str) -> None:
    """Say what the training of a model will do."""
    decided = ", ".join(f"{key} {getattr(loop.settings, key):g}" for key in loop.settings.recipe or ())
    stage.announce(
        f"model {name}: {loop.plan.steps:,} steps of {loop.settings.batch_tokens:,} tokens"
        + (f"; by the recipe {decided}" if decided else "")
    )


def warn(loop: TrainingLoop, name: str) -> None:
    """Say that a training, or the part of it before an early checkpoint, has too few steps to learn in."""
    if loop.plan.steps < FEWEST_STEPS:
        wanted = enough_steps(
            loop.settings,
            context_tokens=loop.learner.model.config.n_positions,
            rows_per_epoch=loop.data.rows.rows_per_epoch,
            processes=loop.workers.count,
        )
        keys = ", ".join(f"{key}: {value}" for key, value in wanted.items())
        why = f"training.epochs is {loop.settings.epochs:g}" if list(wanted) == ["epochs"] else "the corpus is small"
        left = "batch_tokens" in (loop.settings.recipe or ())
        recipe = "" if left else "; or leave these keys out and set `recipe: auto`, which chooses them by the corpus"
        stage.tell(
            f"model {name}: only {loop.plan.steps} steps to learn in, since {why}; for {FEWEST_STEPS}, "
            f"set in the config, below `training`: {keys}{recipe}"
        )
    if early := untrained_checkpoints(loop.plan):
        stage.tell(f"model {name}: {early}")


def untrained_checkpoints(plan: StepPlan) -> str:
    """Say which checkpoints on the way come before there was anything to learn; nothing where there is none."""
    early = {percent: step for percent, step in plan.kept.items() if step <= UNTRAINED_STEPS}
    if not early:
        return ""
    which = ", ".join(f"{percent} % (step {step})" for percent, step in early.items())
    return (
        f"of {plan.steps} steps the checkpoint{'s' if len(early) > 1 else ''} at {which} will have learned next to "
        "nothing; leave such percents out of training.keep_percents, or give the training more steps"
    )
