"""A text that shows whether texts are still cleaned as they were for a model.

Another version of a library may stem a word or spell a number otherwise. A model would then be
asked for words that it never saw, and its answers would only be worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import zip_longest
from typing import Self

from pipeline.clean_text.recipes import clean_texts, step_names
from pipeline.clean_text.stop_words import VERSION as STOP_WORDS_VERSION

TEXT = (
    # Accents with and without a decomposition, ligatures and full-width forms.
    "Th\u00e9se Caf\u00e9 Cre\u0300me, S\u00f8strene \u0141\u00f3d\u017a Stra\u00dfe \u00c6ther "
    "\u0153uvre \u0110or\u0111e \u00deorn \u0131\u014b\u0259 \ufb01ne \uff26\uff55\uff4c\uff4c: "
    # Case, stop words and negations, apostrophes, single characters, signs.
    "THIS was the Women\u2019s dresses & Men's T-shirts, it is NOT a no-name nor 100% x_y; `n! "
    # Numbers of every kind that has a word of its own, and one that nobody reads out.
    "0 7 007 13 20 41 101 999 1,001 12,345 1000000 20000000000 \uff12\uff10 1.5 "
    "1234567890123456789012345678901234567890123456789012345678901234567890 "
    # At least one word for each rule of Porter's stemmer (1980).
    "caresses ponies ties dying skies agreed plastered motoring conflated troubled sized hopping "
    "tanned falling hissing fizzed failing filing happy sky relational conditional rational "
    "valency hesitancy digitizer conformably radically differently vilely analogously "
    "vietnamization predication operator feudalism decisiveness hopefulness callousness formality "
    "sensitivity sensibility triplicate formative formalize electricity electrical hopeful "
    "goodness revival allowance inference airliner gyroscopic adjustable defensible irritant "
    "replacement adjustment dependent adoption homologou communism activate angularity homologous "
    "effective bowdlerize probate rate cease controlling rolling early only news innings proceed"
)
"""Every step of cleaning has something to do in it."""

PACKAGES = {"numbers": "num2words", "stem": "nltk"}
"""Steps whose result is up to a library; folding accents is up to another."""
FOLDING = "anyascii"
STOP_WORDS = "stop_words"


@dataclass(frozen=True)
class GoldenText:
    """What cleaning made of a text, and with what."""

    text: str
    clean_text: str
    versions: dict[str, str]
    """Of the libraries of the steps, and of our own list of stop words, by name."""

    @classmethod
    def make(cls, recipe: str | Sequence[str], *, fold: bool, text: str = TEXT) -> Self:
        """Clean a text here and now."""
        [clean_text] = clean_texts([text], recipe=recipe, fold=fold)
        return cls(text, clean_text, _versions(recipe, fold))

    @property
    def cleaned_with(self) -> str:
        """The versions for people to read, such as `anyascii 0.3.3, nltk 3.10.4`."""
        named = [f"{name} {number}" for name, number in self.versions.items()]
        return ", ".join(named) or "no library"

    def difference(self, recipe: str | Sequence[str], *, fold: bool) -> str | None:
        """Clean the text again and say what differs; None if the words are the same as then."""
        now = GoldenText.make(recipe, fold=fold, text=self.text)
        words = zip_longest(self.clean_text.split(), now.clean_text.split(), fillvalue="")
        changed = next(((then, here) for then, here in words if then != here), None)
        # The text has not every word of the list in it.
        if changed is None and self.versions.get(STOP_WORDS) == now.versions.get(STOP_WORDS):
            return None
        example = "" if changed is None else f", {changed[1]!r} for {changed[0]!r}"
        return f"{self.cleaned_with}; here {now.cleaned_with} gives other words{example}"


def _versions(recipe: str | Sequence[str], fold: bool) -> dict[str, str]:
    steps = step_names(recipe)
    packages = {PACKAGES[step] for step in steps if step in PACKAGES}
    if fold and steps:
        packages.add(FOLDING)
    found = {package: version(package) for package in sorted(packages)}
    if any(step.startswith(STOP_WORDS) for step in steps):
        found[STOP_WORDS] = STOP_WORDS_VERSION
    return found
