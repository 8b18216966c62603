from types import SimpleNamespace

from pipeline.serve.meters import Meters


def figures(meters):
    lines = meters.response().body.decode().splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


def test_what_is_counted_is_told():
    meters, other = Meters(), Meters()
    meters.request("/search", 200, 0.004)
    meters.request("/search", 400, 0.1)
    meters.batch(3)
    meters.watch_queue(lambda: 7)
    meters.model(SimpleNamespace(digest="a", items=5))
    meters.model(SimpleNamespace(digest="b", items=6))
    meters.reload("failed")
    told = figures(meters)
    assert told['huse_requests_total{route="/search",status="200"}'] == "1.0"
    assert told['huse_request_seconds_bucket{le="0.005",route="/search"}'] == "1.0"
    assert told['huse_request_seconds_count{route="/search"}'] == "2.0"
    assert (told["huse_batch_items_sum"], told["huse_queue_items"]) == ("3.0", "7.0")
    assert told['huse_model_info{digest="b"}'] == "1.0"
    assert 'huse_model_info{digest="a"}' not in told
    assert told["huse_index_items"] == "6.0"
    assert told['huse_reloads_total{outcome="failed"}'] == "1.0"
    assert "process_resident_memory_bytes" in told
    assert "huse_batch_items_sum" in figures(other)
    assert figures(other)["huse_batch_items_sum"] == "0.0"


def test_prometheus_is_told_the_format():
    assert Meters().response().headers["content-type"].startswith("text/plain; version=")
