from pipeline.index.hit import Hit


def test_a_hit_is_told_without_places_in_the_index():
    hit = Hit(7, "id", "a.png", "bag", "bags<big", 0.25, attributes={"price": 9.5}, picture=12)
    assert hit.as_dict() == {
        "item_id": "id",
        "image": "a.png",
        "text": "bag",
        "class_path": "bags<big",
        "distance": 0.25,
        "words": None,
        "attributes": {"price": 9.5},
        "likely_path": None,
    }
