"""The error that is written for people: what is wrong, where, and what to do."""

import errno

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
