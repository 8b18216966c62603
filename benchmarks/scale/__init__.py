"""Seconds and memory of every stage as the catalogue grows: `python -m benchmarks.scale`."""
