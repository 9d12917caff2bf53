"""Compute the scores of a part of the texts, as a job of its own, for the step that writes the scores of all."""

from pathlib import Path

from samizdat.base import stage
from samizdat.classifiers.scoring import compute_missing
from samizdat.classifiers.text_scores import ClassificationSettings


def score_part(
    settings: ClassificationSettings,
    classifier: Path,
    tables: tuple[Path, ...],
    part: int,
    parts: int,
    done: Path,
    store: Path,
    device: str,
    threads: int,
    seed: int,
) -> str:
    """Put the scores of a part of the tables' texts into the store.

    Args:
        settings: windows, batches and number format.
        classifier: a folder with checkpoint, tokenizer and `card.json`.
        tables: Parquet files with the column `text`.
        part: from 0; the hash of a text gives its part.
        parts: how many parts there are.
        done: an empty file to write, which says that the part is done.
        store: the folder of scores, shared by all runs.
        device: `auto`, `cpu`, `cuda` or `mps`.
        threads: batches that a CPU computes at once; their number changes no score.
        seed: of the stage; nothing is drawn, but libraries are seeded.

    Raises:
        UserError: as `scoring.compute_missing`.
    """
    *_, new = compute_missing(settings, classifier, tables, store, device, threads, seed, part=part, parts=parts)
    done.touch()
    return f"{new:,} new texts"


if __name__ == "__main__":
    stage.run(score_part)
