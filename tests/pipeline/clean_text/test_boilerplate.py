import pytest

from pipeline.clean_text.boilerplate import (
    find_boilerplate,
    sentence_key,
    sentences_of,
    without_boilerplate,
)

SHIPPING = "Free shipping on all orders."
WASH = "Machine wash at thirty."
KINDS = ["clothing<shirts", "clothing<hats", "clothing<socks", "clothing<belts", "clothing<scarves"]
OTHERS = ["garden<tools", "garden<pots", "garden<seeds", "garden<lamps", "garden<hoses"]


def found(texts, classes, groups=None, share=0.01):
    groups = range(len(texts)) if groups is None else groups
    named = find_boilerplate(texts, classes, groups, separator="<", share=share)
    return [(one.key, one.texts) for one in named]


def catalogue(number=100):
    """Every second text ends with the shipping, every one of clothing with how it is washed."""
    classes = [(KINDS + OTHERS)[n % 10] for n in range(number)]
    texts = []
    for n, path in enumerate(classes):
        parts = [f"Thing number {n} is nice."]
        parts += [WASH] if path.startswith("clothing") else []
        texts.append(" ".join([*parts, SHIPPING] if n % 3 else parts))
    return texts, classes


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("A red dress", ["A red dress"]),
        ("A dress. It is red!  Buy it", ["A dress.", "It is red!", "Buy it"]),
        ("Size 1.5 in, v2.0", ["Size 1.5 in, v2.0"]),
        ("Red dress | Free returns • New", ["Red dress", "Free returns", "New"]),
        (
            "\u7d05\u3044\u670d\u3002\u9001\u6599\u7121\u6599\u3002",
            ["\u7d05\u3044\u670d\u3002", "\u9001\u6599\u7121\u6599\u3002"],
        ),
        ("", []),
    ],
)
def test_sentences_end_at_stops_and_at_signs_that_part_fragments(text, parts):
    assert sentences_of(text) == parts


def test_case_blanks_and_signs_at_the_ends_make_no_other_sentence():
    assert sentence_key(" * FREE  shipping on all orders!! ") == sentence_key(SHIPPING[:-1])
    assert sentence_key("Free shipping over $50.") != sentence_key("Free shipping over $90.")


def test_a_sentence_of_unlike_classes_is_found_and_one_of_a_part_of_the_tree_is_not():
    texts, classes = catalogue()
    shipped = sum(SHIPPING in text for text in texts)
    assert found(texts, classes) == [("free shipping on all orders", shipped)]
    # In a catalogue of clothing alone the other tells nothing apart either.
    chosen = [n for n, path in enumerate(classes) if path.startswith("clothing")]
    alone = found([texts[n] for n in chosen], [classes[n] for n in chosen])
    assert [key for key, _ in alone] == ["machine wash at thirty", "free shipping on all orders"]


def test_it_is_found_whatever_the_order_of_the_items():
    texts, classes = catalogue()
    turned = found(texts[::-1], classes[::-1])
    assert turned == found(texts, classes)


def test_the_share_is_of_products_and_one_finds_none():
    texts, classes = catalogue()
    assert found(texts, classes, share=1.0) == []
    assert found(texts, classes, share=0.7) == []
    assert found(texts, classes, share=0.6) != []
    # Variants of few products, of which no sentence is everywhere.
    assert found(texts, classes, groups=[n % 19 for n in range(len(texts))]) == []


def test_what_stands_alone_or_is_short_is_never_found():
    classes = [(KINDS + OTHERS)[n % 10] for n in range(100)]
    assert found([SHIPPING] * 100, classes) == []
    assert found([f"Thing {n}. Pure cotton." for n in range(100)], classes) == []
    assert found([""] * 100, classes) == []
    assert found([], []) == []


def test_a_sentence_of_few_classes_is_kept():
    classes = [KINDS[n % 4] for n in range(100)]
    assert found([f"Thing {n}. {SHIPPING}" for n in range(100)], classes) == []


def test_a_text_is_never_emptied_and_stays_as_it_is_without_boilerplate():
    keys = {sentence_key(SHIPPING), sentence_key(WASH)}
    assert without_boilerplate(f"A red dress.  {SHIPPING} New! {WASH}", keys) == "A red dress. New!"
    for text in (SHIPPING, f"{SHIPPING} {WASH}", "A red  dress.  New!", ""):
        assert without_boilerplate(text, keys) == text
