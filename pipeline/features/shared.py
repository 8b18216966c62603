"""What stage catalog leaves for others to read: what items may share, and what they need."""

SHARED = ("product", "picture", "text")
"""Its columns that say which results are worthless: the same number where the value is the same."""
REQUIRE = "require"
"""Key in the metadata of splits.parquet: whether items need `both` features, or `any`."""
NEAR_TEXTS = 0.05
"""Share of the test items with a nearly identical text in train from which on it is told: five
points of accuracy are more than most of what is compared on a test split."""
