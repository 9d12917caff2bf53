"""A run as a Workflow Run RO-Crate: what the profiles ask of it, the same bytes each time, and no text that may not be.

The rules that are checked are the MUSTs of RO-Crate 1.1 (root data entity, metadata file descriptor, data entities), of
Workflow RO-Crate 1.0 (main workflow) and of Process and Workflow Run Crate 0.5 (the action).
"""

import json
import shutil
import zipfile
from datetime import datetime
from pathlib import Path

import pytest

from samizdat.base.files import sha256_of
from samizdat.runs.bundle import unpack, write_bundle
from samizdat.runs.crate import write_crate
from support.run_fixture import finish, make_run

INPUT, NOTES, PINNED = "data/letters.txt", "report/notes.md", "work/downloads/x.tar.gz"
CODE = {
    "Snakefile": "rule all: pass\n",
    "workflow/rules/corpus.smk": "# rules\n",
    "workflow/samizdat/__init__.py": "# code\n",
    "config/config.yaml": "name: demo\n",
    "report/index.qmd": "---\nlang: en\n---\n",
    "report/vendor/README.md": "whose they are\n",
}
OF_ANOTHER_RUN = (
    "config/another.yaml", "report/another.md", "report/drafts/another.docx", "report/another.html",
    "report/another.qmd",
)  # fmt: skip
ROOT = Path(__file__).parents[3]
# The project's own files, but for the notes, which a user writes.
OF_THE_REPORT = [
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.css", "*.js", "*.lua", "*.scss", "quarto.html", "scripts.html", "play/*", "comparison/*.qmd")
    for path in sorted((ROOT / "report").glob(pattern))
]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A checkout with code, inputs and two made-up runs, of which one may not be published with texts."""
    root = tmp_path_factory.mktemp("crates")
    theirs = {INPUT: "a secret letter\n", NOTES: "my words\n", "envs/lock.txt": "torch==1\n"}
    for name, text in (theirs | CODE | dict.fromkeys(OF_ANOTHER_RUN, "x")).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    for name in OF_THE_REPORT:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, root / name)
    hashes = {name: sha256_of(root / name) for name in (INPUT, NOTES)} | {PINNED: "0" * 64}
    for name, publish in (("open", True), ("closed", False)):
        run = make_run(root / "results" / name, inputs=hashes, publish_texts=publish, author="A. Student")
        finish(run, written_at="2026-11-27T09:00:00+00:00")
    return root


@pytest.fixture
def crate(made, monkeypatch):
    """A function that writes a run's crate and returns its entities by id, and its files."""
    monkeypatch.chdir(made)

    def opened(name, *, hashes_only=False):
        with zipfile.ZipFile(write_crate(made / "results" / name, hashes_only=hashes_only)) as archive:
            files = {one: archive.read(one) for one in archive.namelist()}
        document = json.loads(files["ro-crate-metadata.json"])
        assert document["@context"][0] == "https://w3id.org/ro/crate/1.1/context"
        entities = {entity["@id"]: entity for entity in document["@graph"]}
        assert len(entities) == len(document["@graph"]), "an entity is described once"
        return entities, files

    return opened


def ids(value):
    """Return the ids that a value refers to."""
    return [one["@id"] for one in (value if isinstance(value, list) else [value])]


def test_descriptor_and_root_are_as_ro_crate_asks(crate):
    entities, files = crate("open")
    descriptor, root = entities["ro-crate-metadata.json"], entities["./"]
    assert descriptor["@type"] == "CreativeWork" and ids(descriptor["about"]) == ["./"]
    assert "https://w3id.org/ro/crate/1.1" in ids(descriptor["conformsTo"])
    assert root["@type"] == "Dataset" and root["name"] and root["description"]
    assert datetime.fromisoformat(root["datePublished"]).year == 2026
    assert all(entities[one]["name"] and entities[one]["description"] for one in ids(root["license"]))
    # Each file is described, is a part of the root, and has the hash that is said.
    assert set(ids(root["hasPart"])) == files.keys() - {"ro-crate-metadata.json"}
    for name in ids(root["hasPart"]):
        assert "File" in entities[name]["@type"] and int(entities[name]["contentSize"]) == len(files[name])


def test_the_workflow_is_the_main_entity_and_the_run_an_action_of_it(crate):
    entities, files = crate("open")
    root = entities["./"]
    for profile in ("process/0.5", "workflow/0.5"):
        assert entities[f"https://w3id.org/ro/wfrun/{profile}"]["@type"] == "CreativeWork"
        assert f"https://w3id.org/ro/wfrun/{profile}" in ids(root["conformsTo"])
    (main,) = ids(root["mainEntity"])
    workflow = entities[main]
    assert {"File", "SoftwareSourceCode", "ComputationalWorkflow"} <= set(workflow["@type"]) and workflow["name"]
    assert workflow["version"] == "0.1.0"
    (language,) = ids(workflow["programmingLanguage"])
    assert entities[language]["@type"] == "ComputerLanguage" and entities[language]["url"]
    (action,) = (entity for entity in entities.values() if entity["@type"] == "CreateAction")
    assert ids(root["mentions"]) == [action["@id"]] and ids(action["instrument"]) == [main]
    assert set(ids(action["object"])) | set(ids(action["result"])) <= entities.keys()
    assert "results/manifest.json" in ids(action["result"]) and f"inputs/{sha256_of_text(files, INPUT)}" in ids(
        action["object"]
    )
    assert entities[ids(action["agent"])[0]] == {"@id": "#author", "@type": "Person", "name": "A. Student"}
    # The code is the workflow without what is the user's own beside it.
    assert {name: files[name].decode() for name in CODE} == CODE
    assert files.keys() >= {*OF_THE_REPORT} and not files.keys() & {*OF_ANOTHER_RUN, NOTES}
    # Everything that is referred to is described, or is an address.
    for entity in entities.values():
        for value in entity.values():
            found = [one["@id"] for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]
            assert all(one in entities or one.startswith("https://") for one in found)


def sha256_of_text(files, name):
    """Return the hash that the run's manifest has for an input."""
    return json.loads(files["results/manifest.json"])["inputs"][name]


def test_the_same_run_gives_the_same_bytes(crate, made):
    crate("open")
    first = (made / "results" / "open.crate.zip").read_bytes()
    crate("open")
    assert (made / "results" / "open.crate.zip").read_bytes() == first


def test_a_crate_is_verified_like_the_bundle_that_is_in_it_and_its_code_stays_where_it_is(crate, made, tmp_path):
    crate("open")
    files = {}
    for name, archive in (
        ("crate", made / "results" / "open.crate.zip"),
        ("bundle", write_bundle(made / "results" / "open", hashes_only=False)),
    ):
        unpack(archive, tmp_path / name)
        files[name] = {
            path.relative_to(tmp_path / name): path.read_bytes()
            for path in (tmp_path / name).rglob("*")
            if path.is_file()
        }
    assert files["crate"] == files["bundle"] and Path("results/manifest.json") in files["crate"]


def test_texts_that_are_not_published_are_named_by_their_hashes_alone(crate):
    for name, options in (("closed", {}), ("open", {"hashes_only": True})):
        entities, files = crate(name, **options)
        assert not [file for file, content in files.items() if b"a secret letter" in content]
        assert not files.keys() & {"results/samples/gpt2-tiny.parquet", "results/corpus/texts.parquet"}
        absent = [one for one in entities.values() if one["@id"].startswith("#input-")]
        assert {one["name"] for one in absent} >= {INPUT} and all(len(one["sha256"]) == 64 for one in absent)
