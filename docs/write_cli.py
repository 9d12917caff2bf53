"""Write docs/cli.md from the parser of `samizdat` (`make reference`): the same text for every Python and terminal."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from samizdat.cli import make_parser

PAGE = Path(__file__).with_name("cli.md")


def page() -> str:
    """Return docs/cli.md: a table of the commands, then for each command its usage and a table of its arguments."""
    parser = make_parser()
    commands = list(commands_of(parser))
    lines = [
        "# The commands of `samizdat`",
        "",
        f"{parser.description} `make reference` writes this page; `samizdat COMMAND --help` prints the same.",
        "",
        "| command | what it does |",
        "| --- | --- |",
        *(f"| [`{name}`](#{name.replace(' ', '-')}) | {what} |" for name, what, _ in commands),
    ]
    for name, _, command in commands:
        arguments = [action for action in command._actions if action.dest != "help"]
        options = " [OPTIONS]" if any(action.option_strings for action in arguments) else ""
        positionals = "".join(f" {spelled(action)}" for action in arguments if not action.option_strings)
        usage = command.usage or f"samizdat {name}{options}{positionals}"
        lines += ["", f"## {name}", "", command.description or "", "", f"    {usage}"]
        if arguments:
            lines += ["", "| argument | meaning |", "| --- | --- |"]
            lines += [f"| `{spelled(action)}` | {action.help} |" for action in arguments]
    return "\n".join(lines) + "\n"


def commands_of(parser: argparse.ArgumentParser, above: str = "") -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    """Yield name, help and parser of each command; of a command with steps, those of its steps."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, command in action.choices.items():
                steps = list(commands_of(command, f"{above}{name} "))
                yield from steps or [(f"{above}{name}", helps[name], command)]


def spelled(action: argparse.Action) -> str:
    """Spell an argument as a usage line does: `--top-k K`, `--range LOW HIGH`, `RUN [RUN ...]`, `[WHAT ...]`."""
    several = " ".join(action.metavar) if isinstance(action.metavar, tuple) else action.metavar
    value = f"{{{','.join(action.choices)}}}" if action.choices else str(several)
    forms = {
        "?": f"[{value}]",
        "+": f"{value} [{value} ...]",
        "*": f"[{value} ...]",
        argparse.REMAINDER: f"[{value} ...]",
    }
    form = forms.get(str(action.nargs), value)
    return " ".join([*action.option_strings, *([] if action.nargs == 0 else [form])])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
