"""Write docs/reference-rules.md from what each rule says of itself, and from the files that Snakemake plans for it."""

import json
import logging
import os
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

PAGE = Path(__file__).with_name("reference-rules.md")
ROOT = PAGE.parents[1]
ABOUT = """\
# Every rule of the workflow

`make reference` writes this page from `workflow/rules/`, and from the files that Snakemake plans for a run with all \
rules. A rule runs the module of its name. Settings are [keys of the config](reference-config.md) on which its jobs \
depend; the corpus is the demo's. What a rule asks for counts [on a cluster](cluster.md); a second attempt asks for \
twice as much.
"""
# A run in which every rule has a job; its names are replaced by what they stand for.
CONFIG = {
    "name": "RUN",
    "play": "MODEL",
    "tokenizers": [{"name": "TOKENIZER", "source": "train", "vocabulary_size": 300}],
    "models": [{"name": "MODEL", "tokenizer": "TOKENIZER"}],
    "classifiers": [
        {"name": name, "source": source, "checkpoint": "owner/name", "label_column": "sentiment"}
        | {key: "-" for key in ("predicts", "made_for", "reference")}
        for name, source in (("CLASSIFIER", "finetune"), ("IMPORTED", "checkpoint"))
    ],
    "push": {"repository": "owner/name"},
}
GENERAL = {"RUN": "run", "TOKENIZER": "tokenizer", "MODEL": "model", "CLASSIFIER": "classifier",
           "IMPORTED": "classifier", "vaderSentiment": "package"}  # fmt: skip
# Which sections the functions of `base/configuration.py` read.
READ_BY = {
    "finetuning_settings": ("finetuning", "classifiers"),
    "scoring_settings": ("classification", "classifiers"),
    "classifier_description": ("classifiers",),
    "tokenizer_settings": ("tokenizers",),
    "model_settings": ("training", "models"),
    "training_options": ("training", "models"),
    "state_options": ("training", "models"),
}


def page() -> str:
    """Return the page: a list of the rules, then a section for each, in the order of the files."""
    jobs, sources, defined = planned_files(), rule_texts(), definitions()
    lines = [ABOUT, *(f"- [`{name}`](#{name.strip('<>').replace('<', '').replace('>', '')})" for name in sources)]
    for name, (room, text) in sources.items():
        lines += section(name, room, text, jobs.get(name, ((), ())), defined)
    return "\n".join(lines) + "\n"


def section(
    name: str, room: str, text: str, files: tuple[Iterable[str], Iterable[str]], defined: Mapping[str, str]
) -> Iterator[str]:
    """Yield the lines about one rule."""
    (about,) = re.findall(r'^\s*"""(.*?)"""$', text, re.MULTILINE)
    yield from ("", f"## {name.replace('<', '').replace('>', '')}", "", about)
    if started := re.search(r"(?:samizdat\.|code_digest\(\")(\w+)\.(\w+)", text):
        path = f"workflow/samizdat/{started[1]}/{started[2]}.py"
        yield from ("", f"Module: [`{path}`](../{path}). Rule: [`{room}`](../{room}).")
    yield from ("", "| | |", "| --- | --- |")
    for title, paths in zip(("reads", "writes"), files, strict=True):
        for number, (folder, names) in enumerate(sorted(by_folder(paths).items())):
            yield f"| {'' if number else title} | `{folder}/`: {', '.join(f'`{file}`' for file in sorted(names))} |"
    if keys := settings_of(text, defined):
        yield f"| settings | {', '.join(keys)} |"
    if words := asked(text):
        yield f"| asks for | {words} |"


def by_folder(paths: Iterable[str]) -> dict[str, set[str]]:
    """Group files by their folder, with `<model>` and the like in the place of names."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in paths:
        for name, meaning in GENERAL.items():
            path = re.sub(rf"\b{name}\b", f"<{meaning}>", path)
        path = re.sub(
            r"steps/\d+/|(?<=eight_bits/)\d+(?=\.)", lambda m: "steps/<percent>/" if "/" in m[0] else "<percent>", path
        )
        folder, _, file = path.rpartition("/")
        found[folder or "."].add(file)
    return found


def settings_of(text: str, defined: Mapping[str, str]) -> list[str]:
    """List the keys of the config that a rule's text names, itself or in the functions that it calls."""
    waiting, seen = [text], set()
    found: set[str] = set()
    while waiting:
        part = waiting.pop()
        if '"values": config}' in part:
            return ["every key"]
        found |= {f"{a}.{b}" if b else a for a, b in re.findall(r'config\["(\w+)"\](?:\["(\w+)"\])?', part)}
        found |= {f"push.{key}" for key in re.findall(r'config\["push"\]\[key\] for key in \((.*?)\)', part)}
        found |= {section for name, sections in READ_BY.items() if name in part for section in sections}
        called = {name for name in defined if re.search(rf"\b{name}\b", part)} - seen
        seen |= called
        waiting += [defined[name] for name in called]
    return [f"`{key}`" for key in sorted(key for key in found if key.partition(".")[0] not in found - {key})]


def asked(text: str) -> str:
    """Say what a rule asks of a cluster."""
    words = []
    if found := re.search(r"asks\((\d+), minutes=(\d+)(?:, megabytes_per_input=(\d+))?\)", text):
        more = f" and {found[3]} MB for each MB that it reads" if found[3] else ""
        words += [f"{int(found[1]):,} MB of memory{more}", f"{found[2]} minutes"]
    if "**training_asks" in text:
        words += ["memory by the size of the model", "480 minutes"]
    if "sampling_memory_mb" in text:
        words += ["memory by the size of the model, `threads` and `sampling.slots`", "60 minutes"]
    if "**GPU" in text or "**training_asks" in text:
        words.append("a GPU, where there is one")
    if "localrule: True" in text:
        words.append("nothing: it runs on the machine that submits the jobs")
    return "; ".join(words)


def rule_texts() -> dict[str, tuple[str, str]]:
    """Read the rules: name → its file and its text."""
    found = {}
    for path in sorted((ROOT / "workflow" / "rules").glob("*.smk")):
        # A rule's text begins behind its name, or behind `rule:` where a loop makes several; it ends before the next
        # line that is not indented.
        for name, text in re.findall(
            r"^\s*rule ?(\w*):\n(.*?)(?=^\S|^\s*rule |\Z)", path.read_text(encoding="utf-8"), re.M | re.S
        ):
            name = name or re.search(r'name:\s+f"(\w+)_\{name\}"', text)[1] + "_<model>"
            found[name] = (path.relative_to(ROOT).as_posix(), text)
    return found


def definitions() -> dict[str, str]:
    """Read the functions and constants of the rules files: name → text."""
    text = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "workflow" / "rules").glob("*.smk")))
    return dict(re.findall(r"^(?:def )?(\w+)((?: = |\().*?)(?=^[^\s)\]}])", text, re.MULTILINE | re.DOTALL))


def planned_files() -> dict[str, tuple[set[str], set[str]]]:
    """Make a dry run; return for each rule what it reads and what it writes."""
    from snakemake.cli import main as snakemake
    from snakemake_interface_logger_plugins.common import LogEvent

    found: dict[str, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))

    def collect(record: logging.LogRecord) -> bool:
        fields: dict[str, Any] = vars(record)
        if fields.get("event") == LogEvent.JOB_INFO:
            reads, writes = found[fields["rule_name"].replace("_MODEL", "_<model>")]
            reads.update(fields["input"])
            writes.update(fields["output"])
        return record.levelno > logging.INFO

    logger = logging.getLogger("snakemake.logging")
    logger.addFilter(collect)
    before = Path.cwd()
    try:
        os.chdir(ROOT)
        with tempfile.NamedTemporaryFile("w", suffix=".json") as overlay:
            json.dump(CONFIG, overlay)
            overlay.flush()
            snakemake(["--dry-run", "--quiet", "all", "--forceall", "--configfile", overlay.name, "--", "all", "push"])
    except SystemExit as end:
        if end.code:
            raise
    finally:
        os.chdir(before)
        logger.removeFilter(collect)
    return found


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
