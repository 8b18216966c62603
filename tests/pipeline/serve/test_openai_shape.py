import base64
from types import SimpleNamespace

import numpy as np
import pytest
from pydantic import ValidationError

from pipeline.serve.limits import Limits
from pipeline.serve.openai_shape import EmbeddingsForm, embeddings_answer, models_answer
from pipeline.serve.questions import Item
from pipeline.serve.refused import RefusedError
from tests.pipeline.serve.conftest import encoded

LOADED = SimpleNamespace(
    name="huse-1", since=5, huse=SimpleNamespace(description=SimpleNamespace(dimension=2))
)


def form(**content):
    return EmbeddingsForm.model_validate(content, context={"limits": Limits(max_items=3)})


def test_a_text_a_list_and_pictures_may_come(picture):
    assert form(input="red cat").items(10**6) == [Item(None, "red cat")]
    url = f"data:image/png;base64,{encoded(picture)}"
    assert form(input=["red", url]).items(10**6) == [Item(None, "red"), Item(picture, None)]
    with pytest.raises(RefusedError, match=r"input.1: .* megapixels"):
        form(input=["red", url]).items(10)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "give a text"),
        (5, "give a text"),
        ([1, 2], "tokens are not taken"),
        ([[1, 2]], "tokens are not taken"),
        (["a"] * 4, "4 texts; 3 are the limit"),
        (["a" * 10_001], "more than 10000 characters"),
    ],
)
def test_what_cannot_be_embedded_is_told(given, message):
    with pytest.raises(ValidationError, match=message):
        form(input=given)


def test_fields_of_other_clients_are_passed_over():
    assert form(input="a", user="me", service_tier="x").encoding_format == "float"


def test_a_model_may_be_named_and_another_is_none():
    form(input="a").check_model(LOADED)
    form(input="a", model="huse-1", dimensions=2).check_model(LOADED)
    with pytest.raises(RefusedError, match="huse-1 answers") as caught:
        form(input="a", model="huse-2").check_model(LOADED)
    assert (caught.value.status, caught.value.code) == (404, "model_not_found")
    with pytest.raises(RefusedError, match="2 dimensions"):
        form(input="a", dimensions=3).check_model(LOADED)


def test_vectors_come_in_either_encoding():
    vector_D = np.array([0.6, -0.8], np.float32)
    items, answers = [Item(None, "red cat"), Item(b"", None)], [{"fused": vector_D}] * 2
    plain = embeddings_answer(form(input="a"), items, answers, LOADED)
    assert plain["usage"] == {"prompt_tokens": 2, "total_tokens": 2}
    assert [one["index"] for one in plain["data"]] == [0, 1]
    np.testing.assert_array_equal(np.float32(plain["data"][0]["embedding"]), vector_D)
    coded = embeddings_answer(form(input="a", encoding_format="base64"), items, answers, LOADED)
    decoded = np.frombuffer(base64.b64decode(coded["data"][0]["embedding"]), "<f4")
    np.testing.assert_array_equal(decoded, vector_D)


def test_the_models_that_may_be_named_are_listed():
    assert [one["id"] for one in models_answer(LOADED)["data"]] == ["huse", "huse-1"]
