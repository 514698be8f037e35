"""What of a text was changed, word by word, for who reads the old and the new one below each other."""

import re
from difflib import SequenceMatcher
from itertools import pairwise
from typing import NamedTuple

ALIKE = 0.5  # of all words; below that it is another text, and marks would only confuse
LONGEST = 400  # words; comparing takes their square, on every showing
_WORDS = re.compile(r"\S+\s*|\s+")


class Piece(NamedTuple):
    """Words that stand in both texts, or (`changed`) in this one alone."""

    text: str
    changed: bool


def compared(before: str, after: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts in pieces; each whole and unmarked where they have little in common, or are long."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    whole = [Piece(before, False)], [Piece(after, False)] if after else []
    if max(len(old), len(new)) > LONGEST:
        return whole
    matcher = SequenceMatcher(None, [word.strip() for word in old], [word.strip() for word in new], autojunk=False)
    kept = matcher.get_matching_blocks()  # the last one is empty and stands at the end of both
    if matcher.ratio() < ALIKE:
        return whole
    return (
        _pieces(old, [(block.a, block.a + block.size) for block in kept]),
        _pieces(new, [(block.b, block.b + block.size) for block in kept]),
    )


def _pieces(words: list[str], kept: list[tuple[int, int]]) -> list[Piece]:
    found = []
    for (_start, done), (start, end) in pairwise([(0, 0), *kept]):
        found += [Piece("".join(words[done:start]), True), Piece("".join(words[start:end]), False)]
    return [piece for piece in found if piece.text]
