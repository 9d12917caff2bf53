"""Codes of languages, as people mistake them."""

import re


def code_problem(code: str) -> str | None:
    """Say why a code in the form of HTML's `lang` is none of a language; None where it may be one.

    All codes of two letters are known (ISO 639-1). People confuse them with those of countries: cz, jp, ua.
    """
    from babel.core import get_global

    language = re.split("[-_]", code.lower())[0]
    known = get_global("likely_subtags")
    if len(language) != 2 or language in known or language in get_global("language_aliases"):
        return None
    spoken = known.get(f"und_{language.upper()}", "").partition("_")[0]
    hint = f"it is a country, whose language is {spoken}" if spoken else "use a code of ISO 639-1, such as cs or en"
    return f"{language!r} is the code of no language; {hint}"
