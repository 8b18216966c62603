"""Results of a search as HTML. Every text of the catalogue is escaped."""

from collections.abc import Sequence
from html import escape

from pipeline.features.attributes import show_value
from pipeline.index.hit import Hit

STYLE = """
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(170px, 1fr)); gap: 12px; }
.card { border: 1px solid var(--border-color-primary); border-radius: 8px; padding: 8px;
  display: flex; flex-direction: column; gap: 4px; overflow-wrap: anywhere; }
.card img { width: 100%; aspect-ratio: 1; object-fit: contain; background: #fff;
  border-radius: 4px; }
.card .path { font-size: 12px; opacity: 0.8; }
.card dl { font-size: 12px; margin: 0; display: grid; grid-template-columns: auto 1fr;
  gap: 0 8px; }
.card dt { opacity: 0.8; }
.card dd { margin: 0; }
.card .distance { font-variant-numeric: tabular-nums; font-size: 12px; }
.card button { margin-top: auto; padding: 4px; border-radius: 4px; cursor: pointer;
  border: 1px solid var(--border-color-primary); color: var(--body-text-color);
  background: var(--button-secondary-background-fill); }
.note { padding: 8px 0; }
"""

# One listener for all cards, of which there are others after every search.
ON_LOAD = """
element.addEventListener('click', event => {
  const button = event.target.closest('button[data-row]');
  if (button) trigger('click', {row: Number(button.dataset.row)});
});
"""


def show_hits(hits: Sequence[Hit], heading: str, separator: str) -> str:
    """Draw a card per hit, the nearest first; pictures come from `picture/<place>`."""
    cards = "".join(_card(hit, separator) for hit in hits)
    return f'{show_note(heading)}<div class="cards">{cards}</div>'


def show_note(text: str) -> str:
    """Say something in place of results, or above them."""
    return f'<div class="note" role="status">{escape(text)}</div>'


def _card(hit: Hit, separator: str) -> str:
    path = escape(" \u203a ".join(hit.class_path.split(separator)))
    words = "" if hit.words is None else f", words {hit.words:.2f}"
    place = hit.row if hit.picture is None else hit.picture
    picture = f'<img src="picture/{place}" alt="" loading="lazy">' if hit.image else ""
    return (
        f'<div class="card">{picture}'
        f'<b>{escape(hit.text)}</b><span class="path">{path}</span>'
        f'{_said(hit)}<span class="distance">distance {hit.distance:.3f}{words}</span>'
        f'<button type="button" data-row="{hit.row}">More like this</button></div>'
    )


def _said(hit: Hit) -> str:
    """List the attributes that the item has."""
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(show_value(value))}</dd>"
        for name, value in hit.attributes.items()
        if value is not None
    )
    return f"<dl>{rows}</dl>" if rows else ""
