from dataclasses import replace
from importlib.metadata import version

import pytest

from pipeline.clean_text.golden_text import PACKAGES, TEXT, GoldenText
from pipeline.clean_text.recipes import RECIPES
from pipeline.clean_text.steps import STEPS

STEMMED = {
    "anyascii": version("anyascii"),
    "nltk": version("nltk"),
    "num2words": version("num2words"),
    "stop_words": "1",
}


def cleaned(recipe, *, fold=True):
    return GoldenText.make(recipe, fold=fold).clean_text


@pytest.mark.parametrize("step", STEPS)
def test_every_single_step_has_something_to_do(step):
    assert cleaned([step]) != " ".join(cleaned("none").split())


@pytest.mark.parametrize(
    ("recipe", "step"),
    [(name, step) for name, steps in RECIPES.items() for step in dict.fromkeys(steps)],
)
def test_every_step_of_a_recipe_can_be_told_from_the_result(recipe, step):
    without = [name for name in RECIPES[recipe] if name != step]
    assert cleaned(without) != cleaned(recipe)


@pytest.mark.parametrize("recipe", ["letters", "stemmed"])
def test_folding_can_be_told_from_the_result(recipe):
    assert cleaned(recipe, fold=False) != cleaned(recipe)


@pytest.mark.parametrize(
    ("recipe", "fold", "names"),
    [
        ("letters", True, {"anyascii", "stop_words"}),
        ("letters", False, {"stop_words"}),
        ("stemmed", True, {"anyascii", "nltk", "num2words", "stop_words"}),
        (["lower", "numbers"], False, {"num2words"}),
        (["stop_words"], False, {"stop_words"}),
        ("none", True, set()),
    ],
)
def test_the_libraries_of_the_steps_in_use_are_noted(recipe, fold, names):
    made = GoldenText.make(recipe, fold=fold)
    assert made.versions == {name: STEMMED[name] for name in sorted(names)}
    assert made.text == TEXT


def test_every_library_of_a_step_belongs_to_a_step():
    assert set(PACKAGES) < set(STEPS)


@pytest.mark.parametrize("recipe", [*RECIPES, ["lower", "stem"]])
def test_the_same_libraries_give_the_same_words(recipe):
    assert GoldenText.make(recipe, fold=True).difference(recipe, fold=True) is None


def test_another_version_that_gives_the_same_words_is_no_difference():
    made = GoldenText.make("stemmed", fold=True)
    older = replace(made, versions={**made.versions, "nltk": "3.9.1"})
    assert older.difference("stemmed", fold=True) is None


def test_a_word_that_comes_out_otherwise_is_told_with_the_versions_then_and_now():
    made = GoldenText.make(["lower", "stem"], fold=False)
    then = made.clean_text.replace(" poni ", " pony ")
    assert then != made.clean_text
    older = replace(made, clean_text=then, versions={"nltk": "3.9.1"})
    assert older.difference(["lower", "stem"], fold=False) == (
        f"nltk 3.9.1; here nltk {STEMMED['nltk']} gives other words, 'poni' for 'pony'"
    )


def test_a_lost_word_is_told_too():
    made = GoldenText.make(["stem"], fold=False)
    longer = replace(made, clean_text=f"{made.clean_text} more")
    assert (longer.difference(["stem"], fold=False) or "").endswith("'' for 'more'")


def test_another_list_of_stop_words_is_told_though_the_text_lacks_its_words():
    made = GoldenText.make("letters", fold=False)
    older = replace(made, versions={"stop_words": "0"})
    assert older.difference("letters", fold=False) == (
        "stop_words 0; here stop_words 1 gives other words"
    )


def test_a_text_of_an_earlier_program_is_compared_and_not_todays():
    made = GoldenText.make("letters", fold=True, text="The Red SHOES!")
    assert made.clean_text == "red shoes"
    assert made.difference("letters", fold=True) is None
