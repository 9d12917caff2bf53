"""Score texts with a classifier: only texts that were not scored before are computed."""

from pathlib import Path

from samizdat.base import stage
from samizdat.base.files import checked_bytes
from samizdat.base.hardware import give_memory_back
from samizdat.classifiers.scoring import column_of, compute_missing
from samizdat.classifiers.text_scores import ClassificationSettings
from samizdat.records.classifiers import SCORES
from samizdat.records.io import write_batches


def score_texts(
    settings: ClassificationSettings,
    classifier: Path,
    tables: tuple[Path, ...],
    scores: Path,
    store: Path,
    device: str,
    threads: int,
    seed: int,
) -> str:
    """Score every text of the tables and write `records.classifiers.SCORES`, row by row in the order of the tables.

    Args:
        settings: windows, batches and number format.
        classifier: a folder with checkpoint, tokenizer, `card.json` and `seen_texts.txt`.
        tables: Parquet files with the columns `id` and `text`.
        scores: the file to write.
        store: the folder of scores that were computed before, shared by all runs.
        device: `auto`, `cpu`, `cuda` or `mps`.
        threads: batches that a CPU computes at once; their number changes no score.
        seed: of the stage; nothing is drawn, but libraries are seeded.

    Raises:
        UserError: as `scoring.compute_missing`, or the store loses scores meanwhile.
    """
    table, kept, new = compute_missing(settings, classifier, tables, store, device, threads, seed)
    give_memory_back()  # of the model, for the scores
    table.fill(kept.known())
    seen = set(checked_bytes(classifier / "seen_texts.txt").decode().split())
    write_batches(table.frames(column_of(tables, "id"), seen, settings.abstain_below), SCORES, scores)
    return f"{table.rows:,} texts, {new:,} of them new"


if __name__ == "__main__":
    stage.run(score_texts)
