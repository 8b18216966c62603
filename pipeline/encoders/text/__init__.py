"""A file here is a text encoder, which text.encoders of params.yaml may name.

It has two classes: `Settings`, its section `text.<name>` of params.yaml, and `Encoder`, a
`TextEncoder`. All files are imported to check params.yaml, so what takes long to import (torch, a
library of models) is imported where it is used.
"""
