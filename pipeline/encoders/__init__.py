"""Text encoders by name: the class of each, in the file of its name.

Names only, so that to use one encoder imports, and makes DVC depend on, no other.
"""

ENCODERS: dict[str, str] = {
    "glove": "GloveEncoder",
    "open_clip": "OpenClipEncoder",
    "sentence": "SentenceEncoder",
    "tfidf": "TfidfEncoder",
    "transformer": "TransformerEncoder",
}
