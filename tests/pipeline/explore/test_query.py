from urllib.parse import parse_qsl

import pytest

from pipeline.core.errors import InputError
from pipeline.explore.query import Query, read_query

ALL_OF_IT = Query(
    text="sad & cat",
    picture="ab12",
    like="id/1",
    within="Animals & Nature<birds",
    k=7,
    mode="words",
    where="price < 50 and brand == 'A&B'",
    filters=(("is.brand", "Nike"), ("is.brand", "Puma & Co"), ("no.sale", "1"), ("to.price", "9")),
)


def read(address):
    return read_query(parse_qsl(address.partition("?")[2]))


def test_an_address_is_the_whole_query():
    assert read(ALL_OF_IT.address()) == ALL_OF_IT
    assert ALL_OF_IT.address("compare").startswith("compare?q=sad+%26+cat&picture=ab12&like=id%2F1")


def test_what_is_usual_is_not_in_the_address():
    assert Query().address() == "./"
    assert Query(text="cat").address() == "./?q=cat"
    assert read("?q=+cat+&class=&where=&is.brand=+&k=24&mode=") == Query(text="cat")


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("?k=0", Query(k=1)),
        ("?k=1000", Query(k=96)),
        ("?k=many", Query()),
        ("?k=-3", Query()),
        (f"?k={'9' * 5000}", Query()),
        ("?mode=magic", Query()),
        ("?utm_source=mail&is.a=1&is.a=1", Query(filters=(("is.a", "1"),))),
    ],
)
def test_what_means_nothing_is_left_out(address, wanted):
    assert read(address) == wanted


def test_what_is_too_long_is_told():
    Query(text="x" * 500, where="y" * 4000).check()
    with pytest.raises(InputError, match="text: 501 characters; 500 are the most"):
        Query(text="x" * 501).check()
    with pytest.raises(InputError, match="where: 4001 characters"):
        Query(where="x" * 4001).check()


def test_the_last_of_several_values_is_shown_in_a_field():
    assert ALL_OF_IT.chosen("is.brand") == "Puma & Co"
    assert ALL_OF_IT.chosen("from.price") == ""
