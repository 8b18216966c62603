"""What a server takes from its clients, and no more."""

from dataclasses import dataclass

LONGEST_TEXT = 10_000
"""Characters of a text."""
MOST_HITS = 1000
"""Hits of a search, and classes of an item."""
SMALL_BODY = 2**16
"""Bytes of a body that is read however much is held for others."""
HELD_BODIES = 8
"""Bodies of the greatest size that are held at a time."""
CONNECTIONS = 500
"""Open connections; one more is answered with status 503."""
HEAD_SECONDS = 10.0
"""Until the head of a request is there."""


@dataclass(frozen=True)
class Limits:
    """What the one who starts the server decides."""

    max_bytes: int = 20 * 2**20
    """Of a request's body."""
    max_pixels: int = 40_000_000
    """Of a picture; decoding takes up to 12 bytes for each."""
    max_items: int = 256
    """Of a request."""
    timeout: float = 30.0
    """Seconds until a request is answered, its body and the wait for others included."""
    rate: int = 0
    """Requests of a client in a minute; 0: any number."""
    queue: int = 512
    """Items that wait for the model."""
    batch: int = 32
    """Items that the model is given at a time; a request with more goes alone."""
