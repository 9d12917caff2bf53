"""Add a Content-Security-Policy to a page: it forbids all requests, and all scripts but the page's own."""

import base64
import hashlib
import html
import re
from html.parser import HTMLParser

# Styles may be in attributes: the page's own are, and text of the corpus never becomes markup.
_FIXED = (
    "default-src 'none'; img-src data:; font-src data:; style-src 'unsafe-inline' data:; "
    "base-uri 'none'; form-action 'none'"
)


class _Scripts(HTMLParser):
    """A parser that collects what a page runs: inline scripts, and scripts in attributes such as onclick."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.inline: list[str] = []
        self.handlers: list[str] = []
        self._open: list[str] | None = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handlers += [value or "" for name, value in attributes if name.startswith("on")]
        if tag == "script" and not dict(attributes).get("src"):
            self._open = []

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            self._open.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "script" and self._open is not None:
            self.inline.append("".join(self._open))
            self._open = None


def with_policy(page: str, *more: str) -> str:
    """Add the policy to the beginning of a page's head; every script that the page has is allowed by its hash.

    Args:
        page: the whole page.
        more: further directives.
    """
    found = _Scripts()
    found.feed(page)
    found.close()
    hashes = sorted({_hash(script) for script in [*found.inline, *found.handlers]})
    allowed = " ".join([*(["'unsafe-hashes'"] if found.handlers else []), *hashes]) or "'none'"
    policy = html.escape("; ".join([_FIXED, *more, f"script-src {allowed}"]), quote=True)
    element = f'\n<meta http-equiv="Content-Security-Policy" content="{policy}">'
    # Browsers look for the character set in the first 1,024 bytes, so it stays before the policy, which may be long.
    return re.sub(r'<head>(\s*<meta charset="utf-8"\s*/?>)?', lambda found: found.group() + element, page, count=1)


def _hash(script: str) -> str:
    """Write the hash of a script as a policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
