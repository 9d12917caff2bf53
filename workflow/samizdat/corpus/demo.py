"""The demo corpus: sentences, each rated for sentiment by about twenty people.

Source: C. J. Hutto and E. Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social
Media Text", ICWSM 2014; shipped in the source archive of vaderSentiment 3.3.2 (MIT).
"""

import html
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

from samizdat.base.errors import UserError
from samizdat.corpus.rows import RawText
from samizdat.measures.ratings import sentiment

INNER_ARCHIVE = "additional_resources/hutto_ICWSM_2014.tar.gz"
SOURCES = {
    "tweets": "tweet",
    "movieReviewSnippets": "film review",
    "amazonReviewSnippets": "product review",
    "nytEditorialSnippets": "editorial",
}


DEMO_LABELS = ("source", "sentiment")


def read_demo(archive: Path) -> Iterator[RawText]:
    """Read the rated sentences, source by source in the order of their files.

    Product reviews and editorials are cut into sentences, whose ids begin with the id of the document; each tweet and
    each snippet of a film review is a document of its own.

    Args:
        archive: the source archive of vaderSentiment.
    """
    with tarfile.open(archive) as outer:
        name = next(name for name in outer.getnames() if name.endswith(INNER_ARCHIVE))
        data = _content(outer, name)
    with tarfile.open(fileobj=io.BytesIO(data)) as inner:
        for source, group in SOURCES.items():
            ratings = {row[0]: json.loads(row[3]) for row in _rows(inner, f"{source}_anonDataRatings.txt", 4)}
            for key, mean, text in _rows(inner, f"{source}_GroundTruth.txt", 3):
                document, _, sentence = key.partition("_")
                yield RawText(
                    html.unescape(text),
                    f"{source}_GroundTruth.txt, id {key}",
                    document=f"{source}/{document}" if sentence else None,
                    group=group,
                    labels={"source": group, "sentiment": sentiment(float(mean))},
                    ratings=ratings[key],
                )


def _rows(archive: tarfile.TarFile, name: str, columns: int) -> Iterator[list[str]]:
    text = _content(archive, f"hutto_ICWSM_2014/{name}").decode("utf-8-sig")
    for line in text.split("\n"):
        if line.strip():
            yield line.rstrip("\r").split("\t", columns - 1)


def _content(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    if file is None:
        raise UserError(
            f"the source archive of the demo has no file {name}",
            remedy="delete work/downloads/ and run again: the archive is downloaded again",
        )
    return file.read()
