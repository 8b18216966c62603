from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.core.errors import BadRowError, InputError
from pipeline.review.steps import Steps, Written


@pytest.fixture
def file():
    """What stands in a file, line by line."""
    return []


@pytest.fixture
def write(file):
    """Make what adds a line."""

    def make(line):
        def add():
            file.append(line)
            return Written(file.pop, f"{line} is there")

        return add

    return make


def test_one_after_the_other_and_back_again(file, write):
    steps = Steps(2)
    steps.step(0, "keep", write("a"))
    assert (steps.place, steps.left, steps.said, file) == (1, 1, "a is there", ["a"])
    steps.step(1, "skip", write("b"))
    assert steps.counts == {"keep": 1, "skip": 1}
    steps.undo()
    assert (steps.place, steps.said, file, steps.can_undo) == (1, "Taken back.", ["a"], True)
    steps.undo()
    steps.undo()
    assert (steps.place, steps.said, file) == (0, "There is nothing to take back.", [])
    assert not steps.can_undo


def test_a_request_that_comes_several_times_counts_once(file, write):
    steps = Steps(3)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: steps.step(0, "keep", write("a")), range(50)))
    assert (steps.place, file) == (1, ["a"])
    for place in (0, 2, 3, -1):
        steps.step(place, "keep", write("b"))
        assert steps.said == "That one was decided already."
    assert file == ["a"]


@pytest.mark.parametrize("error", [InputError("no disk"), BadRowError("no disk")])
def test_what_cannot_be_written_is_told_and_stays_open(error):
    def fail():
        raise error

    steps = Steps(1)
    steps.step(0, "keep", fail)
    assert (steps.place, steps.said, steps.can_undo) == (0, "Not written: no disk", False)
    steps.step(0, "keep", lambda: Written(None, "no change"))
    assert (steps.place, steps.said, steps.can_undo) == (0, "no change", False)
    steps.step(0, "keep", lambda: Written(fail))
    if isinstance(error, InputError):
        steps.undo()
        assert (steps.place, steps.said, steps.can_undo) == (1, "Not written: no disk", True)
