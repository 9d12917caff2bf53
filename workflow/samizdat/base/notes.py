"""Read the author's own words, the file that the config's `notes` names."""

import re
from pathlib import Path

from samizdat.base.errors import UserError

# A comment at the beginning, as in the file that comes with the project, tells the author what to write.
_COMMENT = re.compile(r"\A\s*<!--.*?-->", re.DOTALL)


def read_notes(path: Path) -> str:
    """Read the notes, with or without a byte order mark, and without a comment at their beginning.

    Raises:
        UserError: the file is not UTF-8.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path} is not UTF-8: its byte {error.start} can't be read", remedy="save the file as UTF-8"
        ) from None
    return _COMMENT.sub("", text).strip()


def still_empty(config: dict[str, str]) -> str:
    """Say what of the author's own the report lacks: the name, the words; nothing where both are there."""
    lacking = [] if config["author"].strip() else ["`author` in the config"]
    lacking += [] if read_notes(Path(config["notes"])) else [f"your own words in {config['notes']}"]
    return f"Empty:    {' and '.join(lacking)}" if lacking else ""
