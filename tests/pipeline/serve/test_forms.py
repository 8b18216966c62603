import asyncio
import json
from io import BytesIO

import pytest
from PIL import Image
from starlette.requests import Request

from pipeline.serve.forms import (
    ClassifyForm,
    EmbedForm,
    SearchForm,
    body_of,
    check_picture,
    read_form,
)
from pipeline.serve.limits import SMALL_BODY, Limits
from pipeline.serve.questions import Item
from pipeline.serve.refused import RefusedError
from tests.pipeline.serve.conftest import encoded

BOUNDARY = "b"


def read(form, body, kind="application/json", limits=None):
    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    scope = {"type": "http", "headers": [(b"content-type", kind.encode())], "method": "POST"}
    return asyncio.run(read_form(Request(scope, receive), form, limits or Limits()))


def read_json(form, content, **options):
    return read(form, json.dumps(content).encode(), **options)


def read_multipart(form, **fields):
    parts = b""
    for name, value in fields.items():
        file = b'; filename="%s"' % (b"x" if value else b"") if isinstance(value, bytes) else b""
        value = value if isinstance(value, bytes) else value.encode()
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'.encode()
        parts += head + file + b"\r\n\r\n" + value + b"\r\n"
    body = parts + f"--{BOUNDARY}--\r\n".encode()
    return read(form, body, f"multipart/form-data; boundary={BOUNDARY}")


def refuse(form, content, **options):
    with pytest.raises(RefusedError) as caught:
        read_json(form, content, **options)
    assert caught.value.status == 400
    return caught.value.message


def test_a_search_may_be_json_or_a_form_with_a_file(picture):
    asked = {"text": "red", "k": 3, "within": "a<b", "where": "price < 5", "mode": "words"}
    by_json = read_json(SearchForm, {**asked, "image": encoded(picture)})
    by_form = read_multipart(SearchForm, **{**asked, "k": "3"}, image=picture)
    assert by_json == by_form
    assert by_json.item() == Item(picture, "red")
    assert (by_json.k, by_json.where) == (3, "price < 5")
    assert read_multipart(SearchForm, text="red", image=b"", where="").where is None
    url = f"data:image/png;base64,{encoded(picture)}"
    assert read_json(SearchForm, {"image": url}).item() == Item(picture, None)


def test_a_form_has_one_item_and_json_many(picture):
    form = read_multipart(EmbedForm, text="red", image=picture)
    assert [item.item() for item in form.items] == [Item(picture, "red")]
    items = [{"text": "red"}, {"image": encoded(picture)}]
    assert [item.item() for item in read_json(EmbedForm, {"items": items}).items] == [
        *(Item(None, "red"), Item(picture, None))
    ]
    assert read_multipart(ClassifyForm, text="red", k="2").k == 2


def test_an_item_may_have_several_pictures(picture):
    several = [encoded(picture), f"data:image/png;base64,{encoded(picture)}"]
    form = read_json(EmbedForm, {"items": [{"image": several, "text": "red"}]})
    assert form.items[0].item() == Item([picture, picture], "red")
    assert read_json(SearchForm, {"image": several}).item().picture == [picture, picture]
    assert refuse(SearchForm, {"image": []}) == "image: a list without a picture"
    assert refuse(SearchForm, {"image": [several[0], "AAAA"]}).startswith("image: not a picture")
    limits = Limits(max_items=2)
    assert refuse(SearchForm, {"image": [*several, "?"]}, limits=limits) == (
        "image: 3 pictures; 2 are the limit"
    )
    items = [{"image": several}, {"text": "red"}]
    assert refuse(EmbedForm, {"items": items}, limits=limits) == (
        "3 items and further pictures of them; 2 are the limit: ask several times"
    )


def test_what_a_client_says_of_classification_counts_before_what_is_usual(settings):
    items = [{"text": "red"}]
    assert read_json(ClassifyForm, {"items": items}).settings(settings) == settings
    told = read_json(ClassifyForm, {"items": items, "precision": 0.8, "decide": "hf_beta"})
    assert told.settings(settings) == settings.model_copy(
        update={"precision": 0.8, "decide": "hf_beta"}
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "give text, image or both"),
        ({"text": "a", "k": 0}, "k: Input should be greater than or equal to 1"),
        ({"text": "a", "k": 10**9}, "k: Input should be less than or equal to 1000"),
        ({"text": "a", "k": float("nan")}, "k: Input should be a finite number"),
        ({"text": "a" * 10_001}, "text: String should have at most 10000 characters"),
        ({"text": "a", "kk": 1}, "kk: Extra inputs are not permitted"),
        ({"text": "a", "mode": "fast"}, "mode: Input should be 'hybrid', 'dense' or 'words'"),
        ({"image": "/etc/passwd"}, "image: not base64 of a picture's file"),
        ({"image": "http://127.0.0.1/a.png"}, "image: not base64 of a picture's file"),
        ({"image": "file:///etc/passwd"}, "image: not base64 of a picture's file"),
        ({"image": 5}, "image: not base64 of a picture's file"),
        ({"image": "AAAA"}, "image: not a picture in a known format"),
        ([], "Input should be an object"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_key(content, message):
    assert refuse(SearchForm, content) == message


def test_words_alone_need_a_text(picture):
    said = refuse(SearchForm, {"image": encoded(picture), "mode": "words"})
    assert said == "mode words: the text is missing"


@pytest.mark.parametrize("share", ["NaN", "Infinity", "-Infinity", "1e400", "0", "1", '"x"'])
def test_a_precision_is_a_share(share):
    with pytest.raises(RefusedError, match="precision: Input should be"):
        read(ClassifyForm, b'{"items": [{"text": "a"}], "precision": %s}' % share.encode())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no",
        b"[" * 100_000,
        b'{"text":' * 100_000,
        b'{"text": "\xff"}',
        b'{"text": "\\ud800"}',
    ],
)
def test_what_is_no_json_is_refused(body):
    with pytest.raises(RefusedError, match="Invalid JSON"):
        read(SearchForm, body)


def test_too_many_items_are_refused():
    limits = Limits(max_items=2)
    items = [{"text": "a"}] * 2
    assert len(read_json(EmbedForm, {"items": items}, limits=limits).items) == 2
    said = refuse(EmbedForm, {"items": [*items, {}]}, limits=limits)
    assert said == "3 items; 2 are the limit: ask several times"
    assert refuse(EmbedForm, {"items": []}).startswith("items: List should have at least 1 item")
    said = refuse(EmbedForm, {"items": [{"text": "a"}, {"image": "?"}]})
    assert said == "items.1.image: not base64 of a picture's file"


def test_a_large_body_is_read_in_a_thread_with_the_same_checks(picture):
    padding = " " * SMALL_BODY
    assert read(SearchForm, (padding + '{"text": "a"}').encode()).text == "a"
    with pytest.raises(RefusedError, match="k: "):
        read(SearchForm, (padding + '{"text": "a", "k": 0}').encode())


def test_a_form_that_is_none_is_refused():
    with pytest.raises(Exception, match="boundary"):
        read(SearchForm, b"x", "multipart/form-data")


def test_a_picture_is_checked_before_it_is_decoded(picture, large_picture):
    assert check_picture(picture, 10**6) == picture
    with pytest.raises(ValueError, match=r"64 megapixels; 40 are the limit: make it smaller"):
        check_picture(large_picture, 40_000_000)
    with pytest.raises(ValueError, match="not a picture"):
        check_picture(b"", 10**6)


def test_a_jpeg_that_would_keep_the_decoder_busy_is_refused():
    buffer = BytesIO()
    Image.new("RGB", (64, 64)).save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    assert check_picture(data, 10**6) == data
    last = data[data.rindex(b"\xff\xda") : -2]
    with pytest.raises(ValueError, match="more than 40 scans"):
        check_picture(data[:-2] + 40 * last + data[-2:], 10**6)


def test_the_description_of_a_body_refers_to_nothing_elsewhere():
    body = body_of(ClassifyForm)["requestBody"]["content"]
    assert "$ref" not in json.dumps(body)
    assert (
        "text" in body["application/json"]["schema"]["properties"]["items"]["items"]["properties"]
    )
    form = body["multipart/form-data"]["schema"]["properties"]
    assert form["image"]["items"] == {"type": "string", "format": "binary"}
    assert "items" not in form
    assert "precision" in form
