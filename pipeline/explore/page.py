"""The page: search by text and picture, more like this, filter by class, the map of the space."""

from typing import Any

import gradio

from pipeline.explore.cards import ON_LOAD, STYLE, show_note
from pipeline.explore.explorer import EVERYTHING, START, Explorer
from pipeline.explore.facets import FEW, Facet
from pipeline.features.attributes import show_value
from pipeline.index.where import LONGEST


def build_page(explorer: Explorer) -> gradio.Blocks:
    """Lay the page out; it is not yet served."""

    def more_like(event: gradio.EventData, within: str, k: int, *filters: Any) -> str:
        return explorer.more_like(int(event.row), within, k, *filters)

    hour = 3600
    with gradio.Blocks(
        title="HUSE explorer", analytics_enabled=False, delete_cache=(hour, hour)
    ) as page:
        gradio.Markdown("# Explore the catalogue")
        with gradio.Row():
            with gradio.Column(scale=2):
                text = gradio.Textbox(
                    label="Text", placeholder="sad cat", max_length=500, elem_id="text"
                )
                with gradio.Row():
                    within = gradio.Dropdown(
                        explorer.classes(), value=EVERYTHING, label="Class", elem_id="class"
                    )
                    k = gradio.Slider(4, 48, value=12, step=4, label="Results", elem_id="k")
                go = gradio.Button("Search", variant="primary", elem_id="go")
            picture = gradio.File(label="Picture", type="filepath", height=180, elem_id="picture")
        filters: list[Any] = []
        if explorer.model.index.attribute_names:
            with gradio.Accordion("Filters", open=False, elem_id="filters"):
                filters.append(
                    gradio.Textbox(
                        label="Where",
                        placeholder="price < 50 and brand == 'Nike'",
                        max_length=LONGEST,
                        elem_id="where",
                    )
                )
                for number, facet in enumerate(explorer.facets):
                    filters += _fields(facet, f"facet-{number}")
        asked: list[Any] = [text, picture, within, k, *filters]
        with gradio.Tab("Results"):
            results = gradio.HTML(
                show_note(START), css_template=STYLE, js_on_load=ON_LOAD, elem_id="results"
            )
        with gradio.Tab("Map"):
            gradio.ScatterPlot(
                explorer.points(),
                x="x",
                y="y",
                color="class",
                tooltip=["text", "path"],
                height=600,
                x_axis_labels_visible=False,
                label="The space in the plane: what is near is alike",
                elem_id="map",
            )
        settings: dict[str, Any] = {"outputs": results, "api_visibility": "private"}
        submits = [go.click, text.submit, *(where.submit for where in filters[:1])]
        gradio.on(submits, explorer.search, asked, **settings)
        results.click(more_like, [within, k, *filters], **settings)
    return page


def _fields(facet: Facet, place: str) -> list[Any]:
    """What an attribute is chosen by: boxes, a list to look values up in, or from and to."""
    if facet.choices:
        choices: list[Any] = [(shown, number) for number, (shown, _) in enumerate(facet.choices)]
        if len(choices) <= FEW:
            return [gradio.CheckboxGroup(choices, label=facet.name, elem_id=place)]
        return [gradio.Dropdown(choices, multiselect=True, label=facet.name, elem_id=place)]
    with gradio.Row():
        return [  # not gradio.Number, which takes an empty field for 0
            gradio.Textbox(
                label=f"{facet.name} {which}",
                placeholder=show_value(bound),
                elem_id=f"{place}-{which}",
            )
            for which, bound in (("from", facet.least), ("to", facet.greatest))
        ]
