"""One interface for every register. To add one: a class with `ask`, named in the setting REGISTERS.

`ask` gets who it is about and answers, or raises RegisterAway: no answer within its time, or none that can be read. It
never guesses, keeps nothing, and is called outside any transaction.
"""

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string


class RegisterAway(Exception):
    """No answer. What was known before counts until its time is over, then the door closes by itself."""


@dataclass(frozen=True, slots=True)
class Who:
    """What registers ask for; each uses what it needs."""

    full_name: str
    birth_date: date | None
    national_id: str
    email: str
    phone: str


@dataclass(frozen=True, slots=True)
class Answer:
    """`listed`: the register keeps this person out. `reference` is the register's own, if it gives one."""

    listed: bool
    reference: str = ""


class Register(Protocol):
    def ask(self, who: Who) -> Answer: ...


@cache
def _made(path: str, name: str) -> Register:
    register: Register = import_string(path)(name)
    return register


def register_of(name: str) -> Register:
    """The adapter of a register; RegisterAway where none is set up: closed, not open."""
    path = settings.REGISTERS.get(name)
    if not path:
        raise RegisterAway(f"{name}: no adapter is set up. Name it in REGISTERS.")
    return _made(path, name)
