"""Words that must not pass unseen, as dated data: `hits(text, "self_harm", on=day)` says which of them a text holds.

To add or change words: write a new file word_lists/<date>.toml; older files stay, for contacts of their time.
"""

import re
import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from compliance.people.queries import fold

FOLDER = Path(__file__).resolve().parent / "word_lists"
LISTS = ("self_harm", "losses")


class BrokenWords(ValueError):
    """A file of words that cannot be used. Says which and why."""


@dataclass(frozen=True, slots=True)
class Words:
    """One dated file. `patterns` find the beginning of a word or phrase in folded text, all languages together:
    people mix them, and the language of a contact is a guess.
    """

    effective_from: date
    source: str
    patterns: dict[str, "re.Pattern[str]"]


def hits(text: str, name: str, *, on: date) -> list[str]:
    """The words of the list that the text holds, folded, each once, in their order."""
    found = words_of(on).patterns[name].findall(fold(text))
    return list(dict.fromkeys(found))


def words_of(on: date) -> Words:
    """The newest file that was in force; for days before the first, the first."""
    in_force = [words for words in _all() if words.effective_from <= on]
    return in_force[-1] if in_force else _all()[0]


@cache
def _all() -> list[Words]:
    files = sorted(FOLDER.glob("*.toml"))
    if not files:
        raise BrokenWords(f"{FOLDER} holds no list of words.")
    return sorted((read(file) for file in files), key=lambda words: words.effective_from)


def read(file: Path) -> Words:
    data = tomllib.loads(file.read_text())
    starts = data.get("effective_from")
    if not isinstance(starts, date) or file.stem != starts.isoformat():
        raise BrokenWords(f"{file.name}: effective_from must be the date in its name.")
    if not data.get("source"):
        raise BrokenWords(f"{file.name}: say in source where the words are from.")
    patterns = {}
    for name in LISTS:
        phrases = sorted({fold(phrase) for language in data.get(name, {}).values() for phrase in language}, key=len)
        if not phrases or "" in phrases:
            raise BrokenWords(f"{file.name}: [{name}] has no words, or an empty one.")
        choice = "|".join(re.escape(phrase) for phrase in reversed(phrases))
        patterns[name] = re.compile(rf"(?<!\w)(?:{choice})")
    return Words(starts, str(data["source"]), patterns)
