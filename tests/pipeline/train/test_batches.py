import pytest
import torch

from pipeline.core.errors import InputError
from pipeline.train.batches import Batches
from pipeline.train.world import World

STREAMED = 4 * 16 * (6 + 4) * 4
"""Room for four row groups of sixteen items."""


def numbers(batch) -> list[int]:
    """Item n has -n as its first text feature."""
    return [-int(value) for value in batch.text_BT[:, 0]]


@pytest.fixture(params=[10**9, STREAMED], ids=["resident", "streamed"])
def items(request, make_items):
    """120 items for training, in memory or streamed."""
    return make_items(240, max_bytes=request.param)[0]


@pytest.mark.parametrize("size", [7, 40, 120])
def test_every_item_comes_once_per_pass_and_never_twice_in_a_batch(items, size):
    batches = Batches(items, size, seed=0)
    everything = set(numbers(items.fetch(torch.arange(120), None)))
    drawn = []
    for _ in range(5 * 120 // size):
        batch = numbers(batches.next())
        assert len(batch) == len(set(batch)) == size
        drawn += batch
    for start in range(0, len(drawn) - 119, 120):
        # A batch across two passes may take items of the next pass a little earlier.
        assert len(everything - set(drawn[start : start + 120])) < size
    counts = {number: drawn.count(number) for number in everything}
    assert max(counts.values()) - min(counts.values()) <= 1
    assert set(drawn) == everything


def test_without_a_remainder_a_pass_is_exactly_all_items(items):
    batches = Batches(items, 40, seed=0)
    for _ in range(3):
        drawn = {number for _ in range(3) for number in numbers(batches.next())}
        assert len(drawn) == 120


def test_rows_and_labels_belong_to_one_item(items):
    batches = Batches(items, 50, seed=0)
    everything = items.fetch(torch.arange(120), None)
    place = {number: n for n, number in enumerate(numbers(everything))}
    batch = batches.next()
    index_B = torch.tensor([place[number] for number in numbers(batch)])
    assert torch.equal(batch.image_BI, everything.image_BI[index_B])
    assert torch.equal(batch.label_B, items.label_N[index_B])


def test_the_order_follows_from_the_seed(items):
    first, again, other = (Batches(items, 30, seed=seed) for seed in (0, 0, 1))
    for _ in range(6):
        drawn = numbers(first.next())
        assert drawn == numbers(again.next())
        assert drawn != numbers(other.next())


@pytest.mark.parametrize("taken", [0, 1, 3, 4, 9, 13])
def test_restored_batches_go_on_with_the_same_items(items, taken):
    batches = Batches(items, 35, seed=0)
    for _ in range(taken):
        batches.next()
    state = batches.state()
    expected = [numbers(batches.next()) for _ in range(8)]
    restored = Batches(items, 35, seed=0)
    restored.restore(state)
    assert [numbers(restored.next()) for _ in range(8)] == expected


def test_a_small_catalogue_gives_batches_of_all_its_items(make_items):
    batches = Batches(make_items(24)[0], 256, seed=0)
    for _ in range(3):
        assert len(set(numbers(batches.next()))) == 12


@pytest.mark.parametrize("max_bytes", [10**9, 3 * STREAMED], ids=["resident", "streamed"])
def test_views_are_drawn_anew_each_time(make_items, max_bytes):
    items, _ = make_items(240, views=2, max_bytes=max_bytes)
    batches = Batches(items, 120, seed=0)
    drawn = []
    for _ in range(30):
        batch = batches.next()
        # Item n's view v has n + v / 10 as its first image feature, and -n as its text feature.
        view_B = ((batch.image_BI[:, 0] + batch.text_BT[:, 0]) * 10).round().long()
        drawn.append(view_B[batch.text_BT[:, 0].argsort()])
    view_SB = torch.stack(drawn)
    # 3,600 draws among three views: 1,200 each, standard deviation 28.
    assert torch.bincount(view_SB.flatten(), minlength=3).sub(1200).abs().max() < 150
    assert all(len(set(column)) == 3 for column in view_SB.T.tolist())


def test_views_go_on_after_a_restart(make_items):
    items, _ = make_items(40, views=3)
    batches = Batches(items, 8, seed=0)
    for _ in range(4):
        batches.next()
    state = batches.state()
    restored = Batches(items, 8, seed=0)
    restored.restore(state)
    for _ in range(5):
        assert torch.equal(batches.next().image_BI, restored.next().image_BI)


def test_processes_share_every_batch_in_its_order(make_items):
    items, _ = make_items(60)
    whole = Batches(items, 12, seed=0)
    shares = [Batches(items, 12, 0, World(rank, 3)) for rank in range(3)]
    for _ in range(5):
        batch = whole.next()
        parts = [share.next() for share in shares]
        assert torch.equal(torch.cat([part.image_BI for part in parts]), batch.image_BI)
        assert all(torch.equal(part.label_B, batch.label_B) for part in parts)


def test_a_batch_that_cannot_be_shared_evenly_is_refused(make_items):
    with pytest.raises(InputError, match=r"train\.batch_size: got 16; .* multiple of the 3"):
        Batches(make_items(60)[0], 16, 0, World(1, 3))


def test_a_batch_says_what_its_items_have(make_items):
    train, _ = make_items(64, without_image=range(0, 64, 5), without_text=range(1, 64, 5))
    batches = Batches(train, 10, seed=0)
    batch = batches.next()
    # The first feature of item n is n for its picture and -n for its text.
    for image, text, label, has_image, has_text in zip(
        batch.image_BI, batch.text_BT, batch.label_B, *batch.present, strict=True
    ):
        assert has_image or has_text
        assert not has_image or image[0] % 5 != 0
        assert not has_text or text[0] % 5 != 4
        assert not (has_image and has_text) or image[0] == -text[0]
        assert 0 <= label < 3
    shares = [Batches(train, 10, seed=0, world=World(rank, 2)).next() for rank in range(2)]
    for rank, share in enumerate(shares):
        assert torch.equal(share.present.image_N, batch.present.image_N)
        own = slice(5 * rank, 5 * rank + 5)
        assert torch.equal(share.own_present.text_N, batch.present.text_N[own])
