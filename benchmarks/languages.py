"""Make reports of corpora in ten languages, and check each by program: prompts, samples, letters, counts, sentences.

The texts are the messages of three programs in their translations, from packages of Debian that apt downloads (free
licences; the texts are not in this repository). Each language's texts are in files of another kind or encoding.

    make bench-languages                              those that were not made with this commit, a few minutes each
    python benchmarks/languages.py --languages ar zh  these, again

Each result is recorded when it is there, so a benchmark that was cut goes on where it was.
"""

import argparse
import csv
import gzip
import io
import json
import re
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from debian import DOWNLOADS, Package
from languages_checklist import HELD_OUT_PROMPTS, Checked, check
from record import ROOT, Figure, commit, show, write

from samizdat.base.files import write_text

PACKAGES = {
    "evolution": Package(
        "evolution-common", "3.46.4-2+deb12u1", "52e3a67ba3f2815fa864f600f5e3c2afd6ebc0b3487b50525df75006d4172b46"
    ),
    "gtk": Package(
        "libgtk-3-common", "3.24.38-2~deb12u3", "f2642d127d85440acbfc2ed404d3932d8b2fbe8a576ead7f93f35ac1fa999c92"
    ),
    "vlc": Package("vlc-l10n", "3.0.24-0+deb12u1", "11e65bcd6a1d4626b9e2d7388bb93c80edc46da82a6ca3b26d88f71edcb6f9b2"),
}
MO = re.compile(r"\./usr/share/locale/(?P<locale>\w+)/LC_MESSAGES/[\w-]+\.mo")
SHORTEST = 20  # characters of a message; a button's label is no text


@dataclass(frozen=True)
class Corpus:
    """A language, and how its files are written."""

    language: str  # ISO 639-1
    suffix: str
    encoding: str = "utf-8"
    locale: str = ""  # where it isn't the language
    delimiter: str = ","
    classifier: bool = False  # whether the demo's encoder can read the language, so that a classifier is fine-tuned
    prompts: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the run."""
        return f"language-{self.language}"


CORPORA = (
    Corpus("ar", ".csv", "utf-8-sig", prompts=("لا يمكن",)),
    Corpus("cs", ".csv", "cp1250", delimiter=";", classifier=True, prompts=("Nelze",)),
    Corpus("de", ".tsv", delimiter="\t", classifier=True, prompts=("Die Datei",)),
    Corpus("es", ".csv.gz", classifier=True, prompts=("No se puede",)),
    Corpus("he", ".jsonl", prompts=("לא ניתן",)),
    Corpus("hi", ".json", prompts=("क्या आप",)),
    Corpus("ja", ".csv", "utf-16", prompts=("この",)),
    Corpus("ru", ".csv", "cp1251", prompts=("Не удалось",)),
    Corpus("th", ".txt", prompts=("ไม่สามารถ",)),
    Corpus("zh", ".csv", "gb18030", locale="zh_CN", prompts=("无法",)),
)


def main() -> None:
    """Make and check the reports that are asked for, and record after each of them all that this commit has."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = [one.language for one in CORPORA]
    parser.add_argument("--languages", nargs="+", metavar="LANGUAGE", choices=known, default=[])
    asked = parser.parse_args().languages
    # What was measured with other code than that of a commit is shown and not kept.
    kept = ROOT / "work" / "languages" / f"{commit()}.json"
    found = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else {}
    messages = read_messages()
    for corpus in CORPORA:
        if corpus.language not in (asked or set(known) - found.keys()):
            continue
        print(f"{corpus.language}: making the report", flush=True)
        rows = write_corpus(corpus, messages[corpus.locale or corpus.language])
        finished, said = run(corpus)
        failed = Checked(corpus.language, finished=False, false=said.splitlines()[-20:])
        checked = check(corpus.language, corpus.name, rows, said) if finished else failed
        print(checked, flush=True)
        found[corpus.language] = vars(checked)
        if not kept.stem.endswith("+"):
            write_text(kept, json.dumps(found, ensure_ascii=False))
            done = [Checked(**found[one]) for one in known if one in found]
            missing = [one for one in known if one not in found]
            write("languages", figures_of(done), {"corpora": [vars(one) for one in done], "not_made": missing})
    show(figures_of([Checked(**one) for one in found.values()]))


def read_messages() -> dict[str, dict[str, list[str]]]:
    """Read the packages: locale → program → different messages, in their order."""
    found: dict[str, dict[str, list[str]]] = {}
    wanted = {corpus.locale or corpus.language for corpus in CORPORA}
    for program, package in PACKAGES.items():
        for path, content in package.files():
            match = MO.fullmatch(path)
            if match and match["locale"] in wanted:
                found.setdefault(match["locale"], {}).setdefault(program, []).extend(translations(content))
    return found


def translations(mo: bytes) -> Iterator[str]:
    """Yield the translated messages of a compiled catalogue (GNU gettext manual, "The Format of GNU MO Files")."""
    number, originals, translated = struct.unpack_from("<3I", mo, 8)
    for place in range(1, number):  # the first is the catalogue's head
        before, after = (
            mo[begin : begin + length].split(b"\0")[0].decode("utf-8")  # the first of several plurals
            for length, begin in (struct.unpack_from("<2I", mo, table + 8 * place) for table in (originals, translated))
        )
        # In Chinese and Japanese the access key stands behind the message, elsewhere before its letter.
        text = " ".join(re.sub(r"\(_\w\)|_(?=\w)", "", after).split())
        if len(text.encode()) >= SHORTEST and before != after and not re.search(r"[%<{$\\]|--", text):
            yield text


def write_corpus(corpus: Corpus, programs: dict[str, list[str]]) -> int:
    """Write the files of a corpus, one for each program in a folder of its own; return how many texts they have."""
    rows = 0
    for program, texts in programs.items():
        kept = [text for text in texts if text == text.encode(corpus.encoding, "ignore").decode(corpus.encoding)]
        rows += len(kept)
        kind = corpus.suffix.removesuffix(".gz")
        if kind == ".txt":
            content = "\n".join(kept)
        elif kind == ".json":
            content = json.dumps([{"text": text, "program": program} for text in kept], ensure_ascii=False)
        elif kind == ".jsonl":
            lines = (json.dumps({"text": text, "program": program}, ensure_ascii=False) for text in kept)
            content = "\n".join(lines)
        else:
            table = io.StringIO()
            csv.writer(table, delimiter=corpus.delimiter).writerows(
                [("text", "program"), *((text, program) for text in kept)]
            )
            content = table.getvalue()
        encoded = content.encode(corpus.encoding)
        path = folder_of(corpus) / program / f"messages{corpus.suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(encoded, mtime=0) if corpus.suffix.endswith(".gz") else encoded)
    return rows


def folder_of(corpus: Corpus) -> Path:
    """Return the folder of the corpus."""
    return DOWNLOADS / "languages" / corpus.language


def config_of(corpus: Corpus) -> dict:
    """Write what the config of a corpus changes of the tiny run's."""
    changed = {
        "name": corpus.name,
        "title": f"Samizdat: {' '.join(corpus.prompts)} …",
        "language": corpus.language,
        "corpus": {
            "source": "files", "paths": [str(folder_of(corpus).relative_to(ROOT))], "group": "folder",
            "txt_unit": "line", "txt_document": "text", "max_texts": 3000,
            "label_columns": ["program"] if corpus.classifier else [],
        },
        "tokenizers": [{"name": "own", "source": "train", "vocabulary_size": 1024}],
        "training": {"epochs": 3.0},
        "prompts": ["", *corpus.prompts],
        "sampling": {"held_out_prompts": HELD_OUT_PROMPTS, "unprompted_samples": 210, "max_new_tokens": 48},
        "classifiers": [],
    }  # fmt: skip
    if corpus.classifier:
        changed["classifiers"] = [
            {"name": "program", "source": "finetune", "label_column": "program", "languages": [corpus.language],
             "predicts": "which program a message is of", "made_for": "messages of these programs",
             "reference": "the translations themselves, which are one file for each program"}
        ]  # fmt: skip
    return changed


def run(corpus: Corpus) -> tuple[bool, str]:
    """Make the report of a corpus; return whether that went well, and what the terminal shows."""
    overlay = folder_of(corpus) / "config.yaml"
    write_text(overlay, yaml.safe_dump(config_of(corpus), allow_unicode=True))
    command = [sys.executable, "-m", "snakemake", "--cores", "all", "--configfile", "config/tiny.yaml", str(overlay)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return not done.returncode, done.stdout + done.stderr


def figures_of(found: list[Checked]) -> dict[str, Figure]:
    """Count over all corpora."""
    right = sum(one.finished and not one.false for one in found)
    return {
        "corpora": Figure("corpora that go from files to report", sum(one.finished for one in found), len(CORPORA)),
        "without_false": Figure("corpora with no false sentence by the checklist", right, len(CORPORA)),
        "replaced": Figure(
            f"of {sum(one.samples for one in found):,} samples, with a replacement character that their corpus lacks",
            sum(one.replaced for one in found), 0, True,
        ),
        "boxes": Figure("letters drawn as boxes in figures", sum(len(one.boxes) for one in found), 0, True),
        "pdf_letters": Figure(
            "letters of the corpora that no font of the PDF has", sum(len(one.pdf_letters) for one in found), 0, True
        ),
    }  # fmt: skip


if __name__ == "__main__":
    main()
