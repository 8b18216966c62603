import time
from threading import Barrier, Thread

import pytest

from pipeline.core.once import once


class Slow:
    def __init__(self):
        self.made = []

    @once
    def network(self):
        """Which is read."""
        self.made.append("network")
        time.sleep(0.05)
        return object()

    @once
    def uses_another(self):
        return self.network

    @once
    def fails_at_first(self):
        self.made.append("try")
        if len(self.made) == 1:
            raise ValueError("not yet")
        return "made"


def ask_from_threads(things, ask):
    """What threads get that ask at the same moment, one per thing."""
    start, found = Barrier(len(things)), []

    def run(thing):
        start.wait()
        found.append(ask(thing))

    threads = [Thread(target=run, args=(thing,)) for thing in things]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_threads_that_ask_at_the_same_time_get_the_same():
    thing = Slow()
    found = ask_from_threads([thing] * 8, lambda one: one.network)
    assert len(set(map(id, found))) == 1
    assert thing.made == ["network"]
    assert thing.network is found[0]


def test_one_value_may_be_made_of_another():
    thing = Slow()
    assert len(set(map(id, ask_from_threads([thing] * 4, lambda one: one.uses_another)))) == 1
    assert thing.uses_another is thing.network


def test_objects_have_values_of_their_own_and_do_not_wait_for_each_other():
    class Meeting:
        together = Barrier(4, timeout=30)

        @once
        def network(self):
            # Passed only while all four are being made.
            self.together.wait()
            return object()

    found = ask_from_threads([Meeting() for _ in range(4)], lambda one: one.network)
    assert len(set(map(id, found))) == 4


def test_what_could_not_be_made_is_tried_again():
    thing = Slow()
    with pytest.raises(ValueError, match="not yet"):
        _ = thing.fails_at_first
    assert thing.fails_at_first == "made"


def test_the_class_tells_what_it_is():
    assert Slow.network.__doc__ == "Which is read."
