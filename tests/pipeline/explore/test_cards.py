from html import unescape

from pipeline.explore.cards import show_hits, show_note
from pipeline.index.hit import Hit

ATTACK = "<script>alert(1)</script>\"'${alert(2)}{{alert(3)}}"


def test_texts_and_classes_are_escaped():
    html = show_hits([Hit(7, "id", "a.png", ATTACK, f"bags|{ATTACK}", 0.25)], ATTACK, "|")
    assert "<script" not in html
    assert unescape(html).count("<script>alert(1)</script>") == 3
    assert "<script" not in show_note(ATTACK)


def test_a_card_names_its_item_by_number_alone():
    html = show_hits([Hit(7, "id", "secret/a.png", "bag", "bags<big", 0.25)], "all", "<")
    assert 'src="picture/7"' in html
    assert 'data-row="7"' in html
    assert "secret" not in html
    assert "distance 0.250<" in html
    assert "bags \u203a big" in html


def test_a_card_says_how_many_of_the_words_it_has():
    html = show_hits([Hit(7, "id", "a.png", "bag", "bags<big", 0.25, 0.5)], "all", "<")
    assert "distance 0.250, words 0.50<" in html


def test_a_card_lists_what_its_item_is_said_to_be():
    said = {"brand": ATTACK, "price": 9.5, "sale": True, "colour": None}
    hit = Hit(7, "id", "a.png", "bag", "bags<big", 0.25, attributes=said)
    html = show_hits([hit], "all", "<")
    assert "<script" not in html
    assert "<dt>price</dt><dd>9.5</dd><dt>sale</dt><dd>true</dd></dl>" in html
    assert "colour" not in html
    assert "<dl>" not in show_hits([hit._replace(attributes={})], "all", "<")


def test_of_several_pictures_the_one_that_was_found_is_asked_for():
    html = show_hits([Hit(7, "id", "b.png", "bag", "bags", 0.25, picture=12)], "all", "<")
    assert 'src="picture/12"' in html
    assert 'data-row="7"' in html
