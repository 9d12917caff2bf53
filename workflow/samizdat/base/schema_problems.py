"""What a config has that its schema does not allow, in words: key, value, line, and what would be right."""

import datetime
import difflib
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import jsonschema

from samizdat.base.config_file import MOST_VALUES, Origin, Way

NUMBERS = {"integer", "number"}
DEEPEST = 20
LONGEST_SAID = 500  # characters
_KINDS = {
    "array": "a list", "boolean": "true or false", "integer": "a whole number", "null": "null", "number": "a number",
    "object": "a mapping of keys", "string": "text",
}  # fmt: skip
_NO_QUOTES = ", without quotes"
_UNFIT = re.compile("[\\x00\ud800-\udfff]")
# A whole number is written without a point: JSON Schema would take 2.0 for one, and no step does.
_Validator = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
    jsonschema.Draft202012Validator,
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda checker, value: type(value) is int
    ),
)


def schema_problems(config: Mapping[str, Any], schema: dict[str, Any], origins: Mapping[Way, Origin]) -> Iterator[str]:
    """Yield a sentence for each key or value that the schema does not allow.

    Args:
        config: the config, with all overlays merged.
        schema: its JSON schema.
        origins: where values are written; those without a place are not from the user's files.
    """
    unfit = list(_unfit_values(config, origins))
    if unfit:
        yield from unfit
        return
    validator = _Validator(schema)
    for error in sorted(validator.iter_errors(config), key=lambda error: [str(part) for part in error.absolute_path]):
        way = tuple(error.absolute_path)
        if error.validator == "additionalProperties" and isinstance(error.schema.get("properties"), dict):
            for key in sorted(set(error.instance) - set(error.schema["properties"]), key=str):
                hint = _hint_for_key(str(key), way, error.schema["properties"], schema)
                yield f"`{dotted_way((*way, key))}`{place(origins, (*way, key))} is not a key; {hint}"
        elif error.validator == "required":
            yield f"{dotted_way(way) or 'the config'}{place(origins, way)}: {error.message}"
        else:
            meaning = error.schema.get("description", "")
            if error.validator == "anyOf" and error.context:
                # What is wrong with a value in a mapping, else with the first kind, such as a number or `auto`.
                error = max(error.context, key=lambda inner: len(inner.absolute_path))
                way = tuple(error.absolute_path)
            told = [f"`{dotted_way(way)}`{place(origins, way)} {_shortened(_in_words(error))}"]
            told += [f"It means: {meaning.rstrip('.')}"] if meaning else []
            hint = _hint_for_value(error.instance, error.schema, origins.get(way), way)
            if hint.endswith(_NO_QUOTES) and len(way) > 1 and way not in origins:
                hint += "; behind --config, what is inside another key is always text: write it in a file"
            yield ". ".join([*told, *([hint] if hint else [])])


def _in_words(error: Any) -> str:
    """Say what a value is and why it is not allowed, with null, true, false and dates as YAML writes them."""
    value, why = _as_written(error.instance), str(error.message).removeprefix(repr(error.instance))
    if error.validator == "pattern":  # no reader knows regular expressions; the key's meaning says its form
        return f"can't be {value}"
    if error.validator == "type":
        kinds = error.schema["type"]
        return f"is {value}, not {' or '.join(_KINDS[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds))}"
    if error.validator == "enum":
        why = f" is not one of {', '.join(map(_as_written, error.schema['enum']))}"
    return f"is {value}: {value}{why}"


def _as_written(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return str(value) if isinstance(value, datetime.date) else repr(value)


def _unfit_values(config: Mapping[str, Any], origins: Mapping[Way, Origin]) -> Iterator[str]:
    """Find what no key may have, before anything looks at every value: a config may repeat itself without end."""
    waiting: list[tuple[Way, Any]] = [((), config)]
    for _ in range(MOST_VALUES):
        if not waiting:
            return
        way, value = waiting.pop()
        if len(way) > DEEPEST:
            yield f"`{dotted_way(way[:3])}` has lists or mappings in each other, {DEEPEST} and more"
            return
        if isinstance(value, Mapping):
            waiting += [(way, key) for key in value] + [((*way, key), inner) for key, inner in value.items()]
        elif isinstance(value, list):
            waiting += [((*way, number), inner) for number, inner in enumerate(value)]
        where = f"`{dotted_way(way)}`{place(origins, way)}"
        if isinstance(value, float) and not math.isfinite(value):
            yield f"{where} is {value}; write a finite number"
        elif isinstance(value, str) and _UNFIT.search(value):
            yield f"{where} has a zero or half a character, {_shortened(ascii(value))}; write it without"
    yield f"it has more than {MOST_VALUES:,} values; an alias (`*name`) may repeat a list many times"


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_SAID else f"{text[:LONGEST_SAID]}…"


def dotted_way(way: Iterable[str | int]) -> str:
    """Write the way to a value as people do: `models[0].width`."""
    text = ""
    for part in way:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def place(origins: Mapping[Way, Origin], way: Way) -> str:
    """Write where a value is written, in brackets; nothing where that is not known."""
    return f" ({origins[way]})" if way in origins else ""


def _hint_for_key(key: str, way: Way, known: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """Say which key may be meant, or where this key belongs."""
    section, _, rest = key.partition(".")
    if rest and section in known:
        return f"write `{section}:` and below it, further to the right, `{rest}:`"
    section, _, rest = key.partition(":")
    if rest and section in known:
        return f"write a blank behind the colon: `{section}: {rest}`"
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    homes = [name for name, inner in schema["properties"].items() if key in inner.get("properties", {})]
    if homes and not way and (not near or near[0] != key):
        return f"it belongs below `{'` or `'.join(homes)}`, further to the right"
    return f"did you mean `{near[0]}`?" if near else f"known keys: {', '.join(known)}"


def _hint_for_value(value: Any, schema: Mapping[str, Any], origin: Origin | None, way: Way) -> str:
    """Say what to write where YAML reads a value as something else than the user means."""
    kinds = schema.get("type", ())
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    written = origin.written if origin else ""
    if value is None and kinds & {"object", "array"}:
        return "Nothing is written under it: write its keys below it, further to the right, or delete the line"
    if "string" in kinds and written and not isinstance(value, str | list | dict) and value is not None:
        kind = (
            "true or false" if isinstance(value, bool) else "a number" if isinstance(value, int | float) else "a date"
        )
        return f'YAML reads {written} as {kind}; in quotes it is text: write "{written}"'
    if "string" in kinds and not written and isinstance(value, int | float):
        # Snakemake takes off quotation marks, and only then looks for a number.
        how = "" if len(way) > 1 else f"; behind --config: '{way[0]}=!!str {value}', in these quotes"
        return f'For text write "{value}", in quotes{how}'
    if "string" in kinds and value is None and not {"pattern", "minLength"} & schema.keys():
        return 'For no text write ""'
    if "object" in kinds and isinstance(value, str) and re.match(r"\w+:\S", value):
        return "Write a blank behind the colon of each key"
    if "array" in kinds and isinstance(value, str) and value.startswith("-"):
        return "Write a blank behind the - of each item"
    if "array" in kinds and isinstance(value, str | int | float):
        return f"Write a list: [{value.strip('()') if isinstance(value, str) else value}]"
    if "integer" in kinds and isinstance(value, float) and value.is_integer():
        thousands = f"{written.replace('.', '')} or " if re.fullmatch(r"\d{1,3}(\.\d{3})+", written) else ""
        return f"Write {thousands}{int(value)}, without a point"
    if isinstance(value, str) and kinds & NUMBERS:
        number = _as_number(value, whole="number" not in kinds)
        return f"YAML reads it as text; write {number!r}{_NO_QUOTES}" if number is not None else ""
    if isinstance(value, str | int) and "boolean" in kinds:
        how = "" if len(way) > 1 else " (behind --config: True or False)"
        return f"Write true or false{_NO_QUOTES}{how}"
    return ""


def _as_number(text: str, *, whole: bool) -> float | int | None:
    """Read a number as people write it: with an exponent but no point, a decimal comma, a percent sign, blanks, in
    quotes. Only whole numbers where another can't be meant; they are no shares, so 10 % is 10 and 1,000 a thousand.
    """
    between_thousands = r"[\s,]" if whole else r"\s"
    digits = re.sub(rf"(?<=\d){between_thousands}(?=\d{{3}}(?!\d))", "", text.strip()).replace(",", ".")
    try:
        number = float(digits.removesuffix("%"))
    except ValueError:
        return None
    number = round(number / 100, 12) if digits.endswith("%") and not whole else number
    if not math.isfinite(number):
        return None
    if number.is_integer() and abs(number) < 1e15:
        return int(number)
    return None if whole else number
