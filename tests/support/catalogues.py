"""Collect the report's messages and bring the catalogues of all languages up to date: `make messages`."""

import ast
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from babel.messages import Catalog
from babel.messages.pofile import read_po, write_po

from samizdat.base.language import CATALOGUES, ENGLISH, LANGUAGES
from samizdat.publishing.document_words import translated, translated_page

ROOT = Path(__file__).parents[2]
DOCUMENTS = (ROOT / "report" / "index.qmd", ROOT / "report" / "comparison" / "index.qmd")
PAGES = (ROOT / "report" / "play" / "play.html",)
# Function → which arguments are the words: of a sentence, or of its singular and plural.
SPOKEN = {"say": (0,), "said_raw": (0,), "message": (0,), "plural": (0, 1), "counted": (1, 2)}
MESSAGE = str | tuple[str, str]


def template() -> Catalog:
    """Collect all messages, in the order of the files, each with the files that say it."""
    catalogue = Catalog(charset="utf-8")
    for path in sorted((ROOT / "workflow" / "samizdat").rglob("*.py")):
        _add(catalogue, path, in_code(path.read_text(encoding="utf-8")))
    for paths, translate in ((DOCUMENTS, translated), (PAGES, translated_page)):
        for path in paths:
            _add(catalogue, path, in_document(path.read_text(encoding="utf-8"), translate))
    return catalogue


def in_code(source: str) -> Iterator[MESSAGE]:
    """Yield the messages of a module; words that are put together when the program runs can't be one."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    for node in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        if isinstance(node.func, ast.Name) and node.func.id in SPOKEN:
            given = [node.args[place] for place in SPOKEN[node.func.id] if place < len(node.args)]
            words = [one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            assert words or not isinstance(given[0], ast.JoinedStr | ast.BinOp), f"not a literal: {ast.unparse(node)}"
            if len(words) == len(SPOKEN[node.func.id]):
                yield words[0] if len(words) == 1 else (words[0], words[1])


def in_document(document: str, translate: Callable[[str, Callable[[str], str]], str] = translated) -> list[MESSAGE]:
    """List the messages of a document, or of a page."""
    found: list[MESSAGE] = []
    translate(document, lambda words: found.append(words) or words)
    return found


def read(language: str) -> Catalog:
    """Read a language's catalogue; an empty one where there is none."""
    path = CATALOGUES / f"{language}.po"
    if not path.is_file():
        return Catalog(locale=language, charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=language)


def up_to_date(catalogue: Catalog, messages: Catalog) -> str:
    """Write a catalogue with all messages and no others; a new message has no translation yet."""
    catalogue.update(messages, no_fuzzy_matching=True)
    written = io.BytesIO()
    write_po(written, catalogue, width=0, include_lineno=False, ignore_obsolete=True)
    # Dates and names of the header would change with each update.
    kept = r'^(?:#.*\n)+(?=msgid ""\nmsgstr ""\n)|^"(?!Language:|Plural-Forms|MIME|Content)[A-Z][\w-]+: .*\n'
    return re.sub(kept, "", written.getvalue().decode(), flags=re.MULTILINE)


def _add(catalogue: Catalog, path: Path, messages) -> None:
    for one in messages:
        catalogue.add(one, locations=[(path.relative_to(ROOT).as_posix(), 0)])


def main() -> None:
    """Write all catalogues, and say how many messages have no translation yet."""
    for language in LANGUAGES:
        if language != ENGLISH:
            messages = template()  # anew: an update writes translations into it, which the next language would get
            catalogue = read(language)
            (CATALOGUES / f"{language}.po").write_text(up_to_date(catalogue, messages), encoding="utf-8")
            missing = [one for one in read(language) if one.id and not all(as_forms(one.string))]
            print(f"{language}: {len(messages)} messages, {len(missing)} without a translation")


def as_forms(words: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """Return the forms of a message: one, or those of singular and plural."""
    return (words,) if isinstance(words, str) else tuple(words)


if __name__ == "__main__":
    main()
