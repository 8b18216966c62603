"""Use a trained model: `from huse import Huse`."""

from importlib.metadata import version

from pipeline.core.errors import InputError
from pipeline.index.hit import Hit
from pipeline.use.api import Huse
from pipeline.use.embeddings import Embeddings
from pipeline.use.prediction import Guess, Prediction

__all__ = ["Embeddings", "Guess", "Hit", "Huse", "InputError", "Prediction"]
__version__ = version("huse-pipeline")
