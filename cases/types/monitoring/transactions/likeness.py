"""How alike two names are, whatever script and order they are written in. A hint for people, never proof."""

from difflib import SequenceMatcher

from compliance.people.latin import latin
from compliance.people.queries import fold


def likeness(one: str, other: str) -> int:
    """0 to 100 percent. Folded, in Latin letters, the words in one order; an initial fits the word that it begins."""
    left, right = _words(one), _words(other)
    if not left or not right:
        return 0
    return max(_ratio(sorted(left), sorted(right)), _by_word(left, right))


def _words(name: str) -> list[str]:
    folded = fold(name)
    return "".join(letter if letter.isalnum() else " " for letter in latin(folded) or folded).split()


def _ratio(left: list[str], right: list[str]) -> int:
    return int(SequenceMatcher(None, " ".join(left), " ".join(right), autojunk=False).ratio() * 100)


def _by_word(left: list[str], right: list[str]) -> int:
    """Each word of the shorter name against the nearest of the longer: a middle name left out costs nothing."""
    short, long = sorted((left, right), key=len)
    if len(short) < 2:
        return 0
    rest, found = list(long), list[int]()
    for word in short:
        scores = [100 if _is_initial(word, other) else _ratio([word], [other]) for other in rest]
        best = max(range(len(rest)), key=scores.__getitem__)
        found.append(scores[best])
        del rest[best]
    return min(found)


def _is_initial(word: str, other: str) -> bool:
    return (len(word) == 1 or len(other) == 1) and word[0] == other[0]
