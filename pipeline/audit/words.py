"""What a word of a title or of a class's name is."""

import regex

WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
"""Letters, digits and marks, which in many scripts are the vowels."""
