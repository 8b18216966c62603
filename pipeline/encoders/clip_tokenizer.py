"""open_clip's tokenizers as tokenizers of `tokenizers`, token for token.

CLIP's own cuts a clean text into words by a pattern, writes a word as the letters that stand for
its bytes, and merges these. Its patterns know the letters of Unicode as package regex has them, and
those of `tokenizers` as another version does, so the letters are written out here. And where a text
spells a special token, that token it is: no word but these mixes letters and other signs, so merges
that lead from what its letters give to the special token change no other word.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import open_clip.tokenizer
import regex
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors

from pipeline.encoders.export_network import copy_tokenizer, fill_up_as

END = "</w>"
"""At the end of a word's last token."""
CLEANERS: dict[Callable[[str], str], tuple[str, bool]] = {
    open_clip.tokenizer._clean_lower: ("open_clip", True),
    open_clip.tokenizer._clean_whitespace: ("open_clip", False),
    open_clip.tokenizer._clean_canonicalize: ("open_clip_canonical", False),
}
"""What each of the library's does: a cleaner of text_cleaners.py, and whether in lower case."""

SIGNS = "".join(chr(n) for n in range(sys.maxunicode + 1) if not 0xD800 <= n < 0xE000)
"""All of Unicode."""


class FastTokenizer(NamedTuple):
    """A tokenizer, and what is done before and after."""

    tokenizer: Tokenizer
    clean: str
    """Name of a cleaner."""
    lower: bool
    """Whether the clean text is in lower case."""
    stripped: int | None
    """Number of a token that the model is given a zero for."""


def fast_tokenizer(tokenizer: Any) -> FastTokenizer:
    """Make the tokenizer of a model fast.

    Raises:
        AttributeError, KeyError, ValueError: It is not of a kind that is known.
    """
    clean, lower = CLEANERS[tokenizer.clean_fn]
    length = int(tokenizer.context_length)
    if isinstance(tokenizer, open_clip.tokenizer.SimpleTokenizer):
        if tokenizer.reduction_fn is not None or not lower:
            raise ValueError("words are dropped, or case is kept")
        return FastTokenizer(_byte_pairs(tokenizer, length), clean, lower, None)
    if tokenizer.tokenizer_mode:
        raise ValueError(f"mode {tokenizer.tokenizer_mode}")
    fast = copy_tokenizer(tokenizer.tokenizer)
    fast.enable_truncation(length)
    fill_up_as(fast, tokenizer.tokenizer, length)
    stripped = tokenizer.tokenizer.sep_token_id if tokenizer.strip_sep_token else None
    return FastTokenizer(fast, clean, lower, stripped)


def _byte_pairs(tokenizer: open_clip.tokenizer.SimpleTokenizer, length: int) -> Tokenizer:
    special = {tokenizer.decoder[number]: number for number in tokenizer.all_special_ids}
    vocabulary = {word: n for word, n in tokenizer.encoder.items() if word not in special}
    merges = [pair for pair in tokenizer.bpe_ranks if len(pair) == 2]
    plain = models.BPE(vocab=vocabulary, merges=merges, end_of_word_suffix=END)
    for word, number in special.items():
        first, *others = (token.value for token in plain.tokenize(word))
        for other in others:
            merges.append((first, other))
            first += other
            # Those on the way are in no text: they need a number of their own, which none is given.
            vocabulary.setdefault(first, len(tokenizer.encoder) + len(vocabulary))
        vocabulary[first] = number
    fast = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, end_of_word_suffix=END))
    words = Regex(_pattern(list(special)))
    fast.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(words, "removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    start, end = list(special.items())[:2]
    fast.post_processor = processors.TemplateProcessing(
        single=f"{start[0]} $A {end[0]}", special_tokens=[start, end]
    )
    fast.enable_truncation(length)
    # The library fills up with zeros, whatever token that is.
    fast.enable_padding(pad_id=0, pad_token=tokenizer.decoder[0], length=length)
    return fast


def _pattern(special: list[str]) -> str:
    """SimpleTokenizer's pattern, of a text in lower case, with its signs written out.

    Where it ignores the case, a sign stands for those that have the same lower case, such as the
    long s; lower case has left few of them. A sign of none of the classes is in no word.
    """
    letters, digit, others = map(_signs, (r"[\p{L}]", r"[\p{N}]", r"[^\s\p{L}\p{N}]"))
    fixed = [*special, "'s", "'t", "'re", "'ve", "'m", "'ll", "'d"]
    alike = {sign: _signs(sign) for sign in set("".join(fixed)) if sign.isalpha()}
    spelled = ["".join(alike.get(sign, sign) for sign in word) for word in fixed]
    return "|".join([*spelled, f"{letters}+", digit, f"{others}+"])


def _signs(pattern: str) -> str:
    """Class of the signs that match a pattern whatever the case, as ranges."""
    runs = regex.finditer(f"{pattern}+", SIGNS, regex.IGNORECASE)
    ends = ((ord(run[0][0]), ord(run[0][-1])) for run in runs)
    return "[" + "".join(rf"\x{{{first:x}}}-\x{{{last:x}}}" for first, last in ends) + "]"
