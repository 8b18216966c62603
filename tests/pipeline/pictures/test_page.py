import re
from base64 import b64decode
from io import BytesIO

import pytest
from jinja2 import DictLoader, UndefinedError
from PIL import Image

from pipeline.core.errors import InputError
from pipeline.pictures import page

TEMPLATE = """<style>{% include "page.css" %}</style>{% for one in names %}
<b>{{ one|shouted }}</b><img src="data:image/webp;base64,{{ picture(image) }}">{% endfor %}"""


@pytest.fixture
def write(numbered_pictures, tmp_path, monkeypatch):
    def from_text(package, folder):
        loader = package_loader(package, folder)
        return loader if package == "pipeline.pictures" else DictLoader({"x.html": TEMPLATE})

    package_loader = page.PackageLoader
    monkeypatch.setattr(page, "PackageLoader", from_text)

    def write(path, **values):
        page.write_page(
            path,
            "pipeline.evaluate",
            "x.html",
            {"names": ["a<b>"], "image": "11.png"} | values,
            images=numbered_pictures,
            background="#ffffff",
            filters={"shouted": str.upper},
        )
        return path.read_text(encoding="utf-8")

    return lambda **values: write(tmp_path / "page.html", **values)


def test_pictures_are_small_and_within_and_texts_are_escaped(write):
    html = write()
    assert "<b>A&lt;B&gt;</b>" in html
    (data,) = re.findall(r"base64,([^\"]+)", html)
    assert max(Image.open(BytesIO(b64decode(data))).size) == page.SIDE
    assert "color-scheme: light dark" in html


def test_a_picture_that_is_there_twice_is_read_once(write, monkeypatch):
    read = []
    thumbnail = page.thumbnail
    monkeypatch.setattr(page, "thumbnail", lambda *args: read.append(args) or thumbnail(*args))
    assert write(names=["one", "two"]).count("base64,") == 2
    assert len(read) == 1


def test_a_template_that_names_what_is_not_there_leaves_no_page(write, monkeypatch, tmp_path):
    monkeypatch.setitem(globals(), "TEMPLATE", "{{ nothing }}")
    with pytest.raises(UndefinedError):
        write()
    assert list(tmp_path.glob("*.html")) == []


def test_a_folder_that_cannot_be_written_to_is_one_line(numbered_pictures, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file"):
        page.write_page(
            tmp_path / "file" / "page.html",
            "pipeline.pictures",
            "page.css",
            {},
            images=numbered_pictures,
            background="#ffffff",
        )
