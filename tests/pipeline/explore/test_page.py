from pipeline.explore.page import build_page


def test_events_of_the_page_are_no_public_interface(explorer):
    page = build_page(explorer)
    functions = page.get_config_file()["dependencies"]
    assert len(functions) == 2
    assert {function["api_visibility"] for function in functions} == {"private"}
    assert page.analytics_enabled is False
