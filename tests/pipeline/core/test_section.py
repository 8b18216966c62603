from pipeline.settings import SECTIONS


def test_a_key_holds_a_section_or_a_value():
    catalog = SECTIONS["catalog"]
    columns = catalog.section_under("columns")
    assert columns is not None
    assert "text" in columns.model_fields
    assert catalog.section_under("separator") is None
    assert catalog.section_under("no such key") is None
