from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from pipeline.drift import periods
from pipeline.drift.batch_log import Batch, Kept
from pipeline.drift.moments import Moments
from pipeline.drift.periods import gather, period_name

# A Friday; the next Monday is of another week, the next Tuesday of another month.
FRIDAY = datetime(2026, 11, 27, tzinfo=UTC)


def batch(when, texts, near=True, path="hats", probability=0.75):
    said = (path, probability, near, when, "new.csv")
    vector_D = np.array([1, 0], dtype=np.float16)
    return Batch(
        when,
        [path] * len(texts),
        np.full(len(texts), probability),
        [near] * len(texts),
        {name: Moments.of(np.ones((len(texts), 2))) for name in ("image", "text")},
        [Kept("", text, *said, row, vector_D) for row, text in enumerate(texts, start=1)],
    )


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("day", ["2026-11-27", "2026-11-30", "2026-12-01"]),
        ("week", ["2026-W48", "2026-W49"]),
        ("month", ["2026-11", "2026-12"]),
    ],
)
def test_periods_are_in_their_order_whatever_that_of_the_batches(by, names):
    days = [FRIDAY + timedelta(days=days) for days in (4, 0, 3)]
    found = gather([batch(when, ["a"]) for when in days], by)
    assert [one.name for one in found.periods] == names


def test_a_week_is_of_the_year_that_most_of_it_is_in():
    assert period_name(datetime(2027, 1, 1, tzinfo=UTC), "week") == "2026-W53"


def test_batches_of_a_period_are_counted_together():
    unclear = batch(FRIDAY, ["d"], near=None, path="bags", probability=0.25)
    found = gather([batch(FRIDAY, ["a", "b"], near=False), batch(FRIDAY, ["c"]), unclear], "week")
    (period,) = found.periods
    assert (period.items, period.judged, period.far) == (4, 3, 2)
    assert period.classes == {"hats": 3, "bags": 1}
    assert period.probability == pytest.approx(2.5)
    assert period.moments["image"].count == 4


def test_batches_of_other_models_are_counted_apart():
    found = gather([None, batch(FRIDAY, ["a"]), None], "day")
    assert (found.others, found.periods[0].items) == (2, 1)


def test_an_item_that_came_twice_is_one_candidate():
    later = batch(FRIDAY + timedelta(days=1), ["a"])
    for batches in ([batch(FRIDAY, ["a"]), later], [later, batch(FRIDAY, ["a"])]):
        (one,) = gather(batches, "day").candidates
        assert one.when == later.when


def test_the_least_certain_candidates_stay_in_memory(monkeypatch):
    monkeypatch.setattr(periods, "MOST_CANDIDATES", 2)
    batches = [batch(FRIDAY, [f"{n}"], probability=n / 10) for n in (7, 1, 5, 2, 9, 8)]
    batches.append(batch(FRIDAY, ["far"], near=False, probability=1.0))
    assert [one.text for one in gather(batches, "day").candidates] == ["far", "1"]
