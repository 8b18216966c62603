"""What pages say in place of the words in the audit's files."""

SAYS_SO_IN_WORDS = {
    "image": "its picture says so",
    "text": "its title says so",
    "both": "picture and title say so",
    "together": "picture and title together say so",
}
TITLE_LENGTH = 200
"""Characters of a title beside others."""
