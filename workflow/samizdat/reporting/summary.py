"""The whole report in a few sentences, each with its numbers."""

from samizdat.reporting import comparison, quality
from samizdat.reporting.classifiers import NONE_APPLIED
from samizdat.reporting.run import Run
from samizdat.reporting.training import millions
from samizdat.reporting.words import Prose, counted, joined, label


def findings(run: Run) -> Prose:
    """What was found, as a list: the model, the classifiers, samples against texts."""
    points = [_learned(run), *_judged(run)]
    if run.cards:
        points.append(f"**Whether samples are like texts.** {comparison.opening(run).markdown}")
    return Prose("\n".join(f"- {point}" for point in points))


def _learned(run: Run) -> str:
    corpus = run.corpus
    before = run.training.groupby("model")["validation_bits_per_byte"].first()
    models = [
        f"{label(model.name)} ({millions(model.parameters)} parameters) needs {model.validation_bits_per_byte:.2f} "
        f"bits for a byte of text that it had not seen, after {before[model.name]:.2f} before training"
        for model in run.models.values()
    ]
    read = f"GPT-2 was trained on {counted(corpus.splits.get('train', 0), 'text')}"
    return f"**What was learned.** {read}: {joined(models)}."


def _judged(run: Run) -> list[str]:
    if not run.cards:
        return [f"**What the classifiers say.** {NONE_APPLIED}"]
    compared_with_people = list(dict.fromkeys(run.quality["classifier"]))
    if not compared_with_people:
        return [f"**How far to trust the classifiers.** {quality.NONE_COMPARABLE}"]
    sentences = " ".join(quality.sentence(run, classifier) for classifier in compared_with_people)
    return [f"**How far to trust the classifiers.** {sentences}"]
