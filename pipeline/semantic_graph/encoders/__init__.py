"""A file here is a graph encoder, which graph.encoder of params.yaml may name.

It has a function `embed(class_parts, of, settings, cache) -> ClassEmbeddings`: K class paths (most
general part first), what of a path is read, its own section, and a folder for what is worth having
in the next run too. If it has settings, `Settings` is their section `graph.<name>` of params.yaml.
All files are imported to check params.yaml, so what takes long to import is imported in `embed`.
"""
