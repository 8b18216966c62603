"""One of the models that the page asks, with its catalogue's pictures, as its files are now."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pipeline.core.location import Location
from pipeline.explore.explorer import Explorer
from pipeline.index.hit import Hit
from pipeline.use.api import Huse
from pipeline.use.current import Followed, Stored
from pipeline.web.pictures import Pictures

LONGER = 240
"""Length of the longer side of a served picture in pixels."""


class Side(NamedTuple):
    """One of the models that are asked."""

    name: str
    explorer: Explorer
    pictures: Pictures

    @property
    def background(self) -> str:
        """Colour under transparent pixels, as the model was given them."""
        return _background(self.explorer.model)

    def picture(self, hit: Hit) -> str:
        """Name a hit's picture, see `Pictures.name`."""
        return self.pictures.name(hit.row if hit.picture is None else hit.picture)


def follow_side(
    name: str, stored: Stored, images: Location, warn: Callable[[str], None]
) -> Followed[Side]:
    """Read a model and its index, and again whenever they have changed.

    Args:
        name: What the page calls the model.
        stored: Where they are.
        images: The folder of the pictures.
        warn: Takes one line of what is no error, or of why the page goes on as it was.

    Raises:
        InputError: They cannot be used.
    """

    def load() -> Side:
        model = stored.load(warn)
        files, background = model.index.images, _background(model)
        pictures = Pictures(images, files, side=LONGER, background=background)
        return Side(name, Explorer(model), pictures)

    return Followed(load, stored.state, lambda why: warn(f"{name} is shown as it was: {why}"))


def _background(model: Huse) -> str:
    return str(model.description.recipe["image"].get("background", "#ffffff"))
