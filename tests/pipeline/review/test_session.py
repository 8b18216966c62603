import pytest

from pipeline.audit.decisions import Decision, read_decisions
from pipeline.review.findings import Finding
from pipeline.review.session import Session

HEADER = "item_id,class_path,decision,new_path\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "decisions.csv"
    path.write_text(HEADER + "b,bags,skip,\nz,bags,keep,\n")
    return path


@pytest.fixture
def session(file):
    findings = [Finding(item_id, "hats<big", (), ()) for item_id in "abc"]
    return Session(findings, {**dict.fromkeys("abc", "bags"), "d": "hats<big"}, file, "<")


def test_every_decision_is_in_the_file_at_once(session, file):
    session.decide(0, "accept")
    assert read_decisions(file)["a"] == Decision("a", "bags", "accept", "hats<big")
    session.decide(1, "keep")
    session.decide(2, "accept", " hats < tall ")
    assert session.said == "A class that the catalogue does not have yet was accepted."
    assert file.read_text() == HEADER + (
        "z,bags,keep,\na,bags,accept,hats<big\nb,bags,keep,\nc,bags,accept,hats<tall\n"
    )
    assert (session.place, session.left) == (3, 0)
    assert session.counts == {"accept": 2, "keep": 1}


def test_undo_goes_back_and_leaves_what_was_there_before(session, file):
    session.undo()
    assert (session.place, session.said) == (0, "There is nothing to take back.")
    session.decide(0, "skip")
    session.decide(1, "accept")
    session.undo()
    assert session.place == 1
    assert read_decisions(file)["b"] == Decision("b", "bags", "skip")
    session.undo()
    assert not session.can_undo
    assert "a" not in read_decisions(file)


def test_a_decision_that_comes_twice_or_late_counts_once(session, file):
    session.decide(0, "keep")
    before = file.read_bytes()
    for place in (0, 2, 3, -1):
        session.decide(place, "accept")
        assert session.said == "That one was decided already."
    assert (session.place, file.read_bytes()) == (1, before)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (" bags ", "The item has this class already: keep it."),
        ("hats<", "Not written: class path has an empty part"),
    ],
)
def test_a_class_that_changes_nothing_or_is_none_is_told(session, file, path, said):
    before = file.read_bytes()
    session.decide(0, "accept", path)
    assert session.said == said
    assert (session.place, file.read_bytes()) == (0, before)


def test_what_others_write_meanwhile_stays(session, file):
    session.decide(0, "keep")
    file.write_text(file.read_text() + "from-afar,bags,keep,\n")
    session.decide(1, "keep")
    assert set(read_decisions(file)) == {"z", "a", "b", "from-afar"}


def test_a_file_that_cannot_be_used_is_told_and_the_finding_stays(session, file):
    session.decide(0, "keep")
    file.write_text("<<<<<<< HEAD\n")
    for again in (lambda: session.decide(1, "keep"), session.undo):
        again()
        assert session.said.startswith(f"Not written: {file}: no column item_id")
        assert session.place == 1
