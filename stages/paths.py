"""Where every artifact lives, as dvc.yaml has it. Options of the commands default to these."""

from pathlib import Path

PARAMS = Path("params.yaml")

SAMPLE = Path("data/raw/openmoji")

ITEMS = Path("data/catalog/items.parquet")
SPLITS = Path("data/catalog/splits.parquet")
GROUPS = Path("data/catalog/groups.parquet")
PICTURES = Path("data/catalog/pictures.parquet")
ITEM_PICTURES = Path("data/catalog/item_pictures.parquet")
ATTRIBUTES = Path("data/catalog/attributes.parquet")
CLASSES = Path("data/catalog/classes.json")
REJECTED = Path("data/catalog/rejected.csv")
INCOMPLETE = Path("data/catalog/incomplete.csv")
PLACEHOLDERS = Path("data/catalog/placeholders.csv")
SUMMARY = Path("data/catalog/summary.json")

CLEAN_TEXT = Path("data/clean_text/text.parquet")

IMAGE_FEATURES = Path("data/features/image.parquet")
IMAGE_FAILURES = Path("data/features/image_failures.csv")
IMAGE_ENCODER = Path("data/features/image_encoder")
# Not beside the features: what depends on their folder is not to run again for a time in it.
IMAGE_REPORT = Path("data/reports/image_features.json")
TEXT_BLOCKS = Path("data/text_blocks")
TEXT_FEATURES = Path("data/features/text.parquet")
CLASS_NAMES = Path("data/features/class_names.parquet")
TEXT_ENCODER = Path("data/features/text_encoder")

GRAPH = Path("data/graph")

MODEL = Path("data/model")
CURVES = Path("data/train")

BASELINE = Path("data/baseline/predictions.parquet")

HEADS = Path("data/attributes")

EVALUATION = Path("data/evaluate")
EMBEDDINGS = Path("data/evaluate/embeddings.parquet")
OUTCOMES = Path("data/evaluate/outcomes.parquet")

AUDIT = Path("data/audit")

INDEX = Path("data/index")

DRIFT_LOG = Path("data/drift_log")
DRIFT = Path("data/drift")
