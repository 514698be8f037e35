"""What players read: reasons, messages and the names of things, from texts/*.toml. Staff's own texts are in locale/.

A text is known by code, version and language. A version is never edited after a player got it: add the next one. What a
text may say is in texts/README.md. The floor of the engine: it knows policy's names of evidence, and nothing of cases.
"""

import logging
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

from django.conf import settings
from django.core import checks
from django.utils.translation import get_language
from pydantic import Field, ValidationError, model_validator

from compliance.policy import EvidenceRule
from compliance.policy.records import Frozen, Words

LANGUAGES = ("en", "tr")  # every text has these; a player of another language gets English
FALLBACK = "en"
ANY = "any"
PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")

# What a text may name, with a long real value to preview and measure it with.
VARIABLES = {
    "accepted": "elektrik, su, doğal gaz veya internet faturası, banka hesap özeti, e-Devlet yerleşim yeri belgesi",
    "date": "21 Kasım 2026 17:05 (Europe/Istanbul)",
    "items": "• Kimliğin arka yüzü: Bir köşesi fotoğrafta görünmüyor. Dört köşesi de görünecek şekilde yeniden çekin.",
    "kept": "Kimliğin ön yüzü, Adres belgesi",
    "start": "21 Kasım 2026",
    "line": "Belgenizi aldık. Kimliğinizin arka yüzünü de görünce size yazacağız.",
    "link": "https://dogrulama.ornek-bahis.example/b/KYC-26-004813-9",
    "months": "12",
    "number": "KYC-26-004813-9",
}

logger = logging.getLogger(__name__)

Kind = Literal["ask_again", "final"]


class TextsBroken(ValueError):
    """A text file says something wrong. `problems` name file, key and fix."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class UnknownText(LookupError):
    """No text of this code or version."""


class MissingValue(LookupError):
    """The text names something that the caller did not give."""


class Text(str):
    """What the player reads, and where it came from. `language` is the one used: English where the other is missing."""

    code: str
    version: int
    language: str


class Version(Frozen):
    """One wording, in every language."""

    number: int = Field(ge=1)
    since: date
    subject: dict[str, str] = Field(default_factory=dict)
    text: dict[str, str]

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        for name, wordings in (("subject", self.subject), ("text", self.text)):
            if wordings and (missing := [language for language in LANGUAGES if not wordings.get(language, "").strip()]):
                raise ValueError(f"{name} is missing in: {', '.join(missing)}")
            for language, wording in wordings.items():
                _check_wording(f"{name}.{language}", wording)
        if len({frozenset(variables(wording)) for wording in self.text.values()}) > 1:
            raise ValueError("the languages name different variables")
        return self


class Reason(Frozen):
    """Why something is asked for again, or why the answer is no. A final reason can never be sent as a request."""

    code: str = Field(pattern=r"^[a-z][a-z0-9_]+$")
    kind: Kind = Field(alias="class")
    applies_to: tuple[str, ...] = Field(min_length=1)
    title: Words
    versions: tuple[Version, ...] = Field(default=(), alias="version")

    @model_validator(mode="after")
    def _fits_its_class(self) -> Self:
        if self.kind == "final" and self.versions:
            raise ValueError("a final reason has no text of its own: the player reads the message `rejected`")
        if self.kind == "ask_again":
            _check_versions(self.versions)
        return self

    def applies(self, purpose: str | None) -> bool:
        return purpose is None or ANY in self.applies_to or purpose in self.applies_to


class Message(Frozen):
    """A text that stands by itself, such as the receipt. `title`: staff may pick it, and find it under this name."""

    code: str = Field(pattern=r"^[a-z][a-z0-9_]+$")
    title: Words | None = None
    versions: tuple[Version, ...] = Field(alias="version")

    @model_validator(mode="after")
    def _counts_up(self) -> Self:
        _check_versions(self.versions)
        return self


class Names(Frozen):
    """What evidence and documents are called."""

    purpose: dict[str, Words]
    document: dict[str, Words]


class Banned(Frozen):
    """What staff must not write to a player: beginnings of words, and whole words, of every language together."""

    stems: tuple[str, ...] = Field(min_length=1)
    words: tuple[str, ...] = Field(min_length=1)

    def pattern(self) -> "re.Pattern[str]":
        stems = "|".join(map(re.escape, self.stems))
        words = "|".join(map(re.escape, self.words))
        return re.compile(rf"(?<!\w)(?:(?:{stems})\w*|(?:{words})(?!\w))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Catalogue:
    reasons: Mapping[str, Reason]
    messages: Mapping[str, Message]
    names: Names
    banned: "re.Pattern[str]"


# ------------------------------------------------------------------------------------------------- asking
def reason(code: str) -> Reason:
    found: Reason = _found(catalogue().reasons, code, "reason")
    return found


def reasons(purpose: str | None = None, kind: Kind = "ask_again") -> list[Reason]:
    """The reasons of a class that fit an evidence purpose (every purpose when None), by code."""
    return [each for each in catalogue().reasons.values() if each.kind == kind and each.applies(purpose)]


def player_text(code: str, language: str, *, version: int | None = None, **values: object) -> Text:
    """What the player reads for a reason. A final one reads as the message `rejected`: the code stays inside."""
    found = reason(code)
    if found.kind == "final":
        return message("rejected", language, version=version, **values)
    return _written(code, found.versions, language, version, values)


def message(code: str, language: str, *, version: int | None = None, **values: object) -> Text:
    """What the player reads at an event, such as `received`; `values` may hold more than the text names."""
    return _written(code, _found(catalogue().messages, code, "message").versions, language, version, values)


def subject(code: str, language: str, *, version: int | None = None, **values: object) -> Text:
    """The subject line of a message that goes by e-mail."""
    versions = _found(catalogue().messages, code, "message").versions
    return _written(code, versions, language, version, values, part="subject")


def for_staff() -> list[Message]:
    """The messages that staff may pick and send. Each has a subject: it goes by e-mail."""
    return [each for each in catalogue().messages.values() if each.title is not None]


def title_of(code: str) -> str:
    """What staff call a message, in the reader's language."""
    title = _found(catalogue().messages, code, "message").title
    return _name(title, None) if title else code


def needs(code: str, variable: str) -> bool:
    """Whether the newest version of a message names this variable."""
    found: Message = _found(catalogue().messages, code, "message")
    return variable in variables(found.versions[-1].text[FALLBACK])


def with_line(letter: Text, line: str) -> Text:
    """The letter with a line of the writer's own below."""
    return _text(f"{letter}\n\n{line}", letter.code, letter.version, letter.language)


def banned(words: str) -> list[str]:
    """The words in a text of staff's own that no player may read (texts/banned.toml), each once."""
    return list(dict.fromkeys(found[0] for found in catalogue().banned.finditer(words)))


def request_letter(
    language: str, *, number: str, items: Sequence[str], kept: Iterable[str], deadline: str = ""
) -> Text:
    """The one message that asks for everything at once: each item with all its faults, until when, what is fine."""
    letter = message("request", language, number=number, items="\n".join(f"• {item}" for item in items))
    parts: list[str] = [letter]
    if deadline:
        parts.append(message("request_deadline", language, date=deadline))
    if named := ", ".join(kept):
        parts.append(message("request_kept", language, kept=named))
    return _text("\n\n".join(parts), "request", letter.version, letter.language)


def values_for(rule: EvidenceRule, language: str) -> dict[str, Any]:
    """What reason texts may name about one required item: the documents accepted, and how old they may be in months."""
    values: dict[str, Any] = {"accepted": ", ".join(document_name(document, language) for document in rule.any_of)}
    if rule.max_age_days is not None:
        values["months"] = str(rule.max_age_days // 30)
    return values


def what_to_bring(rule: EvidenceRule, language: str) -> str:
    """What the player reads of an item that is asked for the first time: the text `bring_<purpose>` where there is one,
    else the papers accepted.
    """
    values, code = values_for(rule, language), f"bring_{rule.purpose}"
    if code in catalogue().messages:
        return message(code, language, **values)
    return str(values["accepted"])


def purpose_title(purpose: str, language: str | None = None) -> str:
    """What an evidence purpose is called, in this language or the reader's."""
    return _name(_found(catalogue().names.purpose, purpose, "purpose"), language)


def document_name(document: str, language: str | None = None) -> str:
    return _name(_found(catalogue().names.document, document, "document"), language)


def variables(wording: str) -> list[str]:
    return PLACEHOLDER.findall(wording)


def _name(words: Words, language: str | None) -> str:
    spoken = _known(language or get_language() or FALLBACK, vars(words), "names")
    return str(getattr(words, spoken))


def _found(shelf: Mapping[str, Any], code: str, what: str) -> Any:
    try:
        return shelf[code]
    except KeyError:
        raise UnknownText(f"No {what} {code!r}. Known: {', '.join(shelf)}.") from None


def _written(
    code: str,
    versions: Sequence[Version],
    language: str,
    number: int | None,
    values: Mapping[str, object],
    part: str = "text",
) -> Text:
    version = next((each for each in versions if each.number == number), None) if number else versions[-1]
    if version is None:
        raise UnknownText(f"{code}: there is no version {number}.")
    wordings: Mapping[str, str] = getattr(version, part)
    if not wordings:
        raise UnknownText(f"{code}: version {version.number} has no {part}.")
    spoken = _known(language, wordings, code)
    if missing := [name for name in variables(wordings[spoken]) if values.get(name) in (None, "")]:
        raise MissingValue(f"{code}: the text names {', '.join(missing)}; pass {missing[0]}=.")
    return _text(PLACEHOLDER.sub(lambda found: str(values[found[1]]), wordings[spoken]), code, version.number, spoken)


def _known(language: str, wordings: Mapping[str, str], code: str) -> str:
    spoken = language.split("-")[0].lower()
    if spoken in wordings:
        return spoken
    logger.warning("%s has no text in %s; English is used", code, language)
    return FALLBACK


def _text(words: str, code: str, version: int, language: str) -> Text:
    text = Text(words)
    text.code, text.version, text.language = code, version, language
    return text


# ------------------------------------------------------------------------------------------------- reading
@cache
def catalogue() -> Catalogue:
    return read(Path(settings.TEXTS_DIR))


@checks.register
def check_texts(app_configs: object = None, **kwargs: object) -> list[checks.CheckMessage]:
    """cases.E001 for each problem: nobody writes to a player from a broken catalogue."""
    try:
        catalogue()
    except TextsBroken as broken:
        return [checks.Error(problem, id="cases.E001") for problem in broken.problems]
    return []


def read(folder: Path) -> Catalogue:
    """Everything in a folder like texts/; TextsBroken with every problem found, each naming file, key and fix."""
    problems: list[str] = []
    reasons = {each.code: each for each in _read_all(folder / "reasons", Reason, problems)}
    messages = {each.code: each for each in _read_all(folder / "messages", Message, problems)}
    names = next(iter(_read_file(folder / "names.toml", Names, problems)), None)
    forbidden = next(iter(_read_file(folder / "banned.toml", Banned, problems)), None)
    if "rejected" not in messages:
        problems.append("messages/rejected.toml: missing. Add it: every final reason is told with it.")
    for each in messages.values():
        if each.title is not None and not each.versions[-1].subject:
            problems.append(f"messages/{each.code}.toml, subject: missing. What staff send goes by e-mail: add it.")
    if problems or names is None or forbidden is None:
        raise TextsBroken(problems)
    for each in reasons.values():
        if unknown := set(each.applies_to) - set(names.purpose) - {ANY}:
            known = ", ".join(names.purpose)
            fix = f"Known: {known}, {ANY}."
            problems.append(f"reasons/{each.code}.toml, applies_to: unknown {', '.join(sorted(unknown))}. {fix}")
    if problems:
        raise TextsBroken(problems)
    return Catalogue(reasons, messages, names, forbidden.pattern())


def _read_all(folder: Path, shape: type[Any], problems: list[str]) -> Iterator[Any]:
    for file in sorted(folder.glob("*.toml")):
        for found in _read_file(file, shape, problems):
            if found.code != file.stem:
                problems.append(f"{_place(file)}, code: must be {file.stem!r}, like the file's name.")
            yield found


def _read_file(file: Path, shape: type[Any], problems: list[str]) -> list[Any]:
    """What the file says, or nothing and its problems."""
    try:
        return [shape(**tomllib.loads(file.read_text(encoding="utf-8")))]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problems.append(f"{_place(file)}: {error}. Correct the file.")
    except ValidationError as error:
        for fault in error.errors():
            key = ".".join(str(step) for step in fault["loc"]) or "as a whole"
            message = str(fault["msg"]).removeprefix("Value error, ")
            problems.append(f"{_place(file)}, {key}: {message}. Correct it (texts/README.md).")
    return []


def _place(file: Path) -> str:
    return f"{file.parent.name}/{file.name}"


def _check_versions(versions: Sequence[Version]) -> None:
    numbers = [version.number for version in versions]
    if numbers != list(range(1, len(numbers) + 1)) or not numbers:
        raise ValueError("versions must count 1, 2, 3 without a gap")


def _check_wording(key: str, wording: str) -> None:
    if unknown := [name for name in variables(wording) if name not in VARIABLES]:
        raise ValueError(f"{key} names the unknown variable {unknown[0]}; known: {', '.join(VARIABLES)}")
    if re.search(r"[{}]", PLACEHOLDER.sub("", wording)):
        raise ValueError(f"{key} has a brace that belongs to no variable")
