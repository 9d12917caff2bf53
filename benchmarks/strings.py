"""Put forty hostile strings into every string field of a config and of a bundle's manifest; count those that run.

    python benchmarks/strings.py          adds its rows to those of reproducibility
    python benchmarks/strings.py --quick  three strings; records nothing

A field refuses a string, or it is data. What a config accepts is given to a program through a shell, as the rules do:
the program must get the same value, and no command may run. A file would appear if one did. That each field of the
rules' own shell lines is quoted is a test (`tests/integration/test_hostile_config.py`).
"""

import argparse
import copy
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from record import ROOT, Figure, add, record_of, show

from samizdat.base.errors import UserError
from samizdat.base.rule_params import options
from samizdat.records.io import parse_document
from samizdat.records.run import Manifest
from samizdat.runs.names import check_names

RUN = "touch PWNED"
WAYS = (
    "$({})", "`{}`", ";{};", "|{}", "||{}", "&{}&", "&&{}", "\n{}\n", "'$({})'", '"$({})"', "'; {}; '", '"; {}; "',
    "$(({}))", "<({})", ">({})", "${{x:-$({})}}", "\\$({})", "'\"'`{}`'\"'", "#\n{}", "-x $({})", "--config=$({})",
    "~/$({})", "*$({})*", "{{$({})}}", "{{config}};{}", "{{{{x}}}};{}", "%s;{}", "\t;{}\t", "../;{};", "/tmp/;{}",
    "!{}", "$'{}'", "$'\\x60{}\\x60'", "\\\n;{}", "é;{}", "’;{};‘", "\u2028{}", "eval {}", "a b;{}", "x.md;{}",
)  # fmt: skip
STRINGS = [way.format(RUN) for way in WAYS] + [way.format("touch${IFS}PWNED") for way in WAYS if " " not in way]
STRINGS = STRINGS[:40]
TELLER = "import json, sys; print(json.dumps(sys.argv[1:]))"


def config_figures(strings: list[str], folder: Path) -> dict[str, Figure]:
    """Put each string into each field of the config."""
    sys.path.insert(0, str(ROOT / "tests"))
    from support.hostile_config import KEYS, accepted, base, with_text

    tried = taken = ran = 0
    # Some keys of the corpus are only for a dataset of the Hub.
    for source, keys in (("files", KEYS), ("hub", [way for way in KEYS if way[0] == "corpus"])):
        config = base(source)
        for way in keys:
            changed = [with_text(config, way, text) for text in strings]
            data = [values for values in changed if accepted(values)]
            tried, taken = tried + len(changed), taken + len(data)
            ran += 0 if not data or are_data(data, folder) else len(data)
    return {
        "string_fields": Figure("string fields of the config", len(KEYS)),
        "strings_tried": Figure("hostile strings put into them, in configs of two kinds of corpora", tried),
        "strings_accepted": Figure("of these: accepted as data, the others refused", taken),
        "strings_run": Figure("of the accepted: run, or given to a program as another value", ran, 0, True),
    }


def are_data(configs: list[dict[str, Any]], folder: Path) -> bool:
    """Whether a program gets configs through a shell as they are, and nothing else happens."""
    words = " ".join(options({"values": config})(None) for config in configs)
    script = folder / "script.sh"  # a command line has a limit for each word
    script.write_text(f"{sys.executable} -S -c '{TELLER}' {words}\n", encoding="utf-8")
    done = subprocess.run(["bash", "script.sh"], cwd=folder, capture_output=True, text=True, check=False)
    got = json.loads(done.stdout) if done.returncode == 0 and not done.stderr else []
    same: bool = got == [f"--values={json.dumps(config, sort_keys=True)}" for config in configs]
    return same and [path.name for path in folder.iterdir()] == ["script.sh"]


def bundle_figures(strings: list[str], folder: Path) -> dict[str, Figure]:
    """Put each string into each string field of a manifest, keys included; count those accepted as a file's name."""
    document = {
        "run": "tiny", "artefacts": {"corpus/texts.parquet": "0" * 64}, "versions": {"torch": "2"}, "python": "3.11.0",
        "inputs": {"data/a.txt": "0" * 64, "report/notes.md": "0" * 64}, "commit": "0" * 40, "clean": True,
        "config": {"name": "tiny", "notes": "report/notes.md", "publish_texts": True, "models": [{"name": "m"}],
                   "corpus": {"paths": ["data"]}, "title": "x"},
        "rules": [["a", "b"]],
    }  # fmt: skip
    check_names(parse_document(Manifest, json.dumps(document).encode(), Path("x.zip")), Path("x.zip"))
    tried = names = 0
    for way in places(document):
        for text in strings:
            tried += 1
            try:
                content = json.dumps(put(document, way, text)).encode()
                check_names(parse_document(Manifest, content, Path("x.zip")), Path("x.zip"))
            except UserError:
                continue
            # Only texts that no path and no command is made of may be anything; words may be a file's name.
            free = way[0] in ("versions", "python", "commit", "rules") or way[:2] == ("config", "title")
            names += not free and re.fullmatch(r"[\w ]+", text) is None
    return {
        "bundle_strings": Figure("hostile strings put into the fields of a bundle's manifest", tried),
        "bundle_names": Figure("of these: accepted where a name, a hash or a path is", names, 0, True),
    }


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to each string of nested mappings and lists; a way that ends in None is to a key itself."""
    if isinstance(value, str):
        yield way
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if way and way[0] in ("artefacts", "inputs"):
            yield (*way, key, None)
        yield from places(inner, (*way, key))


def put(document: dict[str, Any], way: tuple[Any, ...], text: str) -> dict[str, Any]:
    """Put a text into one place of a copy."""
    changed: Any = copy.deepcopy(document)
    named = way[-1] is None
    *parents, last = way[:-1] if named else way
    place = changed
    for key in parents:
        place = place[key]
    if named:
        place[text] = place.pop(last)
    else:
        place[last] = text
    return changed  # type: ignore[no-any-return]


def main() -> None:
    """Count, show and record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    strings = STRINGS[:3] if quick else STRINGS
    os.chdir(ROOT)
    with tempfile.TemporaryDirectory(prefix="samizdat-strings-") as name:
        figures = config_figures(strings, Path(name)) | bundle_figures(strings, Path(name))
    show(figures)
    if not quick:
        add("reproducibility", record_of(figures, {"hostile_strings": strings}))


if __name__ == "__main__":
    main()
