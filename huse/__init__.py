"""Use a trained model: `from huse import Huse`."""

from pipeline.use.api import Huse

__all__ = ["Huse"]
