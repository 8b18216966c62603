from dataclasses import replace

import pytest

from pipeline.core.errors import InputError
from pipeline.image_features.load_backbone import load_backbone, load_same_backbone


@pytest.mark.parametrize("name", ["resnet18", "keras/resnet18", "packaged/", ""])
def test_an_unknown_source_is_named_with_the_known(name):
    with pytest.raises(
        InputError,
        match=r"image\.backbone: got .*; known: open_clip/\.\.\., packaged/\.\.\., sentence_tr",
    ):
        load_backbone(name, "pooled", "default")


def test_a_recipes_backbone_has_the_recipes_transform(small):
    backbone = load_same_backbone(small.recipe)
    assert backbone.transform == small.recipe.transform
    assert backbone.transform.size == 64
    with pytest.raises(InputError, match="put the same weights back or run image_features again"):
        load_same_backbone(replace(small.recipe, weights_digest="0" * 64))
