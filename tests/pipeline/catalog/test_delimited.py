from functools import partial
from io import StringIO
from pathlib import Path

import pytest

from pipeline.catalog.delimited import choose_delimiter, read_delimited
from pipeline.catalog.rows import Source
from pipeline.core.errors import InputError

WANTED = {"image": "image", "text": "text", "classes": "classes"}


def read(text, delimiter=",", source=Source()):  # noqa: B008 - frozen
    rows = read_delimited(
        Path("x.csv"), partial(StringIO, text), delimiter=delimiter, wanted=WANTED, source=source
    )
    return [tuple(row) for row in rows]


def test_values_are_kept_as_written():
    text = (
        "image,text,classes\n"
        '1.jpg,"Dolce & Gabbana, ""Sicily"" bag",bags<totes\n'
        "2.jpg,NA,null\n"
        "3.jpg,,007\n"
        '4.jpg,5" heel,shoes\n'
    )
    assert read(text) == [
        (1, ["1.jpg", 'Dolce & Gabbana, "Sicily" bag', "bags<totes"], ""),
        (2, ["2.jpg", "NA", "null"], ""),
        (3, ["3.jpg", "", "007"], ""),
        (4, ["4.jpg", '5" heel', "shoes"], ""),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_do_not_matter(end):
    text = end.join(["image,text,classes", "1.jpg,Bag,bags", "2.jpg,Boot,shoes"])
    expected = [(1, ["1.jpg", "Bag", "bags"], ""), (2, ["2.jpg", "Boot", "shoes"], "")]
    assert read(text) == read(text + end) == expected


def test_a_record_over_several_lines_is_one_row():
    rows = read('image,text,classes\r\n1.jpg,"Two\r\nlines",bags\r\n2.jpg,Boot,shoes\r\n')
    assert rows == [(1, ["1.jpg", "Two\r\nlines", "bags"], ""), (2, ["2.jpg", "Boot", "shoes"], "")]


def test_columns_stand_in_any_order_and_blanks_after_commas_do_no_harm():
    rows = read('id, classes, text, image\n9, bags, "Tote, large", 1.jpg\n')
    assert rows == [(1, ["1.jpg", "Tote, large", "bags"], "")]


def test_tabs_separate():
    rows = read('image\ttext\tclasses\n1.jpg\tBag, "new"\tbags\n', delimiter="\t")
    assert rows == [(1, ["1.jpg", 'Bag, "new"', "bags"], "")]


def test_lines_with_too_many_or_few_fields_are_kept_with_a_reason():
    rows = read("image,text,classes\n1.jpg,Bag, new,bags\n2.jpg,Boot\n3.jpg,Hat,hats\n")
    assert rows == [
        (1, ["1.jpg", "Bag", "new"], "4 fields where the column names are 3"),
        (2, ["2.jpg", "Boot", ""], "2 fields where the column names are 3"),
        (3, ["3.jpg", "Hat", "hats"], ""),
    ]


def test_a_stray_quote_spoils_its_line_only():
    rows = read('image,text,classes\n1.jpg,"5" heel",shoes\n2.jpg,Boot,shoes\n')
    assert [(row[0], row[1][0]) for row in rows] == [(1, ""), (2, "2.jpg")]
    assert "line 2 has a stray quote" in rows[0][2]
    assert rows[1][2] == ""


def test_blank_lines_count_but_are_no_rows():
    rows = read("\nimage,text,classes\n\n1.jpg,Bag,bags\n\n\n2.jpg,Boot,shoes\n\n")
    assert [row[0] for row in rows] == [2, 5]


@pytest.mark.parametrize(
    "rest",
    [
        "3.jpg,Hat,hats\n",  # swallowed up to the end of the file
        '3.jpg,"Hat, new",hats\n',  # swallowed up to the next quote
        "",
    ],
)
def test_an_unclosed_quote_stops_and_names_the_line_where_its_row_starts(rest):
    text = 'image,text,classes\n1.jpg,Bag,bags\n2.jpg,"Boot,shoes\n' + rest
    with pytest.raises(InputError, match=r"x\.csv: the row that starts in line 3 has a quote"):
        read(text)


def test_an_unreadable_header_stops():
    with pytest.raises(InputError, match="the column names cannot be read"):
        read('"image"s,text,classes\n1.jpg,Bag,bags\n')


def test_a_column_that_may_be_missing_is_empty():
    source = Source(optional=frozenset({"image", "text", "classes"}))
    assert read("text,price\nBag,3\n", source=source) == [(1, ["", "Bag", ""], "")]
    with pytest.raises(InputError, match=r"no column 'image'.* it has price"):
        read("price\n3\n", source=source)


def choose(header, usual=",", wanted=WANTED, source=Source()):  # noqa: B008 - frozen
    text = partial(StringIO, f"\n{header}\n1,2;3\n")
    return choose_delimiter(Path("x.csv"), text, usual, wanted, source)


@pytest.mark.parametrize("usual", [",", "\t"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_the_columns_are_found_by(delimiter, usual):
    assert choose(delimiter.join(["image", "text", "classes", "x,y"]), usual) == delimiter
    quoted = delimiter.join(['"image"', '"text, long; longer"', '"classes"'])
    assert choose(quoted, usual, WANTED | {"text": "text, long; longer"}) == delimiter


def test_where_several_delimiters_or_none_will_do_it_is_the_usual_one():
    assert choose("text", wanted={"text": "text"}) == ","
    assert choose("text", "\t", wanted={"text": "text"}) == "\t"
    assert choose("picture,title;name") == ","
    # Only one that divides the line can name the columns that are there.
    assert choose("picture;title;path") == ";"
    # And only the usual one can tell what is wrong with a quote.
    assert choose('image,"text;classes') == ","


def test_a_column_that_may_be_missing_decides_nothing():
    new = Source("table", optional=frozenset(WANTED))
    assert choose("price;text", wanted=WANTED, source=new) == ";"
