import asyncio
from concurrent.futures import Future

import pytest
from starlette.requests import Request

from pipeline.core.errors import InputError
from pipeline.serve.asking import ask
from pipeline.serve.batcher import OverloadedError
from pipeline.serve.refused import GONE, RefusedError


class Queue:
    """Stands for the batcher's side: one future that the test decides on."""

    def __init__(self):
        self.future = Future()

    def submit(self, asked):
        return self.future


def put(queue, *, leaves=False, then=lambda: None):
    async def run():
        async def receive():
            if not leaves:
                await asyncio.Event().wait()
            return {"type": "http.disconnect"}

        loop = asyncio.get_running_loop()
        loop.call_later(0.02, then)
        return await ask(Request({"type": "http"}, receive), queue, None, None, [])

    return asyncio.run(run())


def refused(*arguments, **options):
    with pytest.raises(RefusedError) as caught:
        put(*arguments, **options)
    return caught.value


def test_an_answer_comes_through():
    queue = Queue()
    assert put(queue, then=lambda: queue.future.set_result(["answer"])) == ["answer"]


def test_a_client_who_leaves_frees_the_place():
    queue = Queue()
    assert refused(queue, leaves=True).status == GONE
    assert queue.future.cancelled()


def test_what_is_wrong_is_told_and_what_is_broken_is_not():
    queue = Queue()
    wrong = refused(queue, then=lambda: queue.future.set_exception(InputError("no such class")))
    assert (wrong.status, wrong.message) == (400, "no such class")
    queue = Queue()
    with pytest.raises(KeyError):
        put(queue, then=lambda: queue.future.set_exception(KeyError("inside")))


def test_no_place_and_no_server_are_to_be_asked_again():
    class Full:
        def submit(self, asked):
            raise OverloadedError

    assert refused(Full()).headers == {"Retry-After": "1"}
    queue = Queue()
    assert refused(queue, then=queue.future.cancel).status == 503


def test_out_of_time_the_place_is_free():
    queue = Queue()

    async def run():
        async def receive():
            await asyncio.Event().wait()

        async with asyncio.timeout(0.05):
            await ask(Request({"type": "http"}, receive), queue, None, None, [])

    with pytest.raises(TimeoutError):
        asyncio.run(run())
    assert queue.future.cancelled()
