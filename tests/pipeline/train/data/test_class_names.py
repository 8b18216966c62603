from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from pipeline.core.errors import InputError
from pipeline.core.vectors import vector_array
from pipeline.train.data.class_names import ClassNames, read_class_names


def test_every_step_gets_all_names_of_few_classes():
    names = ClassNames(torch.arange(6.0).reshape(3, 2), most=8)
    for step in (1, 2, 7):
        batch = names.batch(step)
        assert sorted(batch.class_M.tolist()) == [0, 1, 2]
        assert torch.equal(batch.text_MT, torch.arange(6.0).reshape(3, 2)[batch.class_M])


def test_of_many_classes_every_name_comes_in_turn():
    names = ClassNames(torch.zeros(10, 2), most=4)
    steps = [names.batch(step).class_M.tolist() for step in range(5)]
    assert all(len(set(step)) == 4 for step in steps)
    assert sorted(chain(*steps)) == sorted(list(range(10)) * 2)


def write(path, names):
    features = vector_array(np.arange(2 * len(names), dtype=np.float32).reshape(-1, 2))
    pq.write_table(pa.table({"item_id": pa.array(names), "glove": features}), path)


def test_names_are_read_in_the_order_of_the_classes(tmp_path):
    write(tmp_path / "names.parquet", ["a<b", "a<c"])
    read = {"most": 8, "device": torch.device("cpu")}
    batch = read_class_names(tmp_path / "names.parquet", ["a<b", "a<c"], **read).batch(1)
    assert batch.text_MT[batch.class_M.argsort()].tolist() == [[0.0, 1.0], [2.0, 3.0]]
    with pytest.raises(InputError, match=r"names\.parquet: made for other classes: .*text_block"):
        read_class_names(tmp_path / "names.parquet", ["a<c", "a<b"], **read)
    with pytest.raises(InputError, match=r"nothing\.parquet"):
        read_class_names(tmp_path / "nothing.parquet", ["a<c"], **read)
