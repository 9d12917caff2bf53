"""Made-up configs, tables, bundles, manifests and notebooks: each is read or refused in words, never by a traceback.

The suite tries some dozens of each; `make fuzz` sets SAMIZDAT_FUZZ to 10,000.
"""

import copy
import io
import json
import os
import random
import shutil
import tempfile
import zipfile
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from samizdat.base import configuration
from samizdat.base.config_file import read_config
from samizdat.base.errors import UserError
from samizdat.corpus.readers import Manner, read_file
from samizdat.corpus.rows import Columns, Findings
from samizdat.publishing.notes import safe_markdown
from samizdat.records.classifiers import SCORES, ClassifierCard
from samizdat.records.corpus import TEXTS, CorpusSummary
from samizdat.records.io import read_document, read_table
from samizdat.records.models import ModelSummary
from samizdat.records.run import Manifest
from samizdat.runs import bundle
from samizdat.runs.sameness import DIFFERENT
from samizdat.runs.verify import compare_runs
from support.hostile import EVERY
from support.run_fixture import make_run
from support.spreadsheets import workbook

ROOT = Path(__file__).parents[2]
BASE = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
MANY = int(os.environ.get("SAMIZDAT_FUZZ", "40"))
# A run is bounded in the number of inputs, not in time: a loaded machine is slow, and nothing is wrong with that.
FUZZ = settings(max_examples=MANY, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(categories=None), max_size=20)
    | st.sampled_from([text for text in EVERY if len(text) < 300])
    | st.sampled_from([10**30, -1, 0, 1e308, "a\n", "\ud800", "../x", "{x}", "$(touch x)", "-x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def places(value, way=()):
    """Yield the way to each value of nested mappings and lists."""
    yield way
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*way, key))


def replaced(value, way, new):
    """Put another value into one place, or delete it where `new` is the value itself."""
    if not way:
        return new
    changed = copy.deepcopy(value)
    place = changed
    for key in way[:-1]:
        place = place[key]
    place[way[-1]] = new
    return changed


def mutations(value):
    """Make a strategy: the value with one to three places replaced."""
    ways = list(places(value))

    @st.composite
    def mutated(draw):
        changed = value
        for way in draw(st.lists(st.sampled_from(ways), min_size=1, max_size=3)):
            with suppress(KeyError, IndexError, TypeError):  # an earlier change has removed the place
                changed = replaced(changed, way, draw(VALUES))
        return changed

    return mutated()


def damaged(content: bytes):
    """Make a strategy: bytes with some of them changed, cut off, repeated or put in."""

    @st.composite
    def changed(draw):
        luck = random.Random(draw(st.integers(0, 2**32)))
        found = bytearray(content)
        for _ in range(luck.randint(1, 4)):
            at = luck.randrange(len(found) + 1)
            kind = luck.randrange(4)
            if kind == 0 and at < len(found):
                found[at] ^= 1 << luck.randrange(8)
            elif kind == 1:
                del found[at : at + luck.choice((1, 7, 1000))]
            elif kind == 2:
                found[at:at] = found[max(0, at - 30) : at]
            else:
                found[at:at] = luck.randbytes(luck.choice((1, 4, 64)))
        return bytes(found)

    return changed()


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A made-up run with reports, in a folder of its own."""
    folder = make_run(tmp_path_factory.mktemp("results") / "open", texts=[f"text number {n}" for n in range(60)])
    (folder / "report").mkdir()
    (folder / "report" / "report.html").write_text("<p>0.51</p>", encoding="utf-8")
    for name in ("quarto.ipynb", "report.ipynb"):
        (folder / "report" / name).write_text('{"cells": [{"source": ["a"], "outputs": []}]}', encoding="utf-8")
    return folder


@FUZZ
@given(mutations(BASE))
def test_a_config_is_accepted_or_refused(config):
    if isinstance(config, dict):
        with suppress(UserError):
            configuration.check(config)


@FUZZ
@given(damaged((ROOT / "config" / "tiny.yaml").read_bytes()))
def test_a_config_file_is_read_or_refused(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "mine.yaml")
        path.write_bytes(content)
        with suppress(UserError):
            read_config(path)


TABLES = {
    ".csv": b'text,mood\n"a, b",good\n"c ""d""",bad\n"e\nf",good\n',
    ".tsv": b"text\tmood\na\tgood\nb\tbad\n",
    ".jsonl": b'{"text": "a", "mood": "good"}\n{"text": "\\u0041", "mood": null}\n',
    ".json": b'[{"text": "a", "mood": "good"}, {"text": "b", "mood": "bad"}]',
    ".txt": "Příliš žluťoučký kůň.\n\nA second text.\r\n".encode(),
    ".xlsx": workbook({"Texts": [["text", "mood"], ["a", "good"], ["b", "bad"]]}),
}
COLUMNS = Columns("text", None, None, ("mood",), {})
MANNER = Manner("block", "file", None, "auto", "auto", "auto")


def parquet_of(frame: pd.DataFrame) -> bytes:
    into = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(frame), into)
    return into.getvalue()


TABLES[".parquet"] = parquet_of(pd.DataFrame({"text": ["a", "b"] * 50, "mood": ["good", "bad"] * 50}))


@pytest.mark.parametrize("suffix", TABLES)
def test_a_file_of_texts_is_read_or_refused(tmp_path, suffix):
    path = tmp_path / f"texts{suffix}"

    @FUZZ
    @given(damaged(TABLES[suffix]))
    def read(content):
        path.write_bytes(content)
        with suppress(UserError):
            list(read_file(path, MANNER, COLUMNS, Findings()))

    read()


@pytest.mark.parametrize(
    ("kind", "name"),
    [(TEXTS, "corpus/texts.parquet"), (SCORES, "scores/sentiment/texts.parquet"), (Manifest, "manifest.json"),
     (CorpusSummary, "corpus/summary.json"), (ClassifierCard, "classifiers/sentiment/card.json"),
     (ModelSummary, "models/gpt2-tiny/summary.json")],
    ids=str,
)  # fmt: skip
def test_a_file_between_the_steps_is_read_or_refused(run, tmp_path, kind, name):
    """Without its checksum, as in somebody else's run; with it, each of these is refused as damaged."""
    path = tmp_path / Path(name).name

    @FUZZ
    @given(damaged((run / name).read_bytes()))
    def read(content):
        path.write_bytes(content)
        with suppress(UserError):
            read_table(path, kind) if name.endswith("parquet") else read_document(kind, path)

    read()


def zipped(manifest: object, run: Path, names: list[str]) -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("results/manifest.json", json.dumps(manifest))
        for name in names:
            archive.writestr(f"results/{name}", (run / name).read_bytes())
    return into.getvalue()


def unpacked(content: bytes) -> None:
    """Unpack a bundle; nothing may be outside of its folder afterwards, and nothing in it that it does not name."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "deep")
        Path(name, "their.zip").write_bytes(content)
        with suppress(UserError):
            bundle.unpack(Path(name, "their.zip"), folder)
        assert {path.name for path in Path(name).iterdir()} <= {"deep", "their.zip"}


def test_a_bundle_is_unpacked_or_refused(run):
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))

    @FUZZ
    @given(damaged(zipped(manifest, run, ["corpus/summary.json", "models/gpt2-tiny/train_log.csv"])))
    def of_bytes(content):
        unpacked(content)

    @FUZZ
    @given(mutations(manifest))
    def of_values(values):
        unpacked(zipped(values, run, []))

    of_bytes()
    of_values()


def test_a_run_of_somebody_else_is_compared_without_a_traceback(run, tmp_path):
    """One file of it is damaged, and its manifest records the damaged file."""
    names = ["report/quarto.ipynb", "report/report.html", "provenance.json", "models/gpt2-tiny/summary.json",
             "models/gpt2-tiny/train_log.csv", "statistics/quality.parquet"]  # fmt: skip
    (run / "provenance.json").write_text('{"sha256": {}}', encoding="utf-8")
    theirs = shutil.copytree(run, tmp_path / "theirs")
    manifest = read_document(Manifest, run / "manifest.json")

    @FUZZ
    @given(st.data())
    def compared(data):
        name = data.draw(st.sampled_from(names))
        whole = (run / name).read_bytes()
        content = data.draw(damaged(whole))
        (theirs / name).write_bytes(content)
        artefacts = {key: sha256 for key, sha256 in manifest.artefacts.items() if key != name}
        verdicts = dict(compare_runs(Manifest(**vars(manifest) | {"artefacts": artefacts}), theirs, run))
        (theirs / name).write_bytes(whole)
        assert verdicts and (name not in artefacts or verdicts[name].kind != DIFFERENT)

    compared()


@FUZZ
@given(
    st.lists(st.sampled_from([text for text in EVERY if len(text) < 300]) | st.text(max_size=30), max_size=4).map(
        "\n".join
    )
)
def test_notes_of_any_kind_are_made_safe(text):
    assert isinstance(safe_markdown(text), str)
