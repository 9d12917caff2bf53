"""Judge samples: how varied they are, what they copy, and how like held-out texts they are."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from samizdat.base import stage
from samizdat.base.device import prepare
from samizdat.base.seeds import derive_seed
from samizdat.measures.bootstrap import Bootstrap
from samizdat.measures.words import split_words
from samizdat.records.io import read_table, write_table
from samizdat.records.sample_quality import COPIES, SAMPLE_QUALITY
from samizdat.records.samples import SAMPLES
from samizdat.statistics.copy_search import find_copies
from samizdat.statistics.drawn_texts import drawn_texts
from samizdat.statistics.held_out_comparison import closeness_to_real, told_apart_area
from samizdat.statistics.passages import draw_passages, own_passages
from samizdat.statistics.ratios import ratio_measures, ratios_of
from samizdat.statistics.sample_sets import sample_sets
from samizdat.statistics.seeds import fold_seeds
from samizdat.statistics.tables import write_rows


@dataclass(frozen=True)
class SampleQualitySettings:
    """The keys of `sample_quality` in the config, where each is explained."""

    encoder: str
    encoder_revision: str | None
    held_out_texts: int


def judge_samples(
    settings: SampleQualitySettings,
    confidence: float,
    bootstrap_resamples: int,
    texts: Path,
    samples: tuple[Path, ...],
    quality: Path,
    copies: Path,
    device: str,
    threads: int,
    seed: int,
) -> str:
    """Write the tables of `records.sample_quality`; `docs/methods.md` defines every measure.

    Args:
        settings: encoder and size of the baseline.
        confidence: of the intervals.
        bootstrap_resamples: for each interval.
        texts: the corpus: copies are searched for in its train split, the test split is the baseline.
        samples: one table for each training of a model.
        quality: where to write the measures.
        copies: where to write the longest copy of each sample.
        device: `auto`, `cpu`, `cuda` or `mps`.
        threads: threads of the numeric libraries.
        seed: of the stage.

    Raises:
        UserError: the encoder can't be loaded, or the device has too little memory.
    """
    chosen = prepare(device, threads=threads, seed=seed)
    written = pd.concat([own_passages(read_table(path, SAMPLES)) for path in samples], ignore_index=True)
    longest = int(max(written["own"].str.len().max(), 1))
    random = np.random.default_rng(derive_seed(seed, "held out"))
    held_out = draw_passages(drawn_texts(texts, random, "test"), longest, settings.held_out_texts, random)
    both = pd.concat([written, held_out], ignore_index=True)
    both["words"] = both["own"].map(split_words)
    found = find_copies(both, texts)
    write_table(found[COPIES.names], COPIES, copies)
    both = both.join(found[["copy_characters", "ngrams", "copied_ngrams", "known_words"]])
    bootstrap = Bootstrap(confidence, bootstrap_resamples, derive_seed(seed, "intervals"))
    real = both[both["subset"] == "held_out"]
    sets = [
        ({"subset": "samples", **part.names}, part.samples)
        for part in sample_sets(both[both["subset"] == "samples"])
        if part.temperature is not None
    ]
    of_real = ratios_of(real, {"subset": "held_out"}, bootstrap.seed)
    rows = [*ratio_measures(of_real, {"subset": "held_out"}, bootstrap)]
    compared = [(names, part) for names, part in sets if names["begun_with"] == "nothing"]
    for names, part in sets:
        beside = of_real if names["begun_with"] == "nothing" else None
        rows += ratio_measures(ratios_of(part, names, bootstrap.seed), names, bootstrap, beside)
    for names, part in compared:
        rows += told_apart_area(part, real, names, bootstrap.seed)
    near = draw_passages(drawn_texts(texts, random, "train"), longest, len(real), random)
    rows += closeness_to_real(compared, real, near, settings.encoder, settings.encoder_revision, bootstrap, chosen)
    write_rows(fold_seeds(rows, "value"), SAMPLE_QUALITY, quality)
    compared_with = "held-out texts" if real["id"].is_unique else "pieces of held-out texts"
    return f"{len(written):,} samples compared with {len(real):,} {compared_with}"


if __name__ == "__main__":
    stage.run(judge_samples)
