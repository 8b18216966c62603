"""Which language a text is in, where it is long enough to tell."""

import functools
from collections.abc import Iterable
from typing import Any, NamedTuple

LEAST_CERTAIN = 0.6
"""Probability from which a title's language is believed. Names of brands and products look like
any language; of 19,629 English fashion titles one is taken for another from here on, a German
perfume's, of 3,944 names of emojis five."""


class Identified(NamedTuple):
    """What a text looks like."""

    language: str
    """ISO 639 code."""
    probability: float

    @property
    def is_certain(self) -> bool:
        """Whether the language is believed; that of most titles is not, so short are they."""
        return self.probability >= LEAST_CERTAIN


def identify_languages(texts: Iterable[str]) -> dict[str, Identified]:
    """Identify the language of every distinct text.

    By py3langid (Lui and Baldwin 2012), which knows 100 languages and needs some 25 microseconds a
    title.
    """
    found = {text: _identifier().classify(text) for text in texts}
    return {text: Identified(code, float(share)) for text, (code, share) in found.items()}


@functools.cache
def _identifier() -> Any:
    # Takes a moment to import and to load, which those who ask for nothing need not wait for.
    from py3langid import langid

    return langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)
