"""The command-line options of a stage, made from the signature of its function."""

import argparse
import contextlib
import json
import sys
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any


def option_text(value: Any) -> str:
    """Write a value as the text of an option: a string unchanged, any other value as JSON.

    A string that is `null`, with or without double quotes around it, gets double quotes: `null` alone means None.
    """
    if not isinstance(value, str):
        return json.dumps(value, sort_keys=True)
    return f'"{value}"' if value.strip('"') == "null" else value


def _string(text: str) -> str:
    """Return the string that `option_text` wrote."""
    return text[1:-1] if text.strip('"') == "null" and text[0] == text[-1] == '"' else text


def parameters_of(stage: Callable[..., Any]) -> dict[str, Any]:
    """Return the type of each parameter of a stage."""
    hints = typing.get_type_hints(stage)
    hints.pop("return", None)
    return hints


def add_options(parser: argparse.ArgumentParser, parameters: Mapping[str, Any]) -> None:
    """Add a required option for each parameter; for a parameter that is a dataclass, one for each of its fields.

    JSON may be on the standard input, with `-` in its place, since Linux allows one argument no more than 128 KiB.
    """
    for name, hint in parameters.items():
        options = typing.get_type_hints(hint) if is_dataclass(hint) else {name: hint}
        for option, kind in options.items():
            flag = f"--{option.replace('_', '-')}"
            parser.add_argument(flag, dest=option, required=True, type=_converter(kind), metavar=_metavar(kind))


def arguments_for(parameters: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments to call the stage with, from the values of its options."""
    return {
        name: hint(**{field.name: values[field.name] for field in fields(hint)})
        if isinstance(hint, type) and is_dataclass(hint)
        else values[name]
        for name, hint in parameters.items()
    }


def _metavar(kind: Any) -> str:
    return {str: "TEXT", Path: "PATH"}.get(kind, f"JSON:{getattr(kind, '__name__', kind)}")


def _converter(kind: Any) -> Callable[[str], Any]:
    """Return the function that turns an option's text into a value of type `kind`.

    It raises ValueError for a wrong text, which argparse reports with the name of the option.
    """
    if kind is str:
        return _string
    if kind is Path:
        return lambda text: Path(_string(text))

    def convert(text: str) -> Any:
        allowed = typing.get_args(kind) if typing.get_origin(kind) in (types.UnionType, typing.Union) else (kind,)
        if text == "null" and type(None) in allowed:
            return None
        if any(text in typing.get_args(choice) for choice in allowed if typing.get_origin(choice) is typing.Literal):
            return text
        # A mapping in the place of a string, such as a file pattern with its value, is JSON.
        if str in allowed and text.startswith("{") and any(typing.get_origin(choice) is dict for choice in allowed):
            with contextlib.suppress(ValueError):
                return json.loads(text)
        for plain in (str, Path):
            if plain in allowed:
                return plain(_string(text))
        value = json.loads(sys.stdin.read() if text == "-" else text)
        for choice in allowed:
            origin = typing.get_origin(choice) or choice
            if origin is tuple and isinstance(value, list):
                return tuple(Path(item) if Path in typing.get_args(choice) else item for item in value)
            if origin is float and type(value) in (int, float):
                return float(value)
            if type(value) is origin:
                return value
        raise ValueError(text)

    convert.__name__ = _metavar(kind)
    return convert
