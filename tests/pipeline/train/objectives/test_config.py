import pytest

from pipeline.core.errors import InputError
from pipeline.train.objectives import OBJECTIVES
from pipeline.train.objectives.config import make_config

SIZES = {
    "dim": 8,
    "image_layers": 5,
    "text_layers": 2,
    "width": 16,
    "dropout": 0.1,
    "logit_scale": "none",
    "fusion": "late",
}


@pytest.mark.parametrize("name", sorted(OBJECTIVES))
def test_projecting_objectives_take_the_dimension_of_psi(make_pairs, name):
    config = make_config(OBJECTIVES[name], SIZES, make_pairs(4), psi_dim=50, num_classes=3)
    assert config.dim == (50 if name in {"devise", "hie", "huse_p"} else 8)
    assert (config.image_features, config.text_features, config.num_classes) == (6, 4, 3)


@pytest.mark.parametrize("name", ["cme", "hie", "separate"])
def test_concatenation_needs_one_classifier(make_pairs, name):
    sizes = {**SIZES, "fusion": "concat"}
    with pytest.raises(InputError, match=r"model.fusion: concat"):
        make_config(OBJECTIVES[name], sizes, make_pairs(4), psi_dim=50, num_classes=3)
