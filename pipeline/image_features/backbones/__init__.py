"""Registry of the sources of frozen image backbones: `source` of `source/name` -> its loader.

A loader takes the name without the source, the layer (`pooled` or `logits`) and the weights
(`default`, `none`, or the path of a checkpoint). Libraries are imported when one is called.
"""

from collections.abc import Callable

from pipeline.image_features.backbones.backbone import Backbone
from pipeline.image_features.backbones.open_clip import open_clip_backbone
from pipeline.image_features.backbones.packaged import packaged_backbone
from pipeline.image_features.backbones.timm import timm_backbone
from pipeline.image_features.backbones.torchvision import torchvision_backbone

SOURCES: dict[str, Callable[[str, str, str], Backbone]] = {
    "packaged": packaged_backbone,
    "torchvision": torchvision_backbone,
    "timm": timm_backbone,
    "open_clip": open_clip_backbone,
}
