import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from huse import Huse
from pipeline.core.errors import InputError
from pipeline.use import likely_items
from pipeline.use.added_classes import add_class
from pipeline.use.likely_items import find_likely

PATH = "Animals & Nature<red heart"


@pytest.fixture
def embeddings(project):
    return project.root / "data" / "evaluate" / "embeddings.parquet"


def classified(folder, items, picture_folder, rows):
    """Most probable class of items as `huse classify` has it."""
    model = Huse.load(folder, warn=pytest.fail)
    shown = items.iloc[rows]
    images = [picture_folder / name if name else None for name in shown["image"]]
    v = model.embed(images, [text or None for text in shown["text"]])
    return [prediction.top[0].path for prediction in model.classify(v)]


@pytest.mark.parametrize("block", [7, likely_items.BLOCK])
def test_likely_items_are_those_that_classify_would_call_so(
    model, folder, items, embeddings, picture_folder, monkeypatch, block
):
    monkeypatch.setattr(likely_items, "BLOCK", block)
    texts = items["text"].head(2).tolist()
    pictures = [picture_folder / name for name in items["image"].head(2)]
    added = add_class(model, PATH, [model.embed(pictures, texts)], "again", embeddings)
    said = classified(folder, items, picture_folder, range(len(items)))
    wanted = {one for one, path in zip(items["item_id"], said, strict=True) if path == PATH}
    assert wanted
    assert set(added.likely) == wanted
    assert Huse.load(folder, warn=pytest.fail).known.likely == {PATH: list(added.likely)}


def test_an_item_is_judged_by_what_it_has(model, items, embeddings):
    place = add_class(model, PATH, [model.embed(None, ["red heart"])], "again").place
    table = pq.read_table(embeddings)
    frame = table.select(["item_id", "modality"]).to_pandas()
    one = frame["item_id"].iloc[0]
    kept = ~((frame["item_id"] == one) & (frame["modality"] == "image"))
    pq.write_table(table.filter(pa.array(kept)), embeddings)
    without = find_likely(embeddings, model.known.rule, place)
    # The picture of one item alone is gone.
    pq.write_table(table, embeddings)
    before = find_likely(embeddings, model.known.rule, place)
    assert {key: odds for key, odds in without.items() if key != one} == {
        key: odds for key, odds in before.items() if key != one
    }
    texts = table.filter(pa.array(frame["modality"] == "text"))
    pq.write_table(texts, embeddings)
    shown = pd.Series(find_likely(embeddings, model.known.rule, place))
    score = texts.select(["item_id", "score"]).to_pandas().set_index("item_id")["score"]
    assert (shown > np.log(score[shown.index])).all()


def test_embeddings_that_are_not_there_are_one_line(model, embeddings):
    embeddings.unlink()
    with pytest.raises(InputError, match=r"embeddings\.parquet: not found; run the stage"):
        add_class(model, PATH, [], "again", embeddings)
