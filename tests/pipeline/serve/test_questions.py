import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.serve.questions import Asked, Classify, Embed, Item, Search, answer_together


@pytest.fixture
def items(picture):
    return [Item(picture, "red heart"), Item(None, "blue heart"), Item(picture, None)]


def asked_alone(huse, question, item):
    ((answer,),) = answer_together([Asked(huse, question, [item])])
    return answer


def near(one, other):
    """Equal but for the last bits, which depend on the size of a product."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(near(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(near, one, other))
    if isinstance(one, (float, np.ndarray)):
        return np.allclose(one, other, atol=1e-5)
    return one == other


def test_answers_are_those_of_the_library(huse, items, picture_folder, settings):
    path = min(picture_folder.iterdir())
    v = huse.embed([path, None, path], ["red heart", "blue heart", None])
    (found, classified, embedded) = answer_together(
        [
            Asked(huse, Search(5, mode="hybrid"), items),
            Asked(huse, Classify(settings, 2), items),
            Asked(huse, Embed(), items),
        ]
    )
    for answer, hits, nearness in zip(
        found, huse.search(v, 5, mode="hybrid"), huse.near(v), strict=True
    ):
        assert near(answer.pop("hits"), [hit.as_dict() for hit in hits])
        assert near(answer, nearness._asdict())
    for answer, prediction in zip(classified, huse.classify(v, 2), strict=True):
        assert near(answer["top"], [guess._asdict() for guess in prediction.top])
        assert answer.keys().isdisjoint({"row", "image", "text"})
    np.testing.assert_allclose([one["fused"] for one in embedded], v.fused_ND, atol=1e-6)
    assert [one["image"] is None for one in embedded] == [False, True, False]
    assert [one["text"] is None for one in embedded] == [False, False, True]


def test_what_is_asked_beside_changes_no_answer(huse, items, settings):
    questions = [Search(3), Search(3, where="text != ''"), Classify(settings, 2), Embed()]
    asked = [Asked(huse, question, [item]) for item in items for question in questions]
    for one, answer in zip(asked, answer_together(asked), strict=True):
        assert near(answer, [asked_alone(huse, one.question, one.items[0])])


def test_the_encoders_run_once_for_all(huse, items, settings, monkeypatch):
    read, calls = type(huse).read_features, []

    def counted(self, images, *others):
        calls.append(len(images))
        return read(self, images, *others)

    monkeypatch.setattr(type(huse), "read_features", counted)
    answer_together([Asked(huse, one, items) for one in (Search(), Embed(), Classify(settings))])
    assert calls == [9]


def test_a_request_that_cannot_be_answered_takes_nothing_from_others(huse, items, picture):
    broken = picture[:200]
    answers = answer_together(
        [
            Asked(huse, Embed(), [items[0]]),
            Asked(huse, Embed(), [items[0], Item(broken, "cat")]),
            Asked(huse, Search(1, within="no such class"), [items[1]]),
            Asked(huse, Search(1, where="text"), [items[1]]),
            Asked(huse, Search(1), [Item(None, " ")]),
            Asked(huse, Search(1), [items[1]]),
        ]
    )
    assert [isinstance(answer, InputError) for answer in answers] == [
        *(False, True, True, True, True, False)
    ]
    said = [str(answer) for answer in answers]
    assert said[1].startswith("item 1: picture: broken picture")
    assert "no item is of class 'no such class'" in said[2]
    assert said[3].startswith("where: text is")
    assert said[4] == "text is empty"


def test_several_pictures_of_an_item_are_pooled(huse, picture, picture_folder):
    first, second, *_ = sorted(picture_folder.iterdir())
    files = [first.read_bytes(), second.read_bytes()]
    both, broken = answer_together(
        [
            Asked(huse, Embed(), [Item(files, "red heart"), Item(files[0], None)]),
            Asked(huse, Embed(), [Item([*files, picture[:200]], None)]),
        ]
    )
    v = huse.embed([[first, second], first], ["red heart", None])
    np.testing.assert_allclose([one["fused"] for one in both], v.fused_ND, atol=1e-6)
    assert str(broken).startswith("picture 2: broken picture")


def test_unforeseen_trouble_is_of_one_request_alone(huse, items):
    class Broken:
        def answer(self, model, features):
            raise RuntimeError("no")

    answers = answer_together([Asked(huse, one, items) for one in (Embed(), Broken(), Search(1))])
    assert [type(answer) for answer in answers] == [list, RuntimeError, list]
