import numpy as np

from pipeline.evaluate.charts import draw_chart


def test_the_corners_are_the_ends_of_the_axes():
    chart = draw_chart({"level 1": np.array([[0.5, 1.0], [1.0, 0.7]])}, left=0.0)
    assert (chart.left, chart.bottom) == (0.0, 0.7)
    (line,) = chart.lines
    assert line == ("level 1", "100.0,0.0 200.0,200.0")
    # Equal values begin where both axes do.
    assert chart.diagonal == "140.0,200.0 200.0,0.0"


def test_both_axes_begin_where_the_least_value_allows():
    chart = draw_chart({"a": np.array([[0.62, 0.31]]), "b": np.array([[0.9, 0.95]])})
    assert (chart.left, chart.bottom) == (0.6, 0.3)
    # Never without room: values of one are drawn too.
    assert draw_chart({"a": np.ones((1, 2))}).left == 0.9


def test_what_is_not_known_is_not_drawn():
    chart = draw_chart({"a": np.array([[0.5, np.nan], [1.0, 1.0]]), "b": np.empty((0, 2))})
    assert [line.points for line in chart.lines] == ["200.0,0.0", ""]
