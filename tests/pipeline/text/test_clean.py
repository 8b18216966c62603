import pytest

from pipeline.text.clean import clean_texts, fold_accents


def clean(text, *, fold=True):
    return clean_texts([text], recipe="letters", fold=fold)[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Charlotte Tilbury  Hollywood Lips Matte Contour Liquid Lipstick - Show Girl ",
            "charlotte tilbury hollywood lips matte contour liquid lipstick show girl",
        ),
        ("Chloé", "chloe"),
        ("aeydē", "aeyde"),
        ("5XL-T-shirt, 100% cotton", "xl shirt cotton"),
        ("The bag of the year", "bag year"),
        ("It is not a bag, no, nor a NOTE", "not bag no nor note"),
        ("THE Bag", "bag"),
        ("a\tb\nred", "b red"),
        ("\ufb01ne \uff26\uff55\uff4c\uff4c", "fine full"),
        ("日本 2000", ""),
        ("the and of", ""),
        ("", ""),
    ],
)
def test_letters_recipe(text, expected):
    assert clean(text) == expected


def test_without_folding_an_accented_letter_ends_the_word():
    assert clean("Chloé Bôhème", fold=False) == "chlo b h"
    assert clean("plain words", fold=False) == "plain words"


def test_folding_alone_keeps_case_and_signs():
    assert fold_accents("Crème Brûlée, Ångström & Żółć!") == "Creme Brulee, Angstrom & Zolc!"


def test_cleaning_a_clean_text_changes_nothing():
    for text in ("Charlotte Tilbury - Show Girl", "It is not a bag", "Chloé & co"):
        assert clean(clean(text)) == clean(text)


def test_texts_keep_their_order_and_number():
    texts = ["Red shirt", "", "!!!", "blue hat"]
    assert clean_texts(texts, recipe="letters", fold=True) == ["red shirt", "", "", "blue hat"]


def test_an_unknown_recipe_is_misuse():
    with pytest.raises(ValueError, match="unknown recipe 'words'; known: letters"):
        clean_texts(["a"], recipe="words", fold=True)
