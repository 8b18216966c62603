import threading
import time

import pytest

from pipeline.serve.batcher import Batcher, OverloadedError
from pipeline.serve.questions import Asked, Embed, Item

WAIT = 10


class Model:
    """Answers a text by itself once it may; keeps what it was asked together."""

    def __init__(self):
        self.may, self.began, self.batches = threading.Event(), threading.Event(), []

    def __call__(self, asked):
        self.began.set()
        assert self.may.wait(WAIT)
        self.batches.append([[item.text for item in one.items] for one in asked])
        return [
            ValueError("bad") if one.items[0].text == "bad" else [item.text for item in one.items]
            for one in asked
        ]


def asked(*texts, model=None):
    return Asked(model, Embed(), [Item(None, text) for text in texts])


@pytest.fixture
def model():
    return Model()


@pytest.fixture
def make(model):
    made = []

    def make(**options):
        batcher = Batcher(model, **{"batch": 4, "queue": 6, **options})
        made.append(batcher)
        return batcher

    yield make
    model.may.set()
    for batcher in made:
        batcher.close()


@pytest.fixture
def busy(make, model):
    """A batcher whose model is at its first request."""
    batcher = make()
    batcher.first = batcher.submit(asked("first"))
    assert model.began.wait(WAIT)
    return batcher


def test_what_came_meanwhile_is_answered_together(busy, model):
    futures = [busy.submit(asked(*texts)) for texts in ("ab", "c", ("bad",), "ef")]
    assert busy.items == 6
    model.may.set()
    assert busy.first.result(WAIT) == ["first"]
    assert [future.result(WAIT) for future in (*futures[:2], futures[3])] == [
        *(["a", "b"], ["c"], ["e", "f"])
    ]
    with pytest.raises(ValueError, match="bad"):
        futures[2].result(WAIT)
    assert model.batches == [[["first"]], [["a", "b"], ["c"], ["bad"]], [["e", "f"]]]


def test_every_picture_of_an_item_that_has_several_counts(busy, model):
    of_four = Asked(None, Embed(), [Item([b"picture"] * 4, "four")])
    futures = [busy.submit(one) for one in (of_four, asked("a", "b"))]
    assert busy.items == 6
    with pytest.raises(OverloadedError):
        busy.submit(asked("c"))
    model.may.set()
    assert [future.result(WAIT) for future in futures] == [["four"], ["a", "b"]]
    assert model.batches == [[["first"]], [["four"]], [["a", "b"]]]


def test_a_client_alone_does_not_wait_for_others(make, model):
    model.may.set()
    batcher = make()
    batcher.submit(asked("warm")).result(WAIT)
    start = time.perf_counter()
    for _ in range(200):
        batcher.submit(asked("a")).result(WAIT)
    assert time.perf_counter() - start < 200 * 0.002


def test_a_request_larger_than_a_batch_goes_alone(busy, model):
    large, small = busy.submit(asked(*"abcde")), busy.submit(asked("f"))
    model.may.set()
    assert large.result(WAIT) == list("abcde")
    assert small.result(WAIT) == ["f"]
    assert model.batches[1:] == [[list("abcde")], [["f"]]]


def test_requests_of_two_models_are_not_mixed(busy, model):
    old, new = object(), object()
    futures = [
        busy.submit(asked(text, model=one))
        for text, one in zip("abc", (old, old, new), strict=True)
    ]
    model.may.set()
    assert [future.result(WAIT) for future in futures] == [["a"], ["b"], ["c"]]
    assert model.batches[1:] == [[["a"], ["b"]], [["c"]]]


def test_more_than_may_wait_is_refused_and_who_leaves_makes_place(busy, model):
    left, stays = busy.submit(asked(*"abcd")), busy.submit(asked("e"))
    with pytest.raises(OverloadedError):
        busy.submit(asked("f", "g"))
    assert left.cancel()
    assert busy.items == 1
    last = busy.submit(asked("f", "g"))
    model.may.set()
    assert [stays.result(WAIT), last.result(WAIT)] == [["e"], ["f", "g"]]
    assert "a" not in str(model.batches)


def test_the_greatest_request_has_a_place_where_nothing_waits(busy, model):
    future = busy.submit(asked(*"abcdefgh"))
    model.may.set()
    assert future.result(WAIT) == list("abcdefgh")


def test_it_tells_how_long_it_is_busy_and_how_large_batches_are(make, model):
    counted = []
    batcher = make(on_batch=counted.append)
    assert batcher.busy_seconds == 0
    future = batcher.submit(asked("a", "b"))
    assert model.began.wait(WAIT)
    time.sleep(0.01)
    assert batcher.busy_seconds > 0.005
    model.may.set()
    future.result(WAIT)
    assert batcher.busy_seconds == 0
    assert counted == [2]


def test_at_the_end_what_is_under_way_is_answered_and_the_rest_cancelled(busy, model):
    waits = busy.submit(asked("a"))
    closing = threading.Thread(target=busy.close)
    closing.start()
    deadline = time.monotonic() + WAIT
    while not waits.cancelled() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert waits.cancelled()
    model.may.set()
    closing.join(WAIT)
    assert busy.first.result(0) == ["first"]
    with pytest.raises(OverloadedError):
        busy.submit(asked("late"))
