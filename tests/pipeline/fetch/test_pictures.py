import subprocess
import sys
import time
from pathlib import PurePath
from urllib.parse import quote

import pytest

from pipeline.core.errors import InputError
from pipeline.fetch.download import Manners
from pipeline.fetch.pictures import fetch_pictures, first_url, stem_of
from tests.pipeline.fetch.conftest import picture

HERE = Manners(is_allowed=lambda address: True)


def test_each_url_is_fetched_once_and_again_only_if_it_is_not_there(web, tmp_path):
    urls = [web.url(path) for path in ("a.png", "b.jpg?w=2", "b.jpg?w=3", "a.png", "gone")]
    found = fetch_pictures(urls, tmp_path / "new", HERE, silent=True)
    assert set(found.name_of) == set(urls[:4])
    assert found.reason_of == {urls[4]: "HTTP 404 Not Found"}
    assert found.downloaded == 3
    assert found.name_of[urls[0]] == f"{stem_of(urls[0])}.png"
    assert found.name_of[urls[1]].startswith("b-")
    assert {path.name for path in (tmp_path / "new").iterdir()} == set(found.name_of.values())
    assert found.name_of[urls[1]].endswith(".jpg")
    assert (tmp_path / "new" / found.name_of[urls[1]]).read_bytes() == picture("b.jpg?w=2")
    assert set(web.asked.values()) == {1}
    again = fetch_pictures(urls, tmp_path / "new", HERE, silent=True)
    assert (again.name_of, again.downloaded) == (found.name_of, 0)
    assert web.asked["a.png"] == 1
    assert web.asked["gone"] == 2


def test_files_end_as_what_they_are_and_not_as_the_url_does(web, tmp_path):
    endings = [".jpg", ".png", ".webp", ".gif", ".bmp", ".tif", ".avif"]
    urls = [web.url(f"a{ending}?as=x.php") for ending in endings]
    found = fetch_pictures(urls, tmp_path, HERE, silent=True)
    assert [PurePath(found.name_of[url]).suffix for url in urls] == endings


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "file is empty"),
        ("<html>", "not a picture in a known format"),
        ("%PDF-1.4", "not a picture in a known format"),
        ("GIF8", "not a picture in a known format"),
    ],
)
def test_what_is_no_picture_is_not_kept(web, tmp_path, content, reason):
    url = web.url(f"page/{quote(content)}")
    assert fetch_pictures([url], tmp_path, HERE, silent=True).reason_of == {url: reason}
    assert not list(tmp_path.iterdir())


def test_what_only_looks_like_a_url_is_listed(tmp_path):
    urls = ["http://[", "https://", "http://a b/c.png", "http://x.y:port/", "https://" + "a" * 99]
    found = fetch_pictures(urls, tmp_path, HERE, silent=True)
    assert set(found.reason_of) == set(urls)
    assert not list(tmp_path.iterdir())


def test_a_host_has_no_more_connections_than_it_is_said(web, tmp_path):
    urls = [web.url(f"late/{number}") for number in range(12)]
    found = fetch_pictures(urls, tmp_path, HERE._replace(connections=3), silent=True)
    assert len(found.name_of) == 12
    assert 2 <= web.most_at_once <= 3


def test_a_folder_that_cannot_be_written_to_is_one_line(web, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        fetch_pictures([web.url("a.png")], tmp_path / "file" / "x", HERE, silent=True)


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_where_it_stopped(web, tmp_path):
    urls = [web.url(f"late/{number}") for number in range(30)]
    code = f"""
from pathlib import Path
from pipeline.fetch.download import Manners
from pipeline.fetch.pictures import fetch_pictures
fetch_pictures({urls!r}, Path({str(tmp_path)!r}), Manners(is_allowed=lambda address: True))
"""
    running = subprocess.Popen([sys.executable, "-c", code])
    until = time.monotonic() + 60
    while len(list(tmp_path.glob("*.png"))) < 5 and time.monotonic() < until:
        time.sleep(0.02)
    running.kill()
    running.wait()
    there = {path.name for path in tmp_path.glob("*.png")}
    assert 5 <= len(there) < 30
    whole = {picture(f"late/{number}") for number in range(30)}
    assert {path.read_bytes() for path in tmp_path.glob("*.png")} <= whole
    found = fetch_pictures(urls, tmp_path, HERE, silent=True)
    assert len(found.name_of) == 30
    assert found.downloaded == 30 - len(there)


def test_names_of_files_tell_what_the_url_is_of():
    stem = stem_of("https://shop.example/media/Red%20Dress_01.JPG?width=200")
    assert stem.startswith("red-dress-01-")
    assert stem != stem_of("https://shop.example/media/Red%20Dress_01.JPG?width=300")
    assert stem_of("https://shop.example/") == stem_of("https://shop.example/").strip("-.")
    assert "/" not in stem_of("https://shop.example/a/..%2f..%2fetc%2fpasswd")
    assert len(stem_of("https://shop.example/" + "a" * 500)) < 70


@pytest.mark.parametrize(
    ("cell", "url"),
    [
        (" https://x.y/a,b.jpg ", "https://x.y/a,b.jpg"),
        ("HTTP://x.y/a.jpg, https://x.y/b.jpg", "HTTP://x.y/a.jpg"),
        ("https://x.y/a.jpg|https://x.y/b.jpg", "https://x.y/a.jpg"),
        ("pictures/a.jpg", ""),
        ("", ""),
    ],
)
def test_of_several_urls_in_a_cell_the_first_counts(cell, url):
    assert first_url(cell) == url
