from pipeline.core.counted import counted, times


def test_one_is_no_plural_and_nothing_no_number():
    assert [counted(number, "row") for number in (0, 1, 2)] == ["no rows", "1 row", "2 rows"]
    assert [counted(number, "class") for number in (1, 2)] == ["1 class", "2 classes"]
    assert [times(number) for number in (1, 2)] == ["once", "2 times"]
