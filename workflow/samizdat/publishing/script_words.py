"""Give the page's scripts their words in the reader's language: as metadata of the notebook, for each renderer."""

import html
import json
from collections.abc import Iterable

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
# What `report/play/play.js` says.
PLAY_WORDS = (
    message("The model can't run in this browser: {error}"),
    message("end of the text"),
    message("space"),
    message("new line"),
    message("below {percent} %"),
    message("{token}, {bits} bits, typed"),
    message("{token}, {bits} bits, written"),
    message("next"),
    message("What could follow"),
    message("What could be in its place"),
    message("With these settings {possible} of {all} tokens can be drawn here."),
    message("none: it would break a letter"),
    message("✓ it is here"),
    message("Use it"),
    message("Use {token}"),
    message("More than {most} letters; shorten it."),
    message("Tokens: {count}; the model reads at most {most}."),
    message("Tokens: {count}; the model reads at most {most}: shorten the beginning."),
    message("1 token was written, of {bits} bits on average."),
    message("{count} tokens were written, of {bits} bits on average."),
    message("The model ended the text."),
    message("The text is as long as the model can read: {most} tokens."),
    message("At {percent} % of training the text costs {bits} bits a token."),
    message("all"),
    message("{percent} %, {steps} steps"),
    message("The model is ready."),
)


def script_words(spoken: Iterable[str] = WORDS) -> str:
    """Write an element for the page's head with the words that are not English; nothing where all are."""
    said = {english: words for english in spoken if (words := said_raw(english)) != english}
    if not said:
        return ""
    content = html.escape(json.dumps(said, ensure_ascii=False), quote=True)
    return f'<meta name="words" content="{content}">'
