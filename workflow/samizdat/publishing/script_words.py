"""Give the page's scripts their words in the reader's language: as metadata of the notebook, for each renderer."""

import html
import json

from samizdat.base.language import message, said_raw

# What `report/*.js` and `report/quarto.html` say. In braces is what the scripts put there.
WORDS = (
    message("Sort; arrow keys move to other columns"),
    message("Filter rows"),
    message("Filter rows of {table}"),
    message("{shown} of {all} rows"),
    message("below"),
    message("less than"),
    message("Switch between light and dark"),
    message("Colours"),
)


def script_words() -> str:
    """Write an element for the page's head with the words that are not English; nothing where all are."""
    said = {english: words for english in WORDS if (words := said_raw(english)) != english}
    if not said:
        return ""
    content = html.escape(json.dumps(said, ensure_ascii=False), quote=True)
    return f'<meta name="words" content="{content}">'
