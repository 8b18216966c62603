import pandas as pd

from pipeline.audit.languages import find_languages

ENGLISH = [
    "women's leather ankle boots with a side zip",
    "men's slim fit cotton shirt with short sleeves",
    "a warm winter jacket for children",
]
GERMAN = "Damen Winterjacke mit Kapuze und warmem Futter für kalte Tage"
FRENCH = "chemise homme à manches longues en coton, coupe droite"


def catalogue(*titles):
    return pd.DataFrame(
        [(f"i{n}", title, "clothing") for n, title in enumerate(titles)],
        columns=["item_id", "text", "class_path"],
    )


def test_titles_in_another_language_than_most_are_listed():
    found = find_languages(catalogue(*ENGLISH, GERMAN, *ENGLISH, FRENCH, GERMAN))
    assert found.items == {"en": 6, "de": 2, "fr": 1}
    listed = dict(zip(found.others["item_id"], found.others["language"], strict=True))
    assert listed == {"i3": "de", "i7": "fr", "i8": "de"}
    assert found.others["probability"].is_monotonic_decreasing


def test_short_names_are_not_counted():
    found = find_languages(catalogue("Puma Ducati", "XL", "Nike Air 90", "N/A"))
    assert found.items == {}
    assert found.others.empty


def test_other_scripts_are_other_languages():
    found = find_languages(catalogue(*ENGLISH, "γυναικείο χειμωνιάτικο μπουφάν"))
    assert found.others["language"].tolist() == ["el"]
