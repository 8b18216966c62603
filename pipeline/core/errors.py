"""The errors that a user's input can cause."""


class InputError(ValueError):
    """Something the user gave cannot be used.

    The message is one line: which file, row or key, what was found there, and what to do.
    Commands print it without a traceback and exit with status 1.
    """


class BadRowError(ValueError):
    """Why one row cannot be used; becomes the reason in rejected.csv."""
