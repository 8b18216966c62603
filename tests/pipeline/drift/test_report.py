import re

import pandas as pd
import pytest

from pipeline.drift.compare import FIGURES, Comparison
from pipeline.drift.periods import Period
from pipeline.drift.report import HEIGHT, WIDTH, Row, write_report


def comparison(figure, value, limit, is_beyond):
    interval = (value / 2, min(1, 2 * value)) if figure == "far" else None
    return Comparison(figure, 10, value, interval, limit / 2, limit, 0.02, is_beyond)


@pytest.fixture
def rows():
    weeks = {"2026-W47": [("far", 0.2, 0.1, True), ("probability", 0.8, 0.7, False)]}
    weeks["2026-W48"] = [("probability", 0.6, 0.7, True)]
    return [
        Row(Period(name, 10), [comparison(*figure) for figure in figures])
        for name, figures in weeks.items()
    ]


def test_the_table_has_a_row_per_week_and_figure(rows, tmp_path):
    write_report(tmp_path, rows, level=0.01, by="week")
    table = pd.read_csv(tmp_path / "drift.csv")
    assert table[["period", "figure", "value", "beyond"]].values.tolist() == [
        ["2026-W47", "far", 0.2, True],
        ["2026-W47", "probability", 0.8, False],
        ["2026-W48", "probability", 0.6, True],
    ]
    assert table["interval_low"].tolist()[0] == 0.1
    assert table["interval_low"].isna().tolist() == [False, True, True]
    assert [row.beyond for row in rows] == [["far"], ["probability"]]


def test_the_page_opens_offline_and_has_a_chart_per_measured_figure(rows, tmp_path):
    write_report(tmp_path, rows, level=0.01, by="week")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "http" not in page.replace("http-equiv", "")
    assert page.count("<svg") == 2
    assert FIGURES["far"] in page
    assert page.count('class="outside"') == 2
    assert page.count("<td>-</td>") == 2 * len(FIGURES) - 3
    assert "In 1 % of the weeks" in page


def test_what_is_drawn_is_within_the_chart(rows, tmp_path):
    write_report(tmp_path, rows, level=0.01, by="week")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    points = re.findall(r'points="([^"]*)"', page)
    pairs = [tuple(map(float, pair.split(","))) for one in points for pair in one.split()]
    assert pairs
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in pairs)
