"""Config files: each slip is refused with file, line, and what to write; everything else comes back as it is."""

import copy
import json
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from snakemake.utils import update_config

from samizdat.base import configuration
from samizdat.base.config_file import read_config
from samizdat.base.errors import UserError

ROOT = Path(__file__).parents[3]
BASE = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A function that writes `mine.yaml`, and returns its path."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "notes.md").write_text("", encoding="utf-8")

    def write(content: str | bytes, name: str = "mine.yaml") -> Path:
        Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return Path(name)

    return write


def used(*files: Path) -> dict:
    """Lay files over the demo's config, as a run does, and check it."""
    config = copy.deepcopy(BASE)
    for file in files:
        update_config(config, read_config(file).values)
    configuration.check(config, files)
    return config


def refused(*files: Path) -> str:
    with pytest.raises(UserError) as error:
        used(*files)
    assert "What to do:" in str(error.value)
    return str(error.value)


SLIPS = {
    "a key twice": ("seed: 1\ncorpus:\n  max_texts: 5\ncorpus: {}", ["line 4: the key `corpus`", "on line 2"]),
    "a zero": ('name: x\ntitle: "a\\0b"', ["`title` (mine.yaml, line 2) has a zero"]),
    "half a character": ('prompts: ["", "\\ud83d"]', ["`prompts[1]` (mine.yaml, line 1)", "half a character"]),
    "half a character in a key": ('corpus: {encoding: {"\\ud83d": x}}', ["`corpus.encoding`", "half a character"]),
    "an inner key twice": ("training:\n  layers: 2\n  layers: 3", ["line 3: the key `layers` is there", "line 2"]),
    "a key twice in an item": ("models:\n  - {name: a, tokenizer: own, name: b}", ["line 2: the key `name`"]),
    "a key twice in one line": ("corpus: {max_texts: 1, max_texts: 2}", ["line 1: the key `max_texts`"]),
    "a tab": ("corpus:\n\tsource: files", ["line 2: a tab", "spaces"]),
    "a tab behind spaces": ("corpus:\n  max_texts: 5\n  \tmin_characters: 3", ["line 3: a tab"]),
    "a second colon": ("name: x\ntitle: A story: the end", ["line 2: a second colon", 'title: "A story: the end"']),
    "no blank behind a colon": ("name:x\ntitle: t", ["line 2: a key where none can be", "a blank behind the colon"]),
    "a wrong indentation": ("name: x\n  seed: 1", ["line 2: a key where none can be", "the indentation"]),
    "another indentation": ("training:\n    seeds: 1\n  layers: 2", ["line 3: the line does not begin", "equally far"]),
    "an item's key at the `-`": ("models:\n  - name: a\n  tokenizer: own", ["line 3: the line does not", "behind the"]),
    "no such day": ("title: 2024-02-30", ["line 1: 2024-02-30 is a date", 'write "2024-02-30" in quotes']),
    "no such number": ("name: x\nseed: !!int one", ["line 2: one is a int for YAML"]),
    "a sign that begins a comment": ("corpus:\n  separator: #\n", ["line 2: nothing is written here", '"#" in quotes']),
    "no classifiers": ("name: x\nclassifiers: {}", ["`classifiers` (mine.yaml, line 2) is {}", "write []"]),
    "no encoding": ("corpus: {encoding: {}}", ["`corpus.encoding` (mine.yaml, line 1) is {}", "write a value"]),
    "a backslash": ('corpus:\n  paths: ["C:\\Users\\me"]', ["line 2: a backslash", "write /"]),
    "another backslash": ('notes: "my\\notes\\q.md"', ["line 1: a backslash"]),
    "an open quote": ('title: "What\nname: x', ["line 1: a quotation mark that is not closed", "title"]),
    "an open quote before another": ('title: "What\nauthor: "I"', ["line 2: a quotation mark", "or close them"]),
    "an open bracket": ("prompts: [a, b\nname: x", ["line 2"]),
    "a percent sign": ("title: %s", ["line 1"]),
    "an at sign": ("author: @me", ["line 1"]),
    "two documents": ("name: x\n---\nname: y", ["line 2"]),
    "a tag": ("name: !!python/name:os.system x", ["line 1"]),
    "no such alias": ("title: *name", ["line 1", "undefined alias"]),
    "an alias of itself": ("prompts: &all [*all]", ["line 1: an alias contains itself"]),
    "a control character": ("name: x\ntitle: a\x07b", ["line 2 has the character U+0007"]),
    "a number as a key": ("name: x\n1: a", ["line 2: the key `1` is no text", "int"]),
    "on as a key": ("on: b", ["line 1: the key `on`", "bool"]),
    "nothing as a key": ("name: x\n: b", ["line 2"]),
    "a list as a key": ("[a]: b", ["line 1: the key a list or mapping is no text"]),
    "an empty file": ("", ["mine.yaml is empty", "name: mine"]),
    "only a comment": ("# nothing yet\n", ["mine.yaml is empty"]),
    "a list of keys": ("- name: x", ["mine.yaml has no keys at its top"]),
    "a word": ("hello", ["has no keys at its top"]),
    "cp1250": ('name: x\ntitle: "Příběhy"'.encode("cp1250"), ["line 2: the file is not in UTF-8", "save it as UTF-8"]),
    "utf-16": ("name: x\n".encode("utf-16"), ["line 1: the file is in UTF-16"]),
    "base 8": ("seed: 010", ["line 1: 010 is a number in base 8", "else 10"]),
    "base 60": ("title: 12:30", ["line 1: 12:30 is a number in base 60", '"12:30"']),
    "not a number": ("training: {learning_rate: .nan}", ["line 1: .nan is no number"]),
    "infinity": ("training: {learning_rate: .INF}", ["line 1: .INF is no number"]),
    "an exponent": ("training:\n  learning_rate: 1e-3", ["learning_rate` (mine.yaml, line 2)", "write 0.001"]),
    "a decimal comma": ("training:\n  weight_decay: 0,5", ["(mine.yaml, line 2)", "write 0.5"]),
    "a decimal comma in braces": ("training: {weight_decay: 0,5}", ["line 1: the key `5`", "a point, not a comma"]),
    "percent": ("corpus:\n  test_share: 7%", ["(mine.yaml, line 2)", "write 0.07, without quotes"]),
    "percent of a whole number": ("training:\n  keep_percents: [10%, 100%]", ["write 10, ", "write 100, "]),
    "a blank in a number": ("name: x\nseed: 10 000", ["`seed` (mine.yaml, line 2)", "write 10000, without quotes"]),
    "a comma in a number": ("corpus:\n  max_texts: 20,000", ["`corpus.max_texts`", "write 20000, without quotes"]),
    "a point in a number": ("corpus:\n  max_texts: 20.000", ["`corpus.max_texts`", "Write 20000 or 20, "]),
    "too large a number": ("training:\n  weight_decay: 1e400", ["(mine.yaml, line 2)", "is '1e400', not a number"]),
    "a number in quotes": ('seed: "7"', ["`seed` (mine.yaml, line 1)", "write 7, without quotes"]),
    "a number for a list": ("sampling:\n  temperatures: 0.7", ["(mine.yaml, line 2)", "Write a list: [0.7]"]),
    "a blank in a name": ("name: my run", ["`name` (mine.yaml, line 1)", "digits, - and _, no blanks"]),
    "an apostrophe in single quotes": ("name: x\ntitle: 'it's'", ["line 2", "write '' for ' in single quotes"]),
    "no": ("name: x\nlanguage: no", ["`language` (mine.yaml, line 2)", 'YAML reads no as true or false', 'write "no"']),
    "a language by its name": (
        "name: x\nlanguage: slovenščina",
        ["`language` (mine.yaml, line 2) can't be 'slovenščina'. It means: Language of the texts, as in"],
    ),
    "the folder of labels": ("human_labels: [data/labels/x/mood]", ["`human_labels[0]`", "as run/question"]),
    "a year": ("name: 2024", ["`name` (mine.yaml, line 1)", "as a number", 'write "2024"']),
    "a date": ("title: 2024-05-01", ["(mine.yaml, line 1) is 2024-05-01, not text", 'write "2024-05-01"']),
    "null in Python's words": ("training: {recipe: None}", ["is 'None': 'None' is not one of 'auto', null"]),
    "a switch for a word": ("training: {recipe: yes}", ["is true: true is not one of 'auto', null"]),
    "nothing for a word": ("name:", ["`name` (mine.yaml, line 1) is null, not text"]),
    "nothing in a list": ("prompts:\n  - Once\n  -", ["`prompts[1]` (mine.yaml, line 3)", 'write ""']),
    "an empty section": ("name: x\ntraining:\ncorpus: {}", ["`training` (mine.yaml, line 2)", "Nothing is written"]),
    "no blank in a list": ("prompts:\n  -Once\n  -The", ["`prompts` (mine.yaml, line 1)", "a blank behind the -"]),
    "brackets of another kind": ("prompts: (a, b)", ["Write a list: [a, b]"]),
    "no blank in a section": ("training:\n  seeds:3", ["`training` (mine.yaml, line 1)", "a blank behind the colon"]),
    "no blank in braces": ("training: {seeds:3}", ["`training.seeds:3`", "a blank behind the colon: `seeds: 3`"]),
    "no list": ("corpus:\n  paths: data/", ["`corpus.paths` (mine.yaml, line 2)", "Write a list: [data/]"]),
    "a number for false": ("inside: 0", ["`inside` (mine.yaml, line 1) is 0, not true or false"]),
    "a word for true": ("publish_texts: 'false'", ["`publish_texts` (mine.yaml, line 1)", "Write true or false"]),
    "an unknown key": ("name: x\ntrainign: {}", ["`trainign` (mine.yaml, line 2)", "did you mean `training`?"]),
    "a key in the wrong place": ("name: x\npaths: [data]", ["`paths` (mine.yaml, line 2)", "belongs below `corpus`"]),
    "a dotted key": ("corpus.paths: [data]", ["`corpus.paths` (mine.yaml, line 1)", "write `corpus:` and below it"]),
    "a template": ("__use_yte__: true\nname: x", ["`__use_yte__` (mine.yaml, line 1) is not a key"]),
}  # fmt: skip


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_refused_with_file_line_and_remedy(mine, slip):
    content, said = SLIPS[slip]
    message = refused(mine(content))
    assert "mine.yaml" in message
    for part in said:
        assert part in message


@pytest.mark.parametrize(
    "content",
    [
        "name: x\r\ntitle: t\r\n", "\ufeffname: x\ntitle: t", "name: x\ntitle: >-\n  t\n", "{name: x, title: t}",
        "base: &base\n", "name: x\ntitle: t\ntraining: {learning_rate: 1.0e-3}\n", "name: 'x'\ntitle: \"t\"\n",
    ],
)  # fmt: skip
def test_every_way_to_write_it_right_is_read(mine, content):
    if content.startswith("base"):
        content = "name: x\ntitle: t\ntraining: &t {layers: 2}\nmodels: [{name: a, tokenizer: own, <<: *t, width: 64}]"
    config = used(mine(content))
    assert (config["name"], config["title"]) == ("x", "t")


def test_a_file_below_the_folder_is_named_without_the_folder(mine, tmp_path):
    """Snakemake hands over whole paths."""
    for content in ("seed: a", "seed: [", "seed: 1\nseed: 2"):
        message = refused(mine(content).resolve())
        assert "mine.yaml" in message and str(tmp_path) not in message


def test_the_line_is_that_of_the_file_that_counts(mine):
    first, second = mine("seed: a\nthreads: x\n", "a.yaml"), mine("# a comment\nseed: b\n", "b.yaml")
    message = refused(first, second)
    assert "`seed` (b.yaml, line 2) is 'b'" in message and "`threads` (a.yaml, line 2) is 'x'" in message


def test_a_mapping_of_a_users_own_keys_that_is_not_emptied_is_told(mine):
    first = mine("corpus: {rater_columns: {mood: [anna, ben]}}", "a.yaml")
    second = mine("training: {}\ncorpus:\n  rater_columns: {}", "b.yaml")
    message = refused(first, second)
    assert "`corpus.rater_columns` (b.yaml, line 3) is {}" in message and "take out mood where it is" in message
    assert "`training`" not in message and used(mine("corpus: {rater_columns: {}}", "c.yaml"))
    # A file in front of the one with the keys takes nothing away from it: what is refused here is only the demo's.
    assert "is {}" not in refused(second, first)


def test_json_is_read_as_json(mine):
    assert used(mine(json.dumps({"name": "x", "title": "a\x7f\t"}), "c.json"))["title"] == "a\x7f\t"
    assert "a key is there twice" in refused(mine('{"name": "x", "name": "y"}', "d.json"))
    assert "is no JSON" in refused(mine('{"name": ', "e.json"))


def test_a_file_that_is_not_there_is_refused(mine):
    assert "nowhere.yaml can't be read" in refused(Path("nowhere.yaml"))


WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(WORDS, WORDS)
def test_any_text_comes_back_from_yaml_and_json(mine, author, title):
    wanted = {"author": author, "title": title}
    assert read_config(mine(yaml.safe_dump(wanted))).values == wanted
    assert read_config(mine(json.dumps(wanted), "c.json")).values == wanted


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"corpus:\n\tsource: files\n", "mine.yaml: line 2: a tab"),
        ("title: Příběhy".encode("cp1250"), "mine.yaml: line 1: the file is not in UTF-8"),
        (b"training:\n  learning_rate: 1e-3\n", "`training.learning_rate` (config/mine.yaml, line 2)"),
    ],
)
def test_snakemake_says_it(checkout, content, said):
    (checkout.root / "config" / "mine.yaml").write_bytes(content)
    done = checkout.snakemake("--dry-run", "--configfile", "config/mine.yaml")
    assert done.returncode == 1
    assert said in done.stderr.replace(f"{checkout.root}/", "")
    # Nothing else is said, but for a line that Snakemake begins with.
    assert done.stdout == "" and "What to do: " in done.stderr.splitlines()[-1]
    assert [line[0] for line in done.stderr.splitlines()[1:3]] == ["✗", " "]
