"""The error that is written for people: what is wrong, where, and what to do."""


class UserError(Exception):
    """A problem that the user can solve; it is shown as one message without a traceback."""

    def __init__(self, what: str, *, remedy: str):
        super().__init__(what)
        self.what = what.rstrip(".")
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what}.\n  What to do: {self.remedy}"
