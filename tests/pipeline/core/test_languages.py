from pipeline.core.languages import identify_languages


def test_long_enough_texts_are_certain_and_names_are_not():
    german = "Damen Winterjacke mit Kapuze und warmem Futter für kalte Tage"
    found = identify_languages(
        [german, "тёплая зимняя женская куртка под капюшоном", "Puma Ducati"]
    )
    assert [one.language for one in found.values()][:2] == ["de", "ru"]
    assert [one.is_certain for one in found.values()] == [True, True, False]
    assert all(0 <= one.probability <= 1 for one in found.values())
    assert identify_languages([]) == {}
