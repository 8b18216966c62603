import pytest
import torch

from pipeline.metrics import neighbours as blocks
from pipeline.metrics.average_precision import average_precision_at_r


def ranked_gallery(count):
    """Items whose similarity to the query (1, 0) falls with their index."""
    angle = torch.linspace(0.1, 1.5, count)
    return torch.stack((angle.cos(), angle.sin()), dim=1)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        # R = 3, hits at ranks 1 and 3: (1/1 + 2/3) / 3; the hit at rank 5 lies beyond R.
        ([1, 0, 1, 0, 1], (1 + 2 / 3) / 3),
        ([1, 1, 1, 0, 0], 1.0),
        # R = 2, no hit in the first two.
        ([0, 0, 1, 1, 0], 0.0),
        # R = 1.
        ([0, 1, 0, 0, 0], 0.0),
        ([1, 0, 0, 0, 0], 1.0),
        # R = 5: everything is a hit.
        ([1, 1, 1, 1, 1], 1.0),
        # R = 0.
        ([0, 0, 0, 0, 0], 0.0),
    ],
)
def test_values_worked_by_hand(labels, expected):
    found = average_precision_at_r(
        torch.tensor([[1.0, 0.0]]), ranked_gallery(5), torch.tensor([1]), torch.tensor(labels)
    )
    assert found.tolist() == pytest.approx([expected])


def naive(query, gallery, query_label, gallery_label, query_group, gallery_group):
    values = []
    for m in range(len(query)):
        left = [n for n in range(len(gallery)) if query_group[m] != gallery_group[n]]
        left.sort(key=lambda n, m=m: (-float(query[m] @ gallery[n]), n))
        same = [bool(gallery_label[n] == query_label[m]) for n in left]
        relevant, total = sum(same), 0.0
        for rank in range(1, relevant + 1):
            if same[rank - 1]:
                total += sum(same[:rank]) / rank
        values.append(total / relevant if relevant else 0.0)
    return values


@pytest.mark.parametrize("rows", [2, 17, 256])
def test_agrees_with_plain_loops_with_ties_and_groups(monkeypatch, rows):
    monkeypatch.setattr(blocks, "ROWS_PER_BLOCK", rows)
    generator = torch.Generator().manual_seed(0)
    query = torch.randint(-2, 3, (60, 3), generator=generator).float()
    gallery = torch.randint(-2, 3, (110, 3), generator=generator).float()
    # Skewed classes, so that R differs widely within a block.
    labels = [(torch.rand(n, generator=generator) ** 3 * 6).long() for n in (60, 110)]
    groups = [torch.randint(0, 15, (n,), generator=generator) for n in (60, 110)]
    found = average_precision_at_r(
        query, gallery, *labels, query_group_M=groups[0], gallery_group_N=groups[1]
    )
    assert found.tolist() == pytest.approx(naive(query, gallery, *labels, *groups))
