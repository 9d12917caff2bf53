"""The error that is written for people: what is wrong, where, and what to do."""

import errno
import os

# What a system says of a disk that is full or can't be written: the user's to mend, and no fault of a file or of ours.
DISK_ERRORS = (errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT)
# And of one that fails, also a file server's, and of limits on files.
FAILING_ERRORS = (errno.EIO, errno.ESTALE, errno.EFBIG, errno.EMFILE, errno.ENFILE)


class UserError(Exception):
    """A problem that the user can solve; it is shown as one message without a traceback."""

    def __init__(self, what: str, *, remedy: str):
        super().__init__(what)
        self.what = what.rstrip(" .")
        self.remedy = remedy

    def __str__(self) -> str:
        stop = "" if self.what.endswith(("?", "!", "…")) else "."
        return f"{self.what}{stop}\n  What to do: {self.remedy}"


def disk_problem(error: Exception) -> UserError | None:
    """Say in words that a disk is full, read-only or fails; None for any other error."""
    free = "free some disk space or make the folder writable, then run the same command again"
    if isinstance(error, OSError) and error.errno in (*DISK_ERRORS, *FAILING_ERRORS):
        said = f"{error.strerror}{f' ({error.filename})' if error.filename else ''}"
        look = (
            "look at the disk or file server, and at the limits on files (`ulimit -a`), then run the same command again"
        )
        return UserError(said, remedy=look if error.errno in FAILING_ERRORS else free)
    # Errors of safetensors, tokenizers and SQLite have no error number, only a message.
    messages = [*(os.strerror(number) for number in DISK_ERRORS), "database or disk is full", "readonly database"]
    found = next((message for message in messages if message in str(error)), None)
    return UserError(found, remedy=free) if found else None
