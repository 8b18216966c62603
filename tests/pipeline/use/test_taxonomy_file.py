import pytest

from pipeline.core.errors import InputError
from pipeline.use.taxonomy_file import read_taxonomy

ANIMALS, PETS = "Animals & Pet Supplies", "Pet Supplies"
PLAIN = f"{ANIMALS}\n{ANIMALS} > {PETS}\n"
GOOGLE = "# Google_Product_Taxonomy_Version: 2021-09-21\n"
SHOPIFY = """# Shopify Product Taxonomy - Categories: 2026-08-unstable
# Format: {GID} : {Ancestor name} > ... > {Category name}

gid://shopify/TaxonomyCategory/ap    : Animals & Pet Supplies
gid://shopify/TaxonomyCategory/ap-2-1: Animals & Pet Supplies > Pet Supplies
"""


@pytest.fixture
def write(tmp_path):
    def write(content):
        path = tmp_path / "other.txt"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize(
    ("content", "ids"),
    [
        (GOOGLE + PLAIN, ["", ""]),
        ("\ufeff" + (GOOGLE + PLAIN).replace("\n", "\r\n"), ["", ""]),
        (f"{GOOGLE}1 - {ANIMALS}\n2 - {ANIMALS} > {PETS}\n", ["1", "2"]),
        (SHOPIFY, [f"gid://shopify/TaxonomyCategory/{name}" for name in ("ap", "ap-2-1")]),
        (f"{ANIMALS}\n{ANIMALS}<{PETS}", ["", ""]),
        (f"{ANIMALS}>{PETS}", ["", ""]),
    ],
)
def test_every_form_gives_nodes_in_order(write, content, ids):
    other = read_taxonomy(write(content), "<")
    assert other.paths == [(ANIMALS,), (ANIMALS, PETS)]
    assert other.ids == ids


def test_a_node_that_is_listed_after_those_below_it_has_its_id(write):
    other = read_taxonomy(write("2 - a > b\n1 - a\n"), "<")
    assert (other.paths, other.ids) == ([("a",), ("a", "b")], ["1", "2"])


def test_a_user_may_name_the_mark(write):
    path = write("a / b > c\nd\n")
    assert read_taxonomy(path, "<", "/").paths == [("a",), ("a", "b > c"), ("d",)]
    assert read_taxonomy(write("a\nb\n"), "<", "/").paths == [("a",), ("b",)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (GOOGLE, "no class path in it"),
        (b"a > b\n\xff > c\n", "line 2 is not UTF-8"),
        ("# x\na > b\nc\na >  b\n", "line 4: 'a >  b' is on line 2 already"),
        ("1 - a\nb\n", "line 2: 'b' has no id in front"),
        ("a > b\na > > c\n", "line 2: class path has an empty part: 'a > > c'"),
        ("a/b\na/c\n", "no known form"),
    ],
)
def test_what_cannot_be_read_is_told_with_file_and_line(write, content, said):
    path = write(content)
    with pytest.raises(InputError) as error:
        read_taxonomy(path, "<")
    assert str(error.value).startswith(f"{path}: {said}")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"other.txt: cannot be read \(No such file"):
        read_taxonomy(tmp_path / "other.txt", "<")
