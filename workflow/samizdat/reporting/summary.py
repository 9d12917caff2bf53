"""Sum up the report in a few sentences, each with its numbers."""

from samizdat.reporting import agreement, label_comparison
from samizdat.reporting.classifiers import NONE_APPLIED
from samizdat.reporting.run import Run
from samizdat.reporting.training import millions
from samizdat.reporting.words import Prose, counted, label


def findings(run: Run) -> Prose:
    """List what was found: the models, the classifiers, samples compared with texts."""
    points = [_learned(run), _trusted(run), _alike(run)]
    return Prose("\n".join(f"- {point}" for point in points if point))


def _learned(run: Run) -> str:
    """Say how well the models learned the corpus."""
    corpus = run.corpus
    before = run.training.groupby("model")["validation_bits_per_byte"].first()
    models = [
        f"{label(model.name)} ({millions(model.parameters)} parameters) needs {model.test_bits_per_byte:.2f} bits for "
        f"each byte of held-out text; on validation texts training brought it from {before[model.name]:.2f} to "
        f"{model.validation_bits_per_byte:.2f}."
        for model in run.models.values()
    ]
    read = f"GPT-2 was trained on {counted(corpus.splits.get('train', 0), 'text')}."
    return _point("What was learned", [f"{read} {models[0]}"] if len(models) == 1 else [read, *models])


def _trusted(run: Run) -> str:
    """Say how often the classifiers agree with people."""
    if not run.cards:
        return f"**What the classifiers say.** {NONE_APPLIED}"
    return _point("How far to trust the classifiers", agreement.sentences(run) or [agreement.NONE_COMPARABLE])


def _alike(run: Run) -> str:
    """Say whether samples differ from texts; nothing where no classifier was applied."""
    compared = label_comparison.in_brief(run)
    return _point("Whether samples are like texts", compared or [label_comparison.NO_SAMPLES]) if run.cards else ""


def _point(heading: str, sentences: list[str]) -> str:
    """Write a heading with its sentence, or with a list of several sentences."""
    return f"**{heading}.**" + (f" {sentences[0]}" if len(sentences) == 1 else "\n  - " + "\n  - ".join(sentences))
