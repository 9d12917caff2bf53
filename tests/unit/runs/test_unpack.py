"""A bundle of somebody else's: nothing of it is written that its manifest doesn't name, or outside of its folder."""

import json
import stat
import zipfile

import pytest

from samizdat.base.errors import UserError
from samizdat.runs.bundle import unpack
from support.run_fixture import make_run

INPUT = "data/letters.txt"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The manifest of a made-up run."""
    run = make_run(tmp_path_factory.mktemp("unpack") / "results" / "open", inputs={INPUT: "0" * 64})
    return (run / "manifest.json").read_text(encoding="utf-8")


@pytest.fixture
def manifest(written):
    """The values of a manifest that is accepted."""
    return json.loads(written)


def zipped(path, manifest, **members):
    """A bundle with this manifest and other members."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("results/manifest.json", manifest if isinstance(manifest, bytes) else json.dumps(manifest))
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    "name", ["../out.txt", "/out.txt", "results/../../out.txt", "..\\out.txt", "C:/out.txt", "results/../../a/out.txt"]
)
def test_a_name_that_leads_out_refuses_the_whole_bundle(tmp_path, name):
    bundle = tmp_path / "evil.zip"
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.writestr("results/manifest.json", "{}")
        archive.writestr(name, "out")
    folder = tmp_path / "deep" / "down"
    folder.mkdir(parents=True)
    with pytest.raises(UserError, match="leads out"):
        unpack(bundle, folder)
    assert {path.name for path in tmp_path.rglob("*")} == {"evil.zip", "deep", "down"}


def test_a_link_refuses_the_whole_bundle(tmp_path):
    bundle = tmp_path / "evil.zip"
    with zipfile.ZipFile(bundle, "w") as archive:
        link = zipfile.ZipInfo("results")
        link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, str(tmp_path))
        archive.writestr("results/manifest.json", "{}")
    with pytest.raises(UserError, match="leads out"):
        unpack(bundle, tmp_path / "folder")
    assert not (tmp_path / "manifest.json").exists()


@pytest.mark.parametrize("content", [b"", b"no zip", None])
def test_a_file_that_is_no_bundle_is_an_error(tmp_path, content):
    bundle = tmp_path / "x.zip"
    if content is None:
        with zipfile.ZipFile(bundle, "w") as archive:
            archive.writestr("results/other.json", "{}")
    else:
        bundle.write_bytes(content)
    with pytest.raises(UserError, match=r"not a complete zip|contains no run"):
        unpack(bundle, tmp_path / "folder")


def test_a_bomb_is_refused_before_a_byte_of_it_is_written(manifest, tmp_path):
    name = next(iter(manifest["artefacts"]))
    bundle = zipped(tmp_path / "bomb.zip", manifest, **{f"results/{name}": bytes(200 << 20)})
    with pytest.raises(UserError, match=r"would take 0\.21 GB, more than 50 times its own size"):
        unpack(bundle, tmp_path / "folder")
    assert not (tmp_path / "folder").exists()
    bundle = zipped(tmp_path / "bomb.zip", b"[" + b" " * (17 << 20))
    with pytest.raises(UserError, match="its manifest takes 18 MB"):
        unpack(bundle, tmp_path / "folder")


def test_what_the_manifest_does_not_name_is_refused(manifest, tmp_path):
    for name in (
        "results/finished.json",
        "results/report/more.html",
        "work/x",
        "results/.x.sha256",
        "inputs/" + "1" * 64,
    ):
        with pytest.raises(UserError, match=r"which its manifest doesn't name"):
            unpack(zipped(tmp_path / "their.zip", manifest, **{name: b"x"}), tmp_path / "folder")
    assert not (tmp_path / "folder").exists()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"7", b"null", b"{}", b"\xff", b"[" * 100_000, b'{"run": "' + b"9" * 5000]
)
def test_a_manifest_that_is_none_is_one_line(tmp_path, content):
    with pytest.raises(UserError, match=r"manifest\.json") as refused:
        unpack(zipped(tmp_path / "their.zip", content), tmp_path / "folder")
    # The command that makes a file of one's own run again makes none of theirs.
    assert "if another version of Samizdat made the run, verify it with that version" in refused.value.remedy
    assert not (tmp_path / "folder").exists()


ODD = (
    None,
    7,
    -1.5,
    True,
    "",
    "x",
    "../x",
    "/etc/passwd",
    "a\0b",
    "\ud800",
    [],
    [[]],
    {},
    {"": ""},
    {"a": {}},
    [None],
    "9" * 5000,
)


@pytest.mark.parametrize(
    "field", ["run", "config", "inputs", "artefacts", "versions", "python", "commit", "clean", "rules"]
)
def test_no_field_of_a_manifest_ends_in_a_traceback(manifest, tmp_path, field):
    """Each field, and each value that is directly in it, is replaced by odd values; what is refused is a UserError."""
    given = manifest[field]
    inner = [[*given, odd] for odd in ODD] if isinstance(given, list) else []
    if isinstance(given, dict):
        inner = [given | {key: odd} for key in [*list(given)[:40], "odd"] for odd in ODD]
    refused = 0
    for number, value in enumerate([*ODD, *inner]):
        bundle = zipped(tmp_path / "their.zip", manifest | {field: value})
        folder = tmp_path / str(number)
        try:
            unpack(bundle, folder)
        except UserError as error:
            refused += 1
            assert not folder.exists() and "their.zip" in str(error)
    assert refused >= len(ODD) // 2


def test_a_hash_or_a_model_that_is_a_path_is_refused(manifest, tmp_path):
    for change in (
        {"inputs": manifest["inputs"] | {INPUT: "../../../etc/passwd"}},
        {"artefacts": {"corpus/texts.parquet": "0" * 63}},
        {"run": "../x"},
        {"commit": "\x1b[2J"},
        {"config": manifest["config"] | {"models": [{"name": "../../x", "tokenizer": "own"}]}},
    ):
        with pytest.raises(UserError, match="can't be of a run"):
            unpack(zipped(tmp_path / "their.zip", manifest | change), tmp_path / "folder")
