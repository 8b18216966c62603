"""Text cleaning: named recipes, each a sequence of single steps."""

from collections.abc import Iterable, Sequence

from pipeline.clean_text.steps import STEPS
from pipeline.core.text import fold_accents

RECIPES: dict[str, tuple[str, ...]] = {
    # Notebook A: ASCII letters, lower case, stop words but no, nor, not dropped.
    "letters": ("letters_only", "lower", "stop_words_but_negations"),
    # Notebook B. Its second round is for what num2words puts in (`forty-one`, `one hundred and
    # one`) and for numbers that the first round laid bare.
    "stemmed": (
        *("lower", "punctuation", "apostrophes", "stop_words", "single_characters"),
        *("numbers", "stem", "punctuation", "numbers", "stem", "punctuation"),
        *("stop_words", "single_characters"),
    ),
    # For languages that are not written in ASCII letters. Words are what spaces part.
    "unicode": ("casefold", "letters_of_any_script"),
    "none": (),
}


def clean_texts(texts: Iterable[str], *, recipe: str | Sequence[str], fold: bool) -> list[str]:
    """Clean every text.

    Args:
        texts: Texts as the catalogue has them.
        recipe: A name in `RECIPES`, or names in `STEPS` in the order in which they are taken.
        fold: Write accented letters in ASCII first; recipe `none` does not, it changes nothing.

    Returns:
        One clean text per text, possibly empty; words are joined by single spaces (but not with
        recipe `none`).

    Raises:
        ValueError: The recipe or a step is unknown.
    """
    steps = [STEPS[name] for name in step_names(recipe)]
    if not steps:
        return list(texts)
    cleaned = []
    for text in texts:
        if fold:
            text = fold_accents(text)
        for step in steps:
            text = step(text)
        cleaned.append(" ".join(text.split()))
    return cleaned


def step_names(recipe: str | Sequence[str]) -> Sequence[str]:
    """Names of a recipe's steps in their order; a `ValueError` where it or a step is unknown."""
    if isinstance(recipe, str):
        if recipe not in RECIPES:
            raise ValueError(f"unknown recipe {recipe!r}; known: {', '.join(RECIPES)}")
        recipe = RECIPES[recipe]
    unknown = [name for name in recipe if name not in STEPS]
    if unknown:
        raise ValueError(f"unknown step {unknown[0]!r}; known: {', '.join(STEPS)}")
    return recipe
