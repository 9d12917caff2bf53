"""Call the pandoc that is installed as a Python package, in its sandbox, and read and change its document trees."""

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pypandoc

# What the report is written in: Quarto's Markdown without TeX of its own.
MARKDOWN = "markdown-raw_tex"

Element = dict[str, Any]


def convert(text: str, source: str, target: str, *options: str) -> str:
    """Convert text from one format to another; pandoc reads no file, makes no request and wraps no line.

    Args:
        text: the document.
        source: the format to read, in pandoc's words.
        target: the format to write.
        options: more options of pandoc.

    Raises:
        RuntimeError: pandoc fails, which is a bug, since no text should make it fail.
    """
    command = [pypandoc.get_pandoc_path(), "--sandbox", "--wrap=none"]
    done = subprocess.run(
        [*command, f"--from={source}", f"--to={target}", *options],
        input=text.encode(),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"pandoc: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout.decode()


def parse(markdown: str, source: str = MARKDOWN, *options: str) -> Element:
    """Read Markdown as a document tree (pandoc's JSON)."""
    # A table with a line longer than `columns` would get columns of fixed relative widths. Only the reader is given
    # so many columns: a writer would fill them, for example with the dashes of a horizontal rule.
    tree: Element = json.loads(convert(markdown, source, "json", "--columns=1000000000", *options))
    return tree


def unparse(document: Element, target: str, *options: str) -> str:
    """Write a document tree as text."""
    return convert(json.dumps(document), "json", target, *options)


def write(blocks: list[Element], target: str, *options: str) -> str:
    """Write blocks as text."""
    return unparse(parse("") | {"blocks": blocks}, target, *options)


def rewrite(node: Any, change: Callable[[Element], list[Element] | None]) -> Any:
    """Copy a tree and replace elements in it, from the leaves up.

    Args:
        node: a tree or a part of one.
        change: gets an element, `{"t": type, "c": content}`, and returns the elements that replace it, or None to
            keep it.
    """
    if isinstance(node, dict):
        return {key: rewrite(value, change) for key, value in node.items()}
    if not isinstance(node, list):
        return node
    result: list[Any] = []
    for item in node:
        inner = rewrite(item, change)
        replacement = change(inner) if isinstance(inner, dict) and "t" in inner else None
        result += [inner] if replacement is None else replacement
    return result


def plain_text(inlines: list[Element]) -> str:
    """Return the text of inline elements without their markup."""
    words: list[str] = []
    for inline in inlines:
        kind, content = inline["t"], inline.get("c", "")
        if kind == "Str":
            words.append(content)
        elif kind in ("Space", "SoftBreak", "LineBreak"):
            words.append(" ")
        elif kind in ("Code", "Math"):
            words.append(content[1])
        elif kind in ("Link", "Image", "Span", "Quoted", "Cite"):
            words.append(plain_text(content[1]))
        elif isinstance(content, list) and kind != "RawInline":
            words.append(plain_text(content))
    return "".join(words)
