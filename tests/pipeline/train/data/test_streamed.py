from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.core.errors import InputError
from pipeline.features.joined import index_features
from pipeline.train.data.resident import ResidentItems
from pipeline.train.data.streamed import Moments, StreamedItems
from tests.feature_tables import text_matrix, write_tables

CPU = torch.device("cpu")
ROW_GROUP = 16
GROUP_BYTES = 4 * ROW_GROUP * (6 + 4)
"""An item without augmented views: 6 image and 4 text features."""


def resident_kib(key: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:"))


@pytest.fixture
def index(tmp_path):
    """150 items in ten row groups, the last of six."""
    return index_features(**write_tables(tmp_path, 150, row_group=ROW_GROUP))


@pytest.mark.parametrize("batch", [1, 7, 100])
@pytest.mark.parametrize("groups", [2, 4, 10])
def test_a_pass_gives_the_items_and_features_of_a_resident_one(index, batch, groups):
    streamed = StreamedItems(index, CPU, groups * GROUP_BYTES)
    resident = ResidentItems(index, CPU)
    order_N = streamed.shuffled(torch.Generator().manual_seed(0))
    assert order_N.sort().values.tolist() == list(range(150))
    for index_B in order_N.split(batch):
        found, expected = streamed.fetch(index_B, None), resident.fetch(index_B, None)
        assert torch.equal(found.image_BI, expected.image_BI)
        assert torch.equal(found.text_BT, expected.text_BT)
    assert torch.equal(streamed.label_N, resident.label_N)


def test_views_are_those_of_a_resident_catalogue(tmp_path):
    # Three views make an item's rows straddle the row groups.
    index = index_features(**write_tables(tmp_path, 50, views=2, row_group=ROW_GROUP))
    streamed, resident = StreamedItems(index, CPU, 4000), ResidentItems(index, CPU)
    assert streamed.max_views == resident.max_views == 3
    generator = torch.Generator().manual_seed(0)
    for index_B in streamed.shuffled(generator).split(9):
        draw_B = torch.rand(len(index_B), generator=generator)
        found, expected = streamed.fetch(index_B, draw_B), resident.fetch(index_B, draw_B)
        assert torch.equal(found.image_BI, expected.image_BI)
        assert torch.equal(found.text_BT, expected.text_BT)


@pytest.mark.parametrize("batch", [7, 100])
def test_a_sparse_block_is_that_of_a_resident_catalogue(tmp_path, batch):
    index = index_features(**write_tables(tmp_path, 150, row_group=ROW_GROUP, words=12))
    # 24 bytes of image, 16 of dense text, 16 for the place of the words, and 8 for each of them:
    # a text in four has none, one has one, and so on up to three.
    streamed = StreamedItems(index, CPU, 2 * ROW_GROUP * (24 + 16 + 16 + 12))
    resident = ResidentItems(index, CPU)
    for index_B in streamed.shuffled(torch.Generator().manual_seed(0)).split(batch):
        found, expected = streamed.fetch(index_B, None), resident.fetch(index_B, None)
        assert torch.equal(text_matrix(found.text_BT, 12), text_matrix(expected.text_BT, 12))
        assert torch.equal(found.image_BI, expected.image_BI)


def test_blocks_and_the_items_within_are_shuffled(index):
    # Room for four groups makes blocks of two: 32 items, of two row groups anywhere in the file.
    streamed = StreamedItems(index, CPU, 4 * GROUP_BYTES)
    order_N = streamed.shuffled(torch.Generator().manual_seed(0))
    first = order_N[:32]
    assert len(set((first // ROW_GROUP).tolist())) == 2
    assert len(set((first[:8] // ROW_GROUP).tolist())) == 2
    other = streamed.shuffled(torch.Generator().manual_seed(1))
    assert set((other[:32] // ROW_GROUP).tolist()) != set((first // ROW_GROUP).tolist())
    assert first.tolist() != sorted(first.tolist())


def test_memory_is_bounded(tmp_path):
    mib = 2**20
    paths = write_tables(tmp_path, 8_000, row_group=256, image_dim=1280, text_dim=320)
    index = index_features(**paths)
    assert index.nbytes > 48 * mib
    streamed = StreamedItems(index, CPU, 8 * mib)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # VmHWM starts at VmRSS
    before = resident_kib("VmRSS")
    for index_B in streamed.shuffled(torch.Generator().manual_seed(0)).split(256):
        streamed.fetch(index_B, None)
    # The buffer, a row group on its way into it and a batch; all features would be over 48 MiB.
    assert (resident_kib("VmHWM") - before) * 1024 < 32 * mib


@pytest.mark.parametrize("words", [0, 12])
def test_standardisation_is_that_of_all_items(tmp_path, make_model, words):
    index = index_features(**write_tables(tmp_path, 150, views=1, row_group=16, words=words))
    models = [make_model(text_words=words) for _ in range(2)]
    StreamedItems(index, CPU, 10 * 4 * GROUP_BYTES).standardise(models[0])
    ResidentItems(index, CPU).standardise(models[1])
    found, expected = (dict(model.named_buffers()) for model in models)
    assert len(found) == 4 + (words > 0)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_a_buffer_too_small_for_two_groups_is_refused(index):
    with pytest.raises(InputError, match=r"train\.max_memory: 0 MiB, but two row groups"):
        StreamedItems(index, CPU, 2 * GROUP_BYTES - 1)


def test_pieces_have_the_mean_and_deviation_of_the_whole():
    # Far from zero, where a sum of squares would lose the digits.
    whole = np.random.default_rng(0).normal(loc=1000.0, size=(50, 3)).astype(np.float32)
    moments = Moments()
    for piece in np.split(whole, [1, 7, 30]):
        moments.add(piece)
    exact = whole.astype(np.float64)
    np.testing.assert_allclose(moments.mean_F, exact.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(moments.std_F, exact.std(axis=0), rtol=1e-9)


def test_a_constant_feature_has_no_deviation():
    moments = Moments()
    moments.add(np.full((4, 1), 0.1, dtype=np.float32))
    moments.add(np.full((2, 1), 0.1, dtype=np.float32))
    assert moments.std_F.item() == 0.0


GAPS = {"without_image": range(3, 150, 5), "without_text": [*range(4, 150, 7), 149]}


@pytest.mark.parametrize("words", [0, 12])
@pytest.mark.parametrize("views", [0, 2])
def test_items_with_gaps_are_those_of_a_resident_catalogue(tmp_path, views, words):
    tables = write_tables(tmp_path, 150, row_group=ROW_GROUP, views=views, words=words, **GAPS)
    index = index_features(**tables)
    streamed, resident = StreamedItems(index, CPU, 12_000), ResidentItems(index, CPU)
    assert len(streamed) == 150 - len({*GAPS["without_image"]} & {*GAPS["without_text"]})
    generator = torch.Generator().manual_seed(0)
    order_N = streamed.shuffled(generator)
    assert order_N.sort().values.tolist() == list(range(len(index)))
    for index_B in order_N.split(20):
        draw_B = torch.rand(len(index_B), generator=generator) if views else None
        found, expected = streamed.fetch(index_B, draw_B), resident.fetch(index_B, draw_B)
        has_image, has_text = resident.present.take(index_B)
        assert torch.equal(found.image_BI[has_image], expected.image_BI[has_image])
        assert torch.equal(
            text_matrix(found.text_BT, words)[has_text],
            text_matrix(expected.text_BT, words)[has_text],
        )
    # An image's first feature is the number of its item.
    first = resident.fetch(torch.arange(len(index)), None).image_BI[resident.present.image_N, 0]
    numbers = [int(name.removeprefix("item-")) for name in index.item_ids[index.has_image]]
    assert first.tolist() == numbers


def test_what_stands_for_a_lacking_picture_is_finite(tmp_path):
    # The last items of the table: what stands for their pictures is behind all that are read.
    gaps = {"without_image": range(140, 150), "without_text": GAPS["without_text"][:-1]}
    index = index_features(**write_tables(tmp_path, 150, row_group=ROW_GROUP, **gaps))
    torch.use_deterministic_algorithms(True)  # fills new memory with NaN
    try:
        streamed = StreamedItems(index, CPU, 12_000)
        for index_B in torch.arange(len(index)).split(20):
            assert streamed.fetch(index_B, None).image_BI.isfinite().all()
    finally:
        torch.use_deterministic_algorithms(False)


def test_what_items_lack_is_not_in_the_moments(tmp_path, make_model):
    tables = write_tables(tmp_path, 150, row_group=ROW_GROUP, **GAPS)
    index = index_features(**tables)
    image = index.image.read(index.clean_row[index.has_image])
    text = index.text.read(index.text_row_N[index.has_text])
    for items in (ResidentItems(index, CPU), StreamedItems(index, CPU, 12_000)):
        model = make_model()
        items.standardise(model)
        np.testing.assert_allclose(model.image_tower.mean_F, image.mean(axis=0), rtol=1e-4)
        np.testing.assert_allclose(model.image_tower.std_F, image.std(axis=0), rtol=1e-4)
        np.testing.assert_allclose(model.text_tower.mean_F, text.mean(dim=0), rtol=1e-4)
