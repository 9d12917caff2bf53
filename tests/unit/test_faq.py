"""Each message that docs/faq.md explains is one that the code gives, word by word."""

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "faq.md").read_text(encoding="utf-8")
MESSAGES = re.findall(r"^```text\n✗ (.*?)\n  What to do: (.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL)
# What a message must have of words that don't depend on the run.
FEWEST_LETTERS = 8
ANYTHING = "(?:.|\n)*"


class Words:
    """The texts of the package's messages, as patterns: a value that is put in stands for anything."""

    def __init__(self):
        trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "workflow").rglob("*.py")]
        self.constants = defaultdict(list)
        for tree in trees:
            for node in tree.body:
                if isinstance(node, ast.Assign):
                    self.constants[ast.unparse(node.targets[0])].append(node.value)
        self.messages, self.remedies, self.problems = set(), set(), set()
        for tree in trees:
            for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
                self.read(function)

    def read(self, function):
        """Read what a function raises, advises, and finds wrong in a config."""
        local = defaultdict(list)
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                local[node.targets[0].id].append(node.value)
        # Messages about a row begin with the file's name, which is added by the function that reads the file.
        self.messages |= {f"{ANYTHING}: {pattern}{ANYTHING}" for node in local["problem"]
                       for pattern in self.patterns(node, local)}  # fmt: skip
        for node in ast.walk(function):
            if isinstance(node, ast.Call):
                if ast.unparse(node.func) == "UserError" and node.args:
                    self.messages |= set(self.patterns(node.args[0], local))
                for keyword in node.keywords:
                    if keyword.arg == "remedy":
                        self.remedies |= set(self.patterns(keyword.value, local))
            if isinstance(node, ast.Yield) and function.name.endswith("problems"):
                self.problems |= set(self.patterns(node.value, local))

    def patterns(self, node, local):
        """Yield the pattern of an expression; none where it has hardly a word of its own."""
        if isinstance(node, ast.IfExp):
            yield from (*self.patterns(node.body, local), *self.patterns(node.orelse, local))
            return
        pattern = self.pattern(node, local)
        if sum(map(str.isalpha, pattern.replace(ANYTHING, ""))) >= FEWEST_LETTERS:
            yield pattern

    def pattern(self, node, local):
        """Write the pattern of an expression; a name stands for all that the function, or a module, calls by it."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return re.escape(node.value)
        if isinstance(node, ast.JoinedStr):
            return "".join(self.pattern(part, local) for part in node.values)
        if isinstance(node, ast.FormattedValue) and node.conversion == -1 and node.format_spec is None:
            return self.pattern(node.value, local)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return self.pattern(node.left, local) + self.pattern(node.right, local)  # of numbers: any number
        choices = []
        if isinstance(node, ast.IfExp):
            choices = [node.body, node.orelse]
        elif isinstance(node, ast.Name):
            choices = local.get(node.id) or (self.constants[node.id] if node.id.isupper() else [])
        worded = [one for choice in choices if (one := self.pattern(choice, {})) != ANYTHING]
        return f"(?:{'|'.join(worded)})" if worded else ANYTHING


@pytest.fixture(scope="module")
def words():
    return Words()


def said(text, patterns):
    """Whether a text is one of the patterns; a step's name may be in front."""
    return any(re.fullmatch(f"(?:[a-z0-9/ -]+: )?{pattern}", text) for pattern in patterns)


def test_the_page_has_as_many_messages_as_blocks():
    assert len(MESSAGES) == PAGE.count("```text") == PAGE.count("\n### ") > 15


@pytest.mark.parametrize(("what", "remedy"), MESSAGES, ids=[what[:40] for what, _ in MESSAGES])
def test_a_message_is_one_that_the_code_gives(what, remedy, words):
    first, *problems = what.removesuffix(".").split("\n  - ")
    assert said(what.removesuffix("."), words.messages), what
    assert said(remedy, words.remedies), remedy
    if first == "the config can't be used:":
        assert problems and all(said(problem, words.problems) for problem in problems), problems


def test_a_message_that_nobody_gives_is_found(words):
    assert not said("the texts are too sad", words.messages) and not said("cheer them up", words.remedies)
    assert not said("`corpus.paths` is nice", words.problems)
