"""Numbers of things as people say them, in what commands print."""


def counted(number: int, thing: str) -> str:
    """Say how many there are of something.

    Args:
        number: How many.
        thing: What one of them is called.

    Returns:
        For example `no rows`, `1 row` or `2 rows`.
    """
    if number == 1:
        return f"1 {thing}"
    ending = "es" if thing.endswith("ss") else "s"
    return f"{number or 'no'} {thing}{ending}"


def times(number: int) -> str:
    """Say how often something was: `once` or `2 times`."""
    return "once" if number == 1 else f"{number} times"
