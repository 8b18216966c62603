"""Are items that are no class of the catalogue called unknown? See `__main__.py`."""
