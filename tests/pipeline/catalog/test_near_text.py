import pytest

from pipeline.catalog.near_text import near_text, plain_text


@pytest.mark.parametrize(
    "variants",
    [
        ["Hero Hoodie-XS-Black", "Hero Hoodie-S-Blue", "hero  hoodie 2XL / Off-White"],
        ["Chaussure de course taille 42, bleu foncé", "chaussure de course noire EU 39"],
        ["Parfum Nuit 500 ml", "Parfum nuit 50ml", "Parfum Nuit"],
        ["T-Shirt Größe M dunkelblau", "T-SHIRT GRÖSSE L, weiß", "T-shirt X-Large schwarz"],
        ["Slim jeans 32x34 grey", "Slim jeans W30 L34 light blue", "Slim jeans size 10.5"],
        ["Camicia uomo bianca taglia unica", "camicia uomo blu taglia M"],
        ["Camiseta niño roja talla única", "Camiseta niño azul 5 x 7 cm"],
        ["Photo frame one size", "Photo frame small", "Photo frame 13 x 18 cm"],
        # A long description behind the title changes nothing.
        [f"Hero Hoodie {variant}. Soft, warm, made to last." for variant in ("S Red", "M", "12")],
    ],
)
def test_variants_of_one_product_are_nearly_identical(variants):
    assert len({near_text(text) for text in variants}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # Another product, another order of words, another language's shade by itself.
        ("Nike men black shirt", "Nike women black shirt"),
        ("Shirt for dress", "Dress for shirt"),
        ("Light summer jacket", "Dark summer jacket"),
        ("Gold ring with stone", "Silver ring with stone"),
        # Letters within words are no sizes, and a system without a number is a word.
        ("Xylophone toys", "Phone toys"),
        ("Sac de voyage", "Sac voyage"),
        # Too little is left to say that they are one product.
        ("Red hat", "Blue hat"),
        ("Black / S", "White / M"),
        ("42", "43"),
        ("\N{RED APPLE}", "\N{GREEN APPLE}"),
        ("", "-"),
    ],
)
def test_other_texts_are_told_apart(one, other):
    assert near_text(one) != near_text(other)


def test_a_text_that_is_left_with_too_little_stays_the_plain_text():
    assert near_text(" Red\n HAT ") == plain_text("red hat") == "red hat"


def test_equal_texts_are_nearly_identical_and_letters_have_one_form():
    assert near_text("Straße  Café red") == near_text("STRASSE CAFÉ Red")
    assert near_text("Cafe\u0301 table 3") == near_text("Caf\u00e9 table 4")
    assert near_text("男士 衬衫 M") == near_text("男士 衬衫 XL")
