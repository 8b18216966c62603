import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.sparse import csr_matrix

from pipeline.core.json_file import read_json, write_json
from pipeline.core.table import write_table
from pipeline.core.vectors import vector_array
from pipeline.features.classes import make_classes
from pipeline.features.joined import index_features
from pipeline.features.text_file import columns_of

PATHS = [
    f"{top}<{leaf}"
    for top in ("bags", "hats", "shoes")
    for leaf in ("big", "flat", "small", "tall")
]


@pytest.fixture
def catalogue(tmp_path):
    """Make an index and its classes: items around a point per class, in both modalities."""

    def make(
        label_N, *, paths=PATHS, true_N=None, product_N=None, label="path", words=0, noise=0.5
    ):
        label_N = np.asarray(label_N)
        true_N = label_N if true_N is None else np.asarray(true_N)
        number_N = np.arange(len(label_N))
        ids = [f"item-{n}" for n in number_N]
        files = {
            name: tmp_path / name
            for name in ("items", "splits", "groups", "classes", "image_features", "text_features")
        }
        class_path = [paths[label] for label in label_N]
        write_table(files["items"], pd.DataFrame({"item_id": ids, "class_path": class_path}))
        split = ["val" if n % 5 == 0 else "train" for n in number_N]
        write_table(files["splits"], pd.DataFrame({"item_id": ids, "split": split}))
        product_N = number_N if product_N is None else np.asarray(product_N)
        groups = {"product": product_N, "picture": number_N, "text": number_N}
        write_table(files["groups"], pd.DataFrame({"item_id": ids, **groups}))
        write_json(files["classes"], make_classes(paths, separator="<", label=label))
        random = np.random.default_rng(0)
        centre_KF, spread = random.normal(size=(len(paths), 8)), noise
        image_NI, text_NT = (
            (centre_KF[true_N] * sign + spread * random.normal(size=(len(ids), 8)))
            for sign in (1, -1)
        )
        image = {
            "item_id": ids,
            "view": pa.array(np.zeros(len(ids)), pa.int8()),
            "vector": vector_array(image_NI.astype(np.float32)),
        }
        pq.write_table(pa.table(image), files["image_features"], row_group_size=16)
        blocks = {"item_id": ids, **columns_of("glove", text_NT.astype(np.float32))}
        table = pa.table(blocks)
        if words:
            tfidf_NV = np.zeros((len(ids), words), dtype=np.float32)
            tfidf_NV[number_N, true_N] = 1
            for name, column in columns_of("tfidf", csr_matrix(tfidf_NV)).items():
                table = table.append_column(name, column)
            table = table.replace_schema_metadata({"tfidf.columns": str(words)})
        pq.write_table(table, files["text_features"], row_group_size=16)
        return index_features(**files), read_json(files["classes"])

    return make
