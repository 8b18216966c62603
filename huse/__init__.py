"""Use a trained model: `from huse import Huse`."""

from pipeline.inference.api import Huse

__all__ = ["Huse"]
