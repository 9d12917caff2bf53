"""A run as a zip: same run, same bytes; the report that it records; no texts where they are not to be published."""

import json
import zipfile

import pytest

from samizdat.base.errors import UserError
from samizdat.base.files import checksum_file, is_checksum, sha256_of
from samizdat.records.io import read_document
from samizdat.records.run import Manifest
from samizdat.runs.bundle import lock_differs, unpack, write_bundle
from samizdat.runs.names import check_names
from support.run_fixture import ROOT, finish, make_run

INPUT, NOTES = "data/letters.txt", "report/notes.md"
REPORTS = ("quarto.ipynb", "report.ipynb", "report.html", "report.pdf")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A checkout with a made-up run, its inputs in place."""
    root = tmp_path_factory.mktemp("bundles")
    for name, text in ((INPUT, "a secret letter\n"), (NOTES, "my words\n"), ("envs/lock.txt", "torch==1\n")):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    hashes = {name: sha256_of(root / name) for name in (INPUT, NOTES)} | {"work/downloads/x.tar.gz": "0" * 64}
    for name, publish in (("open", True), ("closed", False)):
        make_run(root / "results" / name, inputs=hashes, publish_texts=publish)
        (root / "results" / name / "tokenizers" / "own" / "tokens").mkdir(exist_ok=True)
        finish(root / "results" / name)
    return root


@pytest.fixture
def at(made, monkeypatch):
    monkeypatch.chdir(made)
    return made


def names(path):
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def test_the_same_run_gives_the_same_bytes(at):
    run = at / "results" / "open"
    first = write_bundle(run, hashes_only=False).read_bytes()
    (run / "manifest.json").touch()
    (run / "config.json").chmod(0o600)
    assert write_bundle(run, hashes_only=False).read_bytes() == first
    assert [path.name for path in (at / "results").iterdir() if path.name.startswith(".")] == []


def test_a_bundle_contains_results_inputs_and_lock_and_unpacks_to_the_same_files(at, tmp_path):
    run = at / "results" / "open"
    bundle = write_bundle(run, hashes_only=False)
    results = unpack(bundle, tmp_path / "a")
    files = [path for path in run.rglob("*") if path.is_file() and not is_checksum(path)]
    there = {path.relative_to(run).as_posix(): sha256_of(path) for path in files}
    back = {path.relative_to(results).as_posix(): sha256_of(path) for path in results.rglob("*") if path.is_file()}
    assert back == there and len(back) > 20
    assert {sha256_of(path) for path in (tmp_path / "a" / "inputs").iterdir()} == {
        sha256_of(at / INPUT),
        sha256_of(at / NOTES),
    }
    told = (tmp_path / "a" / "README.md").read_text(encoding="utf-8")
    commit = read_document(Manifest, at / "results" / "open" / "manifest.json").commit
    assert "make verify RUN=path/of/this.zip" in told and commit in told
    assert f"    {sha256_of(at / INPUT)}  {INPUT}\n" in told
    assert not lock_differs(tmp_path / "a")
    (tmp_path / "a" / "lock.txt").write_text("torch==2\n", encoding="utf-8")
    assert lock_differs(tmp_path / "a")


@pytest.mark.parametrize(("run", "hashes_only"), [("closed", False), ("open", True)])
def test_no_sentence_of_the_corpus_is_in_a_bundle_without_texts(at, run, hashes_only):
    bundle = write_bundle(at / "results" / run, hashes_only=hashes_only)
    members = names(bundle)
    assert f"inputs/{sha256_of(at / INPUT)}" not in members and f"inputs/{sha256_of(at / NOTES)}" in members
    assert {"results/manifest.json", "results/statistics/quality.parquet"} <= members
    left_out = {
        "corpus/texts.parquet",
        "samples/gpt2-tiny.parquet",
        "statistics/copies.parquet",
        "statistics/terms.parquet",
    }
    assert not {f"results/{name}" for name in left_out} & members
    assert all((at / "results" / run / name).is_file() for name in left_out)
    # A report that may show sentences stays here; one that shows none is in the bundle.
    assert {name for name in members if "/report/" in name} == (
        set() if run == "open" else {f"results/report/{name}" for name in REPORTS}
    )
    with zipfile.ZipFile(bundle) as archive:
        assert ("shows sentences of the corpus" in archive.read("README.md").decode()) == (run == "open")


@pytest.mark.parametrize("damage", ["no provenance", "no page", "an edited page", "another manifest"])
def test_a_run_without_the_report_that_it_records_is_not_bundled(at, damage):
    run = at / "results" / "open"
    named = {"no provenance": "provenance.json", "another manifest": "manifest.json"}
    path = run / named.get(damage, "report/report.html")
    before, checksum = path.read_bytes(), checksum_file(path).read_bytes()
    if damage.startswith("no "):
        path.unlink()
    else:
        path.write_bytes(before + b"\n")
        checksum_file(path).unlink()
    try:
        with pytest.raises(
            UserError, match=r"(not finished|is not the file that)(.|\n)*the config of the run open, then"
        ):
            write_bundle(run, hashes_only=False)
    finally:
        path.write_bytes(before)
        checksum_file(path).write_bytes(checksum)


def test_a_file_that_changed_since_the_manifest_is_not_bundled(at):
    run = at / "results" / "open"
    for path in (at / INPUT, run / "statistics" / "quality.parquet"):
        before = path.read_bytes()
        path.write_bytes(before + b" ")
        with pytest.raises(
            UserError, match=f"(?s){path.name} is not the file.*`make report CONFIG=…` with the config of the run open"
        ):
            write_bundle(run, hashes_only=False)
        path.write_bytes(before)
    with pytest.raises(UserError, match="there is no run"):
        write_bundle(at / "results" / "nobody", hashes_only=False)


def test_elsewhere_than_in_the_runs_own_folder_it_is_told_where_to_start(at, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        UserError, match=r"(?s)is not here, and the run read it.*in the folder in which the run was made"
    ):
        write_bundle(at / "results" / "open", hashes_only=False)


def renamed(run, where, name):
    """The run's manifest with another name in one place."""
    manifest = read_document(Manifest, run / "manifest.json")
    if where == "notes":
        manifest.config["notes"] = name
    elif where == "paths":
        manifest.config["corpus"]["paths"] = [INPUT, name]
    else:
        getattr(manifest, where)[name] = "0" * 64
    return manifest


@pytest.mark.parametrize("where", ["notes", "paths", "inputs", "artefacts"])
@pytest.mark.parametrize(
    "name", ["report/$(touch PWNED).md", "a`touch PWNED`.md", "a;b.md", "a|b.md", "it's.md", 'a"b.md', "a\nb.md",
             "{a}.md", "<a>.md", "a&b.md", "a\x1b[31m.md", "a\u202eb.md", "~/a.md", "-a.md", "/a.md", "b/../../a.md",
             "", "a*.md", 7]
)  # fmt: skip
def test_a_name_that_a_shell_could_mistake_is_in_no_bundle(at, where, name):
    with pytest.raises(UserError, match="can't be the name of a file in a bundle") as error:
        check_names(renamed(at / "results" / "open", where, name), at / "their.zip")
    assert repr(name) in str(error.value) and "their.zip" in str(error.value) and "do not use it" in str(error.value)


def test_names_may_have_letters_of_all_scripts_and_blanks_unless_old_rules_leave_them_unquoted(at):
    run = at / "results" / "open"
    for name in ("data/Babička, 2. vydání.txt", "data/نامه\u200cها.txt", "data/Babic\u030cka_1+2=3@50%.txt"):
        check_names(renamed(run, "inputs", name), run)
    check_names(renamed(run, "notes", "report/poznámky.md"), run)
    for where, name in (
        ("notes", "report/n.md --document=data/evil.md"),
        ("inputs", "work/downloads/a --package=b.tar.gz"),
        ("paths", "work/./downloads/a --package=b.tar.gz"),
    ):
        with pytest.raises(UserError, match="can't be the name of a file"):
            check_names(renamed(run, where, name), run)


def test_a_run_with_such_a_name_is_not_bundled(at):
    run = at / "results" / "named"
    make_run(run, inputs={"data/{draft}.txt": "0" * 64, NOTES: sha256_of(at / NOTES)})
    with pytest.raises(UserError, match="rename the file"):
        write_bundle(run, hashes_only=True)
    assert not run.with_suffix(".zip").exists()


def test_a_bundle_lists_the_packages_of_the_lock_and_the_installed_torch(at, monkeypatch):
    """CycloneDX's fields by hand, from a lock with a marker, two files of one package, and a package twice."""
    lock = (
        f"Other_Name==1.0 \\\n    --hash=sha256:{'a' * 64} \\\n    --hash=sha256:{'b' * 64}\n"
        f"pair==1 ; python_version < '3.12' \\\n    --hash=sha256:{'c' * 64}\n"
        f"pair==2 ; python_version >= '3.12' \\\n    --hash=sha256:{'d' * 64}\n"
    )
    monkeypatch.setattr("samizdat.runs.bundle.LOCK", at / "other.txt")
    (at / "other.txt").write_text(lock, encoding="utf-8")
    run = at / "results" / "open"
    finish(run, torch={"version": "2", "source": None, "sha256": "e" * 64})
    with zipfile.ZipFile(write_bundle(run, hashes_only=True)) as archive:
        bill = json.loads(archive.read("sbom.cdx.json"))
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    found = {component["bom-ref"]: component for component in bill["components"]}
    assert {"pkg:pypi/other-name@1.0", "pkg:pypi/pair@1", "pkg:pypi/pair@2"} <= found.keys()
    assert len(found) == len(bill["components"])
    (files,) = found["pkg:pypi/other-name@1.0"]["externalReferences"]
    assert [file["content"] for file in files["hashes"]] == ["a" * 64, "b" * 64]
    assert found["pkg:pypi/pair@1"]["properties"][0]["value"] == "python_version < '3.12'"
    (torch,) = [component for component in bill["components"] if component["name"] == "torch"]
    assert torch["version"] == read_document(Manifest, run / "manifest.json").versions["torch"]
    assert {"name": "samizdat:wheel-sha256", "value": f'"{"e" * 64}"'} in torch["properties"]


@pytest.mark.parametrize("name", ["report/thesis.tex", "config/words.md", "results/other/texts.txt", ".mine/texts.txt"])
def test_a_run_whose_inputs_could_not_be_put_into_a_folder_of_their_own_is_not_bundled(at, tmp_path, name):
    """Else only the receiver would be told."""
    (at / name).parent.mkdir(parents=True, exist_ok=True)
    (at / name).write_text("words", encoding="utf-8")
    run = make_run(tmp_path / "elsewhere", inputs={name: sha256_of(at / name), NOTES: sha256_of(at / NOTES)})
    finish(run)
    with pytest.raises(UserError, match=r"can't be put into a folder of its own(.|\n)*into data/, with a name that"):
        write_bundle(run, hashes_only=True)


def test_the_lock_is_that_of_the_code_also_where_there_is_no_clone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lock.txt").write_bytes((ROOT / "envs" / "lock.txt").read_bytes())
    assert not lock_differs(tmp_path)
    (tmp_path / "lock.txt").write_text("torch==1\n", encoding="utf-8")
    assert lock_differs(tmp_path)
