import csv

import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.use.class_mapping import Candidate, Mapped
from pipeline.use.mapping_file import make_row, read_kept, refuse_to_overwrite, write_mapping
from pipeline.use.own_tree import OwnTree
from pipeline.use.taxonomy_file import Taxonomy

BEST, NEXT = (
    Candidate(path, number, 0.5, 0.4, 0.3) for path, number in (("A > B", "7"), ("C", ""))
)
MAPPED = Mapped(("a", "b"), 3, [BEST, NEXT])
OWN = OwnTree([("a",), ("a", "b")], np.array([3, 3]), np.zeros((2, 1)))
OTHER = Taxonomy([("A",), ("A", "B"), ("C",)], ["", "7", ""])


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_has_the_chosen_node_and_what_else_is_near(tmp_path):
    write_mapping(tmp_path / "m.csv", [make_row(MAPPED, "<", None)], k=3)
    (row,) = rows_of(tmp_path / "m.csv")
    assert row == {
        **{"class_path": "a<b", "items": "3", "decision": ""},
        **{"other_path": "A > B", "other_id": "7", "confidence": "0.500"},
        **{"by_names": "0.400", "by_items": "0.300"},
        **{"other_path_2": "C", "confidence_2": "0.500", "other_path_3": "", "confidence_3": ""},
    }


def test_a_kept_node_comes_first():
    row = make_row(MAPPED, "<", "C")
    assert (row.decision, row.chosen, row.others) == ("keep", NEXT, [BEST])
    assert row.as_json()["chosen"]["path"] == "C"


def kept(tmp_path, *lines):
    path = tmp_path / "m.csv"
    path.write_text("\n".join(["class_path,decision,other_path", *lines]), encoding="utf-8")
    return read_kept(path, OWN, OTHER, "<")


def test_rows_that_a_person_keeps_are_read(tmp_path):
    assert kept(tmp_path, "a,Keep,A  > B", "a<b,,C", "gone,,C") == {("a",): 1}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("a,yes,C", "row 1 (a): decision 'yes' is not keep"),
        ("gone,keep,C", "row 1 (gone): kept, but the catalogue has no such class"),
        ("a,keep,D", "row 1 (a): kept, but the other tree has no 'D'"),
        ("a,keep,C\na,keep,A", "row 2 (a): kept with two paths"),
    ],
)
def test_mistakes_name_the_row(tmp_path, line, said):
    with pytest.raises(InputError) as error:
        kept(tmp_path, line)
    assert str(error.value).startswith(f"{tmp_path / 'm.csv'}: {said}")


def test_decisions_are_not_overwritten_by_accident(tmp_path):
    out = tmp_path / "m.csv"
    refuse_to_overwrite(out, None)
    out.write_text("class_path,decision\na,\n", encoding="utf-8")
    refuse_to_overwrite(out, None)
    out.write_text("class_path,decision\na,keep\n", encoding="utf-8")
    refuse_to_overwrite(out, tmp_path / ".." / tmp_path.name / "m.csv")
    with pytest.raises(InputError, match="has decisions; add --keep"):
        refuse_to_overwrite(out, tmp_path / "other.csv")
    # As a spreadsheet may have saved it, with somebody's decisions.
    for content in ("class_path;decision\na;keep\n", "class_path,decision\nK\u00fcche,keep\n"):
        out.write_bytes(content.encode("cp1252"))
        with pytest.raises(InputError, match="no table of huse map in UTF-8 with commas"):
            refuse_to_overwrite(out, None)


def test_a_name_may_have_the_mark_in_it(tmp_path):
    other = Taxonomy([("A",), ("A", "B>C")], ["", ""])
    (tmp_path / "m.csv").write_text("class_path,decision,other_path\na,keep,A > B>C\n")
    assert read_kept(tmp_path / "m.csv", OWN, other, "<") == {("a",): 1}
