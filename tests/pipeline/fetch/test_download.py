import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from threading import Event
from time import monotonic

import httpx
import pytest
from psutil import Process

from pipeline.core.errors import BadRowError
from pipeline.fetch import download
from pipeline.fetch.download import Downloader, Manners, _wished
from tests.pipeline.fetch.conftest import picture


@pytest.fixture
def downloader():
    made = Downloader(Manners(is_allowed=lambda address: address == "127.0.0.1"), Event())
    yield made
    made.close()


def test_a_picture_is_downloaded_and_redirects_are_followed(web, downloader):
    assert downloader.download(web.url("a.png")) == picture("a.png")
    assert downloader.download(web.url("moved/moved/a.png")) == picture("a.png")
    (agent,) = web.agents
    assert agent.startswith("huse-pipeline/")
    assert "fetch_pictures" in agent


@pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere a process may not list its connections"
)
@pytest.mark.parametrize(("keeps", "kept"), [(True, 3), (False, 0)])
def test_connections_stay_open_or_do_not(web, keeps, kept):
    downloader = Downloader(Manners(is_allowed=lambda address: True), Event(), keeps=keeps)
    for host in ("127.0.0.1", "localhost", "2130706433"):
        downloader.download(web.url("a.png", host))
    opened = [one for one in Process().net_connections("tcp") if one.raddr]
    open_here = [one for one in opened if one.raddr.port == web.server_port]
    assert sum(one.status == "ESTABLISHED" for one in open_here) == kept
    downloader.close()


@pytest.mark.parametrize("status", [429, 503])
def test_a_host_that_is_busy_is_asked_again_when_it_says(web, downloader, status):
    start = monotonic()
    assert downloader.download(web.url(f"busy/{status}")) == picture(f"busy/{status}")
    assert monotonic() - start > 0.95
    assert web.asked[f"busy/{status}"] == 2


def test_a_host_that_wants_to_be_left_alone_is(web, downloader):
    with pytest.raises(BadRowError, match=r"HTTP 429 Too Many Requests, .* again in 3600 s"):
        downloader.download(web.url("closed"))
    with pytest.raises(BadRowError, match=r"not asked, as 127\.0\.0\.1 was given up .* run again"):
        downloader.download(web.url("a.png"))
    assert dict(web.asked) == {"closed": 1}


def test_a_host_that_fails_is_left_alone_after_some_pictures(web, downloader, monkeypatch):
    monkeypatch.setattr(download, "FIRST_WAIT", 0.01)
    for number in range(download.FAILURES):
        with pytest.raises(BadRowError, match="HTTP 500 Internal Server Error"):
            downloader.download(web.url(f"broken/{number}"))
        assert web.asked[f"broken/{number}"] == download.TRIES
    with pytest.raises(BadRowError, match=r"given up \(HTTP 500"):
        downloader.download(web.url("a.png"))


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("gone", "HTTP 404 Not Found"),
        ("round", "more than 5 redirects"),
        ("endless", "larger than 1 MiB"),
        ("packed/br", "answer is packed (br), which was not asked for"),
        ("slow", "takes longer than 0.3 s"),
        ("away/127.0.0.2/a.png", "127.0.0.2 is in a private network"),
        ("away/localhost:1@[::1]/a.png", "::1 is in a private network"),
    ],
)
def test_what_cannot_be_had_has_a_reason(web, path, reason):
    manners = Manners(2, 2**20, 0.3, lambda address: address == "127.0.0.1")
    downloader = Downloader(manners, Event())
    with pytest.raises(BadRowError) as refused:
        downloader.download(web.url(path))
    assert reason in str(refused.value)
    downloader.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]"])
def test_this_machine_is_not_asked_unless_it_is_allowed(web, host):
    downloader = Downloader(Manners(), Event())
    with pytest.raises(BadRowError, match=r"is in a private network .* --allow-private"):
        downloader.download(web.url("a.png", host))
    assert not web.asked


@pytest.mark.parametrize("url", ["ftp://example.org/a.png", "file:///etc/passwd", "http://", "x"])
def test_other_schemes_are_refused(downloader, url):
    with pytest.raises(BadRowError, match="no URL of http or https"):
        downloader.download(url)


def test_a_redirect_to_another_scheme_is_refused(web, downloader):
    with pytest.raises(BadRowError, match="no URL of http or https: file"):
        downloader.download(web.url("scheme/file:///etc/passwd"))


def test_a_host_that_nobody_answers_for_is_a_reason(downloader, monkeypatch):
    monkeypatch.setattr(download, "FIRST_WAIT", 0.01)
    with pytest.raises(BadRowError, match="connection failed"):
        downloader.download("http://127.0.0.1:9/a.png")


def test_times_to_wait_are_read_in_both_forms():
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert 25 < _wished(httpx.Headers({"Retry-After": later})) <= 30
    assert _wished(httpx.Headers({"Retry-After": "7"})) == 7
    past = format_datetime(datetime.now(UTC) - timedelta(seconds=30), usegmt=True)
    assert _wished(httpx.Headers({"Retry-After": past})) == 0
    for value in ("", "soon", "-1"):
        assert _wished(httpx.Headers({"Retry-After": value})) is None
