"""A file here is a source of frozen backbones: `source` of image.backbone's `source/name`.

It has one function, `load(name, layer, weights) -> Backbone`: the name without the source, the
layer (`pooled` or `logits`) and the weights (`default`, `none`, or the path of a checkpoint).
"""
