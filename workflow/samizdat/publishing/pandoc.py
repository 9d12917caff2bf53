"""The pandoc that ships as a wheel: called in its sandbox, and its document tree walked."""

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pypandoc

# What the report is written in: Quarto's Markdown without TeX of its own.
MARKDOWN = "markdown-raw_tex"

Element = dict[str, Any]


def convert(text: str, source: str, target: str, *options: str) -> str:
    """Convert text; pandoc reads no file, fetches nothing and breaks no line.

    Raises:
        RuntimeError: pandoc refuses the text, which no input may bring about.
    """
    command = [pypandoc.get_pandoc_path(), "--sandbox", "--wrap=none"]
    done = subprocess.run(  # noqa: S603
        [*command, f"--from={source}", f"--to={target}", *options],
        input=text.encode(),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"pandoc: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout.decode()


def parse(markdown: str, source: str = MARKDOWN, *options: str) -> Element:
    """The document tree of Markdown (pandoc's JSON)."""
    # A line longer than `columns` would give its table columns of fixed relative widths. Only reading may have
    # so many: a writer fills them, with the dashes of a rule for one.
    return json.loads(convert(markdown, source, "json", "--columns=1000000000", *options))


def unparse(document: Element, target: str, *options: str) -> str:
    """A document tree as text."""
    return convert(json.dumps(document), "json", target, *options)


def rewrite(node: Any, change: Callable[[Element], list[Element] | None]) -> Any:
    """A copy of a tree in which `change` was asked, from the leaves up, what shall stand for each element.

    `change` gets `{"t": type, "c": content}` and gives a list of elements, or None to leave it.
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
    """The words of inline elements."""
    words = []
    for inline in inlines:
        kind, content = inline["t"], inline.get("c")
        if kind == "Str":
            words.append(content)
        elif kind in ("Space", "SoftBreak", "LineBreak"):
            words.append(" ")
        elif kind in ("Code", "Math"):
            words.append(content[1])
        elif kind in ("Link", "Image", "Span", "Quoted", "Cite"):
            words.append(plain_text(content[1]))
        elif isinstance(content, list):
            words.append(plain_text(content))
    return "".join(words)
