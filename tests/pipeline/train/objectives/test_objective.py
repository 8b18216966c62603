import pytest
import torch

from pipeline.train.objectives import OBJECTIVES


@pytest.mark.parametrize("name", sorted(OBJECTIVES))
def test_every_objective_is_minimised_by_its_towers(name, make_model, make_pairs, make_objective):
    """Fifty steps on one batch lower the total, whichever the objective."""
    kind = OBJECTIVES[name]
    pairs = make_pairs(24)
    model = make_model(classifier=kind.classifier)
    objective = make_objective(kind)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    totals = []
    for _ in range(50):
        total, _ = objective(model(pairs.image_NI, pairs.text_NT), pairs.label_N)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        totals.append(total.item())
    assert totals[-1] < 0.7 * totals[0]
