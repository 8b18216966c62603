from pipeline.explore.page import build_page


def test_events_of_the_page_are_no_public_interface(explorer):
    page = build_page(explorer)
    functions = page.get_config_file()["dependencies"]
    assert len(functions) == 2
    assert {function["api_visibility"] for function in functions} == {"private"}
    assert page.analytics_enabled is False


def labels(page):
    return [part["props"].get("label") for part in page.get_config_file()["components"]]


def test_filters_are_there_where_attributes_are(explorer, kept_explorer):
    assert "Filters" not in labels(build_page(explorer))
    shown = labels(build_page(kept_explorer))
    first = shown.index("Filters")
    found = [one for one in shown[first + 1 :] if one]
    assert found[:7] == [
        *("Where", "price from", "price to", "brand", "sale", "first seen from", "first seen to"),
    ]
