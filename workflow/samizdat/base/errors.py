"""The one kind of error that is meant for people: what is wrong, where, and what to do."""


class UserError(Exception):
    """Something that the user can mend: shown as one message without a traceback."""

    def __init__(self, what: str, *, remedy: str):
        super().__init__(what)
        self.what = what.rstrip(".")
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what}.\n  What to do: {self.remedy}"
