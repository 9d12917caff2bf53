"""What is below `corpus.paths`: which files are read, which are not and why, whatever the file system holds."""

import os
from pathlib import Path

import pytest

from samizdat.base.corpus_files import kind_of, list_files
from samizdat.base.errors import UserError


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A function that writes files with the content `x`."""
    monkeypatch.chdir(tmp_path)

    def write(*names: str) -> None:
        for name in names:
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_text("x", encoding="utf-8")

    return write


def files(paths: list[str]) -> list[str]:
    return list(list_files(paths).files)


def refused(*paths: str) -> str:
    with pytest.raises(UserError) as error:
        list_files(paths)
    assert "What to do:" in str(error.value)
    return str(error.value)


def test_files_of_known_kinds_are_found_sorted_and_hidden_ones_are_not(tree):
    tree("t/b.txt", "t/a/z.CSV", "t/.hidden/c.txt", "t/.d.txt", "t/a.jsonl", "t/packages.txt", "t/x.md", "t/y.csv.GZ")
    assert files(["t"]) == ["t/a.jsonl", "t/a/z.CSV", "t/b.txt", "t/packages.txt", "t/x.md", "t/y.csv.GZ"]
    assert files(["t/b.txt"]) == ["t/b.txt"]
    assert files(["t/b.txt", "t", "t/b.txt"])[0] == "t/b.txt"
    assert len(files(["t/b.txt", "t"])) == 6, "no file twice"
    assert list_files(["t"]).unread() == {}


def test_what_a_folder_holds_besides_is_listed_with_its_reason(tree):
    tree(
        "t/a.txt",
        "t/README.md",
        "t/_SUCCESS",
        "t/~$b.xlsx",
        "t/.~lock.b.ods#",
        "t/c.tar.gz",
        *(f"t/{n}.pdf" for n in "abcdefg"),
    )
    Path("t/gone.txt").symlink_to("nowhere.txt")
    os.mkfifo("t/pipe.txt")
    listing = list_files(["t"])
    assert list(listing.files) == ["t/a.txt"]
    assert listing.unread() == {
        "a link to nothing": "t/gone.txt",
        "a name without a suffix": "t/_SUCCESS",
        "describes the folder; to read it, name the file itself in corpus.paths": "t/README.md",
        "no file": "t/pipe.txt",
        "no kind of file that is read (.gz)": "t/c.tar.gz",
        "no kind of file that is read (.pdf)": "t/a.pdf, t/b.pdf, t/c.pdf and 4 more",
    }
    assert files(["t/README.md"]) == ["t/README.md"]


def test_what_the_run_reads_for_another_purpose_or_runs_have_written_is_no_text(tree):
    tree(
        "t/a.txt",
        "t/notes.md",
        "t/my.yaml",
        "t/my.json",
        "u/notes.md",
        "results/demo/a.json",
        "work/b.txt",
        "logs/c.txt",
    )
    besides = {"t/notes.md": "notes", "./t/my.yaml": "config", str(Path("t/my.json").absolute()): "config", "gone": "x"}
    listing = list_files(["t"], besides)
    assert list(listing.files) == ["t/a.txt"]
    assert listing.unread() == {"notes": "t/notes.md", "config": "t/my.json"}, "nobody takes a .yaml file for a text"
    assert listing.besides == {"t/notes.md": "notes", "t/my.json": "config"}
    assert list(list_files(["t/notes.md", "u"], besides).files) == ["t/notes.md", "u/notes.md"], (
        "named, or another file"
    )
    everything = list_files(["."], besides)
    assert list(everything.files) == ["t/a.txt", "u/notes.md"]
    assert everything.left_out["what runs write; to read some of it, name its folder in corpus.paths"] == [
        "logs", "results", "work",
    ]  # fmt: skip
    assert list(list_files(["results/demo"]).files) == ["results/demo/a.json"]


@pytest.mark.parametrize("name", ["README", "readme.cs", "ReadMe-en", "LICENSE", "licence", "COPYING"])
def test_files_about_a_folder_are_no_texts_and_those_with_other_names_are(tree, name):
    tree(f"t/{name}.txt", "t/license-plates.txt", "t/readme-please.txt")
    assert files(["t"]) == ["t/license-plates.txt", "t/readme-please.txt"]
    assert files([f"t/{name}.txt"]) == [f"t/{name}.txt"]


def test_a_file_belongs_to_the_folder_below_the_named_one(tree):
    tree("t/one/a.txt", "t/two/deep/b.txt", "t/c.txt", "t/two/p.parquet/kind=x/part-0.parquet", "t/q.parquet/0.parquet")
    assert list_files(["t"]).files == {
        "t/c.txt": "t",
        "t/one/a.txt": "one",
        "t/q.parquet/0.parquet": "t",
        "t/two/deep/b.txt": "two",
        "t/two/p.parquet/kind=x/part-0.parquet": "two",
    }
    assert list_files(["t/one", "t/c.txt"]).files == {"t/one/a.txt": "one", "t/c.txt": "t"}


def test_links_to_folders_are_followed_and_circles_refused(tree):
    tree("t/a.txt", "elsewhere/b.txt")
    Path("t/link").symlink_to(Path("elsewhere").absolute())
    assert files(["t"]) == ["t/a.txt", "t/link/b.txt"]
    Path("elsewhere/back").symlink_to(Path("t").absolute())
    assert "t/link/back leads back to the folder t," in refused("t")
    Path("loop").symlink_to("loop")
    assert "loop is a link to loop, which does not exist" in refused("loop")


def test_folders_named_like_files_are_folders(tree):
    tree("t/texts.csv/a.txt", "t/b.txt/c.csv", "t/d.txt")
    assert files(["t"]) == ["t/b.txt/c.csv", "t/d.txt", "t/texts.csv/a.txt"]
    assert files(["t/texts.csv"]) == ["t/texts.csv/a.txt"]


@pytest.mark.parametrize(
    "name", ["12:30 a.txt", "s3:..x.txt", "{draft} [1] (č).txt", "-rf.txt", "a\nb.txt", "'\"`.txt"]
)
def test_any_name_is_a_name(tree, name):
    tree(f"t/{name}")
    assert files(["t"]) == files([f"t/{name}"]) == [f"t/{name}"]


def test_a_line_end_in_a_name_is_no_line_end_of_a_message(tree):
    tree("t/a.txt", "t/b\n✓ done\r.pdf", "c\nd.html")
    assert list_files(["t"]).unread() == {"no kind of file that is read (.pdf)": "t/b␊✓ done␍.pdf"}
    assert "corpus.paths: c␊d.html is a file of an unknown kind" in refused("c\nd.html")
    assert "corpus.paths: e␊f does not exist" in refused("e\nf")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere", ["nowhere does not exist (looked in", "put your texts there"]),
        ("~/texts", ["only a shell knows what `~` means", f"write the whole path: {Path('~/texts').expanduser()}"]),
        ("a" * 300, ["does not exist"]),
        ("a\0b", ["does not exist"]),
        ("t/*.csv", ["t/*.csv does not exist", "a pattern such as *.csv is no path"]),
        ("https://example.org/t.csv", ["does not exist", "download the file"]),
        ("C:\\texts\\a b", ["does not exist", "under WSL", "write /mnt/c/texts/a b"]),
        ("d:/a.csv", ["write /mnt/d/a.csv"]),
        ("hf://datasets/a/b", ["does not exist", "corpus.source: hub"]),
        ("dangling.txt", ["is a link to nothing.txt, which does not exist", "correct the link"]),
        ("page.html", ["page.html is a file of an unknown kind", ".parquet", "rename it"]),
        ("fortunes", ["fortunes is a file of an unknown kind"]),
        ("all.tar.gz", ["unknown kind"]),
        ("pipe.txt", ["is no file and no folder"]),
        ("empty", ["empty has no file of a known kind", "a name without a suffix"]),
    ],
)  # fmt: skip
def test_what_is_no_file_of_texts_is_refused(tree, name, said):
    tree("page.html", "fortunes", "all.tar.gz", "empty/x")
    Path("dangling.txt").symlink_to("nothing.txt")
    os.mkfifo("pipe.txt")
    message = refused(name)
    for part in said:
        assert part in message


def test_a_name_in_other_bytes_is_refused_and_one_that_is_not_read_is_listed(tree):
    tree("t/a.txt")
    folder = os.fsencode(Path("t").absolute())
    Path(os.fsdecode(folder + b"/t\xe9.pdf")).write_text("x")
    assert list_files(["t"]).unread() == {"no kind of file that is read (.pdf)": "t/t\\udce9.pdf"}
    Path(os.fsdecode(folder + b"/t\xe9.txt")).write_text("x")
    message = refused("t")
    assert r"t\\udce9.txt" in message and "rename the file" in message
    message.encode()


@pytest.mark.parametrize("folder", ["data", "data/../data", "texts", "all"])
def test_what_raters_said_is_no_text_by_whatever_way_a_path_leads_there(tree, folder):
    tree("data/a.txt", "data/labels/run/question/anna.csv", "all/labels/b.txt")
    Path("texts").symlink_to("data")
    Path("all/sheets").symlink_to(Path("data/labels").absolute())
    assert files([folder]) == ["all/labels/b.txt" if folder == "all" else f"{Path(folder)}/a.txt"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_refused(tree):
    tree("t/a.txt", "u/b.txt")
    Path("t/a.txt").chmod(0)
    assert "you may not read the file t/a.txt" in refused("t") and "chmod u+r" in refused("t/a.txt")
    for mode in (0, 0o400):
        Path("u").chmod(mode)
        try:
            assert "the folder u can't be read" in refused("u")
        finally:
            Path("u").chmod(0o700)


def test_the_kind_is_that_of_the_file_inside():
    names = {"a.CSV": ".csv", "a.csv.gz": ".csv", "a.b.jsonl.zst": ".jsonl", "a.gz": "", "a.gz.txt": ".txt", "txt": ""}
    assert {name: kind_of(Path(name)) for name in names} == names
