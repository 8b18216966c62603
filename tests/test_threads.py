"""One model in many threads, as a server or `asyncio.to_thread` has it."""

import asyncio
import shutil
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from huse import Huse
from pipeline.use import api, surroundings
from pipeline.use.added_classes import add_class
from pipeline.use.featurizer import TextFeaturizer

THREADS = 8


@pytest.fixture(scope="module")
def folder(shipped_project, tmp_path_factory):
    """A model with an added class, so that all there is to be read is read."""
    folder = tmp_path_factory.mktemp("threads") / "data"
    for name in ("model", "index"):
        shutil.copytree(shipped_project.root / "data" / name, folder / name)
    model = Huse.load(folder / "model")
    add_class(model, "Food & Drink<cheese", [model.embed(texts=["cheese wedge"])], "again")
    return folder / "model"


@pytest.fixture(scope="module")
def asked(shipped_project, folder):
    """A picture and a text for each thread."""
    items = Huse.load(folder).index.items.iloc[:: 200 // THREADS].iloc[:THREADS]
    pictures = shipped_project.root / "data/raw/openmoji/images"
    return [(pictures / image, text) for image, text in zip(items.image, items.text, strict=True)]


def everything(model, picture, text):
    """All that is asked of a model, as plain data."""
    v = model.embed([picture, None], [text, f"{text} drawing"])
    return (
        v.fused_ND.tolist(),
        model.classify(v),
        model.predict_proba([picture], [text]).tolist(),
        [hit.item_id for hits in model.search(v, k=5) for hit in hits],
        [hit.item_id for hits in model.search(v, k=5, where=f"text != '{text}'") for hit in hits],
        model.near(v),
    )


@pytest.fixture(scope="module")
def alone(folder, asked):
    model = Huse.load(folder)
    return [everything(model, *one) for one in asked]


@pytest.fixture
def eager(monkeypatch):
    """Threads take turns a thousand times as often as they do."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def test_threads_that_start_with_a_model_together_get_what_one_alone_gets(
    folder, asked, alone, eager
):
    model, start = Huse.load(folder), Barrier(THREADS)
    before = list(warnings.filters)

    def ask(one):
        start.wait()
        return [everything(model, *one) for _ in range(3)]

    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(ask, asked))
    for rounds, expected in zip(found, alone, strict=True):
        assert rounds == [expected] * 3
    assert list(warnings.filters) == before


READ = {
    "towers": (api, "load_network", 1),
    "index": (api, "load_index", 1),
    "text encoders": (TextFeaturizer, "load", 1),
    # Of pictures, and of texts.
    "references": (surroundings, "load_references", 2),
}


@pytest.mark.parametrize("name", READ)
def test_what_a_model_needs_is_read_once(folder, asked, eager, monkeypatch, name):
    place, function, times = READ[name]
    read, real = [], getattr(place, function)

    def counted(*given, **named):
        read.append(name)
        return real(*given, **named)

    monkeypatch.setattr(place, function, counted)
    model, start = Huse.load(folder), Barrier(THREADS)

    def ask(one):
        start.wait()
        everything(model, *one)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(ask, asked))
    assert len(read) == times


def test_calls_may_be_awaited(folder, asked, alone):
    model = Huse.load(folder)

    async def ask():
        calls = (asyncio.to_thread(everything, model, *one) for one in asked)
        return await asyncio.gather(*calls)

    assert asyncio.run(ask()) == alone
