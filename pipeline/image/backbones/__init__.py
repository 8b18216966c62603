"""Registry of frozen image backbones: `source/name` -> how to load it. One line each."""

from collections.abc import Callable

from pipeline.image.backbones.backbone import Backbone
from pipeline.image.backbones.packaged import efficientnet_lite0

BACKBONES: dict[str, Callable[[str], Backbone]] = {
    "packaged/efficientnet_lite0": efficientnet_lite0,
}
