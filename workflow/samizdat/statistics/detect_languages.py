"""Detect the language of each text, once: what was found is kept for the next time."""

import hashlib
import multiprocessing
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from samizdat.base import stage
from samizdat.base.digest import result_digest
from samizdat.base.errors import UserError
from samizdat.base.parent import die_with_parent
from samizdat.base.reuse import fingerprint
from samizdat.records.corpus import TEXT_LANGUAGES
from samizdat.records.io import count_rows, read_rows, read_table, write_table
from samizdat.statistics.spoken import READ_CHARACTERS, language

# Of a larger corpus so many texts are drawn: a share of them is known to less than half a percent.
READ_TEXTS = 50_000
# One process reads so many characters in about six seconds; to start others takes two.
CHARACTERS_OF_ONE_PROCESS = 8_000_000
TEXTS_AT_ONCE = 500


def detect_languages(texts: Path, languages: Path, work: Path, threads: int, seed: int) -> str:
    """Write the language of each text, of at most READ_TEXTS that the seed draws.

    Args:
        texts: the corpus.
        languages: the file to write, `records.corpus.TEXT_LANGUAGES`.
        work: private folder of the stage: keeps what was found.
        threads: processes that read a large corpus.
        seed: draws texts of a large corpus.

    Raises:
        UserError: the corpus is missing or damaged.
    """
    number = count_rows(texts)
    drawn = np.random.default_rng(seed).permutation(number) < READ_TEXTS
    read = read_rows(texts, drawn, "id", "text")
    keys = [hashlib.sha256(text.encode()).hexdigest() for text in read["text"]]
    mark = fingerprint(code=result_digest("statistics.detect_languages"))
    known = _kept(work / f"{mark}.parquet")
    new = {key: text for key, text in zip(keys, read["text"], strict=True) if key not in known}
    known |= dict(zip(new, _detect([*new.values()], threads), strict=True))
    write_table(pd.DataFrame({"id": read["id"], "language": [known[key] for key in keys]}), TEXT_LANGUAGES, languages)
    _keep({key: known[key] for key in keys}, work / f"{mark}.parquet")
    return f"{len(read):,} texts, {len(new):,} of them new"


def _detect(texts: Sequence[str], threads: int) -> list[str | None]:
    """Detect the language of each text, in several processes where that pays."""
    if threads == 1 or sum(min(len(text), READ_CHARACTERS) for text in texts) < CHARACTERS_OF_ONE_PROCESS:
        return [language(text) for text in texts]
    new_processes = multiprocessing.get_context("spawn")  # a fork may inherit a lock that a library's thread holds
    with ProcessPoolExecutor(threads, mp_context=new_processes, initializer=die_with_parent) as pool:
        return list(pool.map(language, texts, chunksize=TEXTS_AT_ONCE))


def _kept(path: Path) -> dict[str, str | None]:
    """Read what was found before, by the SHA-256 of the text; nothing where it is damaged or of other code."""
    try:
        frame = read_table(path, TEXT_LANGUAGES)
    except UserError:
        return {}
    return dict(zip(frame["id"], frame["language"], strict=True))


def _keep(found: Mapping[str, str | None], path: Path) -> None:
    """Keep what was found for these texts, and nothing else; in place of the id is the SHA-256 of the text."""
    for old in path.parent.glob("*.parquet"):
        if old != path:
            old.unlink()
    write_table(pd.DataFrame({"id": [*found], "language": [*found.values()]}), TEXT_LANGUAGES, path)


if __name__ == "__main__":
    stage.run(detect_languages)
