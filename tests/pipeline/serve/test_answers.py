import json
import math
from datetime import date
from decimal import Decimal

from pipeline.serve.answers import HEADER, json_response


def test_an_answer_names_its_model_and_is_json():
    attributes = {"price": Decimal("12.50"), "day": date(2024, 1, 2), "brand": "Björk"}
    response = json_response({"hits": [{"attributes": attributes}]}, "huse-1")
    assert response.headers[HEADER] == "huse-1"
    assert json.loads(response.body)["hits"][0]["attributes"] == {
        **{"price": 12.5, "day": "2024-01-02", "brand": "Björk"}
    }


def test_json_has_no_nan():
    content = {"a": [math.nan, 1.5, {"b": math.inf}], "c": Decimal("1.5")}
    body = json_response(content, "huse-1").body
    assert json.loads(body) == {"a": [None, 1.5, {"b": None}], "c": 1.5}
    assert b"NaN" not in body
