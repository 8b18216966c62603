import pytest

from pipeline.clean_text.recipes import clean_texts


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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Worked by hand: lower case, signs and apostrophes out, stop words and single characters
        # out, 41 -> forty-one, stems forty-on and women, hyphen out, stop word `on` out.
        ("The Women's Running Shoes, size 41", "women run shoe size forti"),
        ("101 Dalmatians", "one hundr one dalmatian"),
        ("Men's T-Shirt (2 pack)", "men shirt pack"),
        ("Chloé 5", "chloe"),
        ("no", ""),
        ("", ""),
    ],
)
def test_stemmed_recipe(text, expected):
    assert clean_texts([text], recipe="stemmed", fold=True) == [expected]


def test_numbers_leave_no_hyphens_commas_or_stop_words_behind():
    texts = ["41", "101", "1,234,567 pieces", "999 and 1001"]
    for cleaned in clean_texts(texts, recipe="stemmed", fold=True):
        assert cleaned
        assert all(word.isalpha() and len(word) > 1 for word in cleaned.split())
        assert not {"and", "the", "of"} & set(cleaned.split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Красное ПЛАТЬЕ, размер 42", "красное платье размер"),
        ("猫の顔 (2個)", "猫の顔 個"),
        # Vowel signs are letters' own; so is what no single character has built in.
        ("लाल पोशाक 5", "लाल पोशाक"),
        ("เสื้อ-แดง", "เสื้อ แดง"),
        ("קָפֶה", "קָפֶה"),
        ("The bag is NOT red", "the bag is not red"),
        ("Chloé", "chloe"),
        ("42", ""),
    ],
)
def test_the_unicode_recipe_keeps_the_letters_of_every_script(text, expected):
    assert clean_texts([text], recipe="unicode", fold=True) == [expected]


def test_the_unicode_recipe_knows_one_spelling_of_a_letter():
    composed, decomposed = (
        "CAF\u00c9 Gr\u00f6\u00dfe \u0419",
        "cafe\u0301 gro\u0308sse \u0438\u0306",
    )
    expected = ["caf\u00e9 gr\u00f6sse \u0439"] * 2
    assert clean_texts([composed, decomposed], recipe="unicode", fold=False) == expected


def test_none_leaves_a_text_as_it_is():
    texts = ["  Chloé's  BAG!", "", "日本"]
    assert clean_texts(texts, recipe="none", fold=True) == texts


def test_single_steps_are_taken_in_their_order():
    text = "Été: 3 SHOES"
    assert clean_texts([text], recipe=["lower", "punctuation", "stem"], fold=True) == ["ete 3 shoe"]
    assert clean_texts([text], recipe=["lower"], fold=False) == ["été: 3 shoes"]
    # Before the lower case there is no stop word `the`.
    assert clean_texts(["THE bag"], recipe=["stop_words", "lower"], fold=True) == ["the bag"]


def test_cleaning_a_clean_text_changes_nothing():
    for text in ("Charlotte Tilbury - Show Girl", "It is not a bag", "Chloé & co"):
        assert clean(clean(text)) == clean(text)


def test_texts_keep_their_order_and_number():
    texts = ["Red shirt", "", "!!!", "blue hat"]
    assert clean_texts(texts, recipe="letters", fold=True) == ["red shirt", "", "", "blue hat"]


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ("words", "unknown recipe 'words'; known: letters"),
        (["upper"], "unknown step 'upper'; known: lower"),
    ],
)
def test_an_unknown_name_is_misuse(recipe, message):
    with pytest.raises(ValueError, match=message):
        clean_texts(["a"], recipe=recipe, fold=True)
