"""Whether two written names can be one person's, and by which fold that was seen. A help for the eye, never proof.

The folds, from the plainest on; the first that makes the names equal is the one that is said:
  letters   case, marks and the order of the parts do not count; I, İ and ı are one letter (people.queries.fold)
  digraphs  ae, oe, ue, ss and ij as machine-readable zones write ä, ö, ü, ß and ÿ (ICAO Doc 9303 part 3, section 6)
  script    Cyrillic, Greek and Arabic letters are written in Latin ones (people.latin)
  sounds    a script without short vowels is compared by its consonants
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from compliance.people.latin import latin
from compliance.people.queries import fold

Fold = Literal["letters", "digraphs", "script", "sounds", ""]
Kind = Literal["same", "possible", "close", "part", "other"]
CLOSE: Final = 3  # letters: more is another name, not a slip
_ENOUGH: Final = 4
# Y and w stand for vowels as often as not where a script writes only long ones.
_SOFT: Final = re.compile("[aeiouyw]")
_TWICE: Final = re.compile(r"(\w)\1+")
_DIGRAPHS: Final = (("ae", "a"), ("oe", "o"), ("ue", "u"), ("ij", "y"), ("ss", "s"))


@dataclass(frozen=True, slots=True)
class Likeness:
    """`apart` counts letters, by the fold named; `part` is a name that lacks parts of the other."""

    kind: Kind
    fold: Fold = ""
    apart: int = 0

    @property
    def is_one_name(self) -> bool:
        return self.kind == "same"


def compare(first: str, second: str) -> Likeness:
    """How two names compare. `sounds` is never more than possible: consonants alone fit many names."""
    for name, ours, theirs in _folded(first, second):
        if ours and ours == theirs:
            return Likeness("possible" if name == "sounds" else "same", name)
    ours, theirs, by = _plainest(first, second)
    apart = distance(" ".join(ours), " ".join(theirs))
    if ours and theirs and apart <= min(CLOSE, max(len("".join(theirs)) // 3, 1)):
        return Likeness("close", by, apart)
    if ours and theirs and (set(theirs) < set(ours) or set(ours) < set(theirs)):
        return Likeness("part", by)
    return Likeness("other", by, apart)


def _folded(first: str, second: str) -> Iterator[tuple[Fold, list[str], list[str]]]:
    yield "letters", _parts(fold(first)), _parts(fold(second))
    yield "digraphs", _parts(_short(fold(first))), _parts(_short(fold(second)))
    if not _one_script(first, second):
        ours, theirs = _latin(first), _latin(second)
        yield "script", _parts(ours), _parts(theirs)
        yield "script", _parts(_short(ours)), _parts(_short(theirs))
        yield "sounds", _bones(ours), _bones(theirs)


def _plainest(first: str, second: str) -> tuple[list[str], list[str], Fold]:
    """The names by the fold in which their distance means something."""
    if _one_script(first, second):
        return _parts(fold(first)), _parts(fold(second)), "letters"
    return _parts(_latin(first)), _parts(_latin(second)), "script"


def _one_script(first: str, second: str) -> bool:
    """Neither is written in letters that the other has not."""
    return bool(latin(fold(first))) == bool(latin(fold(second)))


def _latin(name: str) -> str:
    folded = fold(name)
    return latin(folded) or folded


def _parts(name: str) -> list[str]:
    return sorted("".join(letter if letter.isalnum() else " " for letter in name.replace("'", "")).split())


def _short(name: str) -> str:
    for long, short in _DIGRAPHS:
        name = name.replace(long, short)
    return name


def _bones(name: str) -> list[str]:
    """The consonants of each part; nothing when so few are left that they fit any name."""
    found = sorted(filter(None, (_TWICE.sub(r"\1", _SOFT.sub("", part)) for part in name.split())))
    return found if len("".join(found)) >= _ENOUGH else []


def distance(first: str, second: str) -> int:
    """How many letters must be put in, taken out or changed to make one of the other (Levenshtein)."""
    before = list(range(len(second) + 1))
    for row, letter in enumerate(first, 1):
        now = [row]
        for column, other in enumerate(second, 1):
            now.append(min(before[column] + 1, now[-1] + 1, before[column - 1] + (letter != other)))
        before = now
    return before[-1]
