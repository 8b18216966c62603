import pandas as pd
import pytest

from pipeline.audit.decisions import Decision
from pipeline.core.errors import InputError
from pipeline.review.findings import MOST_REASONS, Finding, read_findings, undecided

KNOWN = list("abcdef")
ITEMS = "item_id,path,suggested_path,misfiled,p_suggested,p_given,says_so,evidence\n"
TITLES = "item_id,class_path,named_path,share,titles\n"
WHY_B = (
    "A classifier that has not seen it gives the suggested class 0.999 and its own less than "
    "0.001; picture and title say so. Filed wrongly with probability 0.500."
)
PAIRS = "kind,item_id,class_path,other_id,other_path,tree_distance,items,agreeing\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "items.csv").write_text(
        ITEMS + "a,bags,hats<NA,0.93,0.9,0.05,image,c d\nb,bags,hats,.5,0.9987,1e-5,both,\n"
    )
    (tmp_path / "titles.csv").write_text(TITLES + "c,bags,hats,0.985,120\na,bags,shoes,0.985,120\n")
    (tmp_path / "pairs.csv").write_text(
        PAIRS + "picture,d,x,a,y<z,2,2,1\ntext,a,bags,e,hats,4,3,1\ntext,e,x,f,x,0,2,2\n"
    )
    return tmp_path


def in_words(path):
    return path.replace("<", " / ")


def test_items_come_first_then_titles_then_pairs_that_are_filed_differently(folder):
    found = read_findings(folder, KNOWN, in_words)
    assert [one.item_id for one in found] == ["a", "b", "c", "d"]
    assert found[1:] == [
        Finding("b", "hats", (WHY_B,), ()),
        Finding(
            *("c", "hats"),
            ("Its title names hats: 98.5 % of 120 titles with that name are filed there.",),
            (),
        ),
        Finding(
            *("d", "y<z"),
            ("The same picture, filed under y / z; 1 of 2 such items are filed as this one.",),
            ("a",),
        ),
    ]


def test_an_item_in_several_tables_is_one_finding_with_all_reasons(folder):
    first = read_findings(folder, KNOWN, in_words)[0]
    assert (first.suggested_path, first.evidence) == ("hats<NA", ("c", "d", "e"))
    assert [reason.split(" ")[0] for reason in first.reasons] == ["A", "Its", "The"]


def test_what_is_decided_is_left_out_and_what_was_skipped_comes_last(folder):
    items = pd.DataFrame({"item_id": KNOWN, "class_path": "bags"})
    made = [
        Decision("a", "bags", "skip"),
        Decision("b", "bags", "keep"),
        Decision("c", "old", "keep"),
        Decision("d", "bags", "accept", "y<z"),
    ]
    found = read_findings(folder, KNOWN, in_words)
    left = undecided(found, {one.item_id: one for one in made}, items)
    assert [one.item_id for one in left] == ["c", "a"]


def test_an_audit_of_another_catalogue_is_one_line(folder):
    for missing in ("a", "f", "d"):
        known = set(KNOWN) - {missing}
        if missing == "f":  # of a pair that is filed alike
            assert read_findings(folder, known, in_words)
            continue
        with pytest.raises(InputError, match=rf"items\.csv: item {missing} is not in the catal"):
            read_findings(folder, known, in_words)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "titles.csv: not found; run huse audit first"),
        (b"\xff\xfe", "titles.csv: not a readable CSV file"),
        (TITLES.encode() + b"a,bags,hats,most,9\n", "titles.csv: not as an audit wrote it"),
        (b"item_id,class_path\n", "titles.csv: no column named_path, share, titles; run"),
    ],
)
def test_files_that_are_not_an_audits_are_named(folder, content, message):
    path = folder / "titles.csv"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_findings(folder, KNOWN, in_words)


def test_an_item_of_many_pairs_shows_a_few(folder):
    rows = "".join(f"near_picture,a,x,{other},y<z,2,9,1\n" for other in KNOWN[1:] * 200)
    (folder / "pairs.csv").write_text(PAIRS + rows)
    first = read_findings(folder, KNOWN, in_words)[0]
    assert (len(first.reasons), first.evidence) == (MOST_REASONS, ("c", "d", "b", "e", "f"))


def test_a_skip_of_another_class_is_void(folder):
    items = pd.DataFrame({"item_id": KNOWN, "class_path": "bags"})
    found = read_findings(folder, KNOWN, in_words)
    left = undecided(found, {"a": Decision("a", "hats", "skip")}, items)
    assert left[0].item_id == "a"
