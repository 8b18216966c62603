from pipeline.catalog.rows import Row
from pipeline.core.errors import BadRowError


def test_a_row_unpacks_in_the_order_number_values_reason():
    number, values, reason = Row(3, ["a.jpg", "Bag", "bags"], "")
    assert (number, values, reason) == (3, ["a.jpg", "Bag", "bags"], "")


def test_a_bad_row_error_reads_as_its_reason():
    assert str(BadRowError("text is empty")) == "text is empty"
