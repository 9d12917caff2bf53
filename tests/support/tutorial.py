"""The tutorial's blocks: what is typed, what is printed, and what is written into a file."""

import re
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"
TEXT = PAGE.read_text(encoding="utf-8")
# The first line of a config says which file it is written into.
FILE = re.compile(r"# (config/\w+\.yaml)(, at its end)?\n")


@dataclass(frozen=True)
class Block:
    """A block of code, and the lines that the page shows below it."""

    language: str
    code: str
    shown: tuple[str, ...] = ()


def blocks() -> list[Block]:
    """Return the page's commands, each with what it prints, and its configs, in their order."""
    found: list[Block] = []
    for language, code in re.findall(r"^```(\w+)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL):
        if language == "text":
            found[-1] = Block(found[-1].language, found[-1].code, tuple(code.splitlines()))
        else:
            found.append(Block(language, code))
    return found


def write(block: Block, root: Path) -> None:
    """Write a config into its file, or add it at the file's end."""
    name, at_end = FILE.match(block.code).groups()
    with (root / name).open("a" if at_end else "w", encoding="utf-8") as file:
        file.write(FILE.sub("", block.code))


def missing(block: Block, printed: str) -> list[str]:
    """List the shown lines that were not printed; `…` is in the place of anything."""
    lines = [".*".join(map(re.escape, line.split("…"))) for line in block.shown]
    return [line for line in lines if not re.search(f"^{line}$", printed, re.MULTILINE)]


def named_headings() -> set[str]:
    """Return the names of the report's parts that the page tells the reader to look at."""
    return set(re.findall(r"\*\*(.+?)\*\*", TEXT))
