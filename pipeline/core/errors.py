"""The errors that a user's input can cause."""


class InputError(ValueError):
    """Something the user gave cannot be used.

    The message is one line: which file, row or key, what was found there, and what to do. Several
    mistakes at once, as in params.yaml, are a line each.
    Commands print it without a traceback and exit with status 1.
    """

    def __init__(self, *mistakes: str) -> None:
        """Take a line per mistake; one that a library broke into several is joined."""
        super().__init__(*map(_joined, mistakes))

    def __str__(self) -> str:
        return "\n".join(self.args)


class BadRowError(ValueError):
    """Why one row cannot be used; becomes the reason in rejected.csv."""

    def __init__(self, reason: str) -> None:
        """Take the reason; one that a library broke into several lines is joined."""
        super().__init__(_joined(reason))


def _joined(message: str) -> str:
    lines = message.splitlines()
    # As it is written but for that: what is quoted may have blanks.
    return message if len(lines) < 2 else " ".join(filter(None, map(str.strip, lines)))
