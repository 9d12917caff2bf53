"""The demo corpus, from an archive like its own."""

import io
import tarfile

from samizdat.corpus.demo import INNER_ARCHIVE


def test_the_demo_is_read_with_its_marks_entities_documents_and_ratings(corpus, tmp_path):
    def archive(files: dict[str, bytes], mode: str) -> bytes:
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode=mode) as tar:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        return data.getvalue()

    inner = {}
    for source in ("movieReviewSnippets", "nytEditorialSnippets"):
        inner[f"hutto_ICWSM_2014/{source}_GroundTruth.txt"] = f"1_1\t0.6\tA line of {source}.".encode()
        inner[f"hutto_ICWSM_2014/{source}_anonDataRatings.txt"] = b"1_1\t0.6\t0\t[1, 0]"
    inner["hutto_ICWSM_2014/tweets_GroundTruth.txt"] = "\ufeff1\t-2.1\ttea &amp; rain\n2\t0.5\tso so\n".encode()
    inner["hutto_ICWSM_2014/tweets_anonDataRatings.txt"] = "\ufeff1\t-2.1\t1\t[-2, -3]\n2\t0.5\t1\t[0, 1]\n".encode()
    inner["hutto_ICWSM_2014/amazonReviewSnippets_GroundTruth.txt"] = b"3_1\t0.0\tfirst part\n3_2\t2.0\tsecond part"
    inner["hutto_ICWSM_2014/amazonReviewSnippets_anonDataRatings.txt"] = b"3_1\t0.0\t1\t[0]\n3_2\t2.0\t1\t[2]"
    path = tmp_path / "demo.tar.gz"
    path.write_bytes(archive({f"vaderSentiment-3.3.2/{INNER_ARCHIVE}": archive(inner, "w:gz")}, "w:gz"))
    table, summary = corpus({}, source="demo", paths=(), archive=path)
    first = table.iloc[0]
    assert (first["text"], first["group"], first["label_source"]) == ("tea & rain", "tweet", "tweet")
    assert (first["label_sentiment"], list(first["ratings"])) == ("negative", [-2, -3])
    parts = table[table["group"] == "product review"]
    assert parts["document"].nunique() == 1 and parts["label_sentiment"].tolist() == ["neutral", "positive"]
    assert summary.texts == 6
