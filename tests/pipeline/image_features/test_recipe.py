from dataclasses import replace

import pytest

from pipeline.core.errors import InputError
from pipeline.image_features.recipe import Recipe, row_key


def test_a_recipe_survives_as_metadata(small):
    metadata = small.recipe.metadata()
    assert all(isinstance(value, str) for value in metadata.values())
    assert Recipe.from_metadata(metadata | {"views": "3"}) == small.recipe


@pytest.mark.parametrize(
    "change",
    [
        {"backbone": "torchvision/resnet18"},
        {"weights_digest": "0"},
        {"layer": "logits"},
        {"jpeg": "scaled"},
        {"background": "#000000"},
        {"precision": "bf16"},
        {"runtime": "torch"},
        {"versions": "pillow 1.0"},
    ],
)
def test_what_changes_a_vector_changes_the_fingerprint(small, change):
    assert replace(small.recipe, **change).fingerprint() != small.recipe.fingerprint()


def test_the_transform_is_part_of_the_fingerprint_and_the_place_of_the_weights_is_not(small):
    recipe = small.recipe
    other = replace(recipe, transform=recipe.transform.changed(interpolation="box"))
    assert other.fingerprint() != recipe.fingerprint()
    same = replace(recipe, weights="elsewhere.pt", max_pixels=5)
    assert same.fingerprint() == recipe.fingerprint()


def test_features_of_another_program_are_refused_in_one_line(small):
    metadata = small.recipe.metadata()
    with pytest.raises(InputError, match="format 1, this program makes 4; run image_features"):
        Recipe.from_metadata(metadata | {"image_format": "1"})
    with pytest.raises(InputError, match="damaged description of image features"):
        Recipe.from_metadata(metadata | {"dimension": "many"})
    del metadata["layer"]
    with pytest.raises(InputError, match="damaged description of image features"):
        Recipe.from_metadata(metadata)


def test_every_view_has_its_own_key_and_the_clean_one_no_recipe():
    digest = bytes(range(32))
    keys = [row_key(digest, view, name) for view in (0, 1, 2) for name in ("crop_a", "crop_flip")]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 5
    assert {len(key) for key in keys} == {32}
