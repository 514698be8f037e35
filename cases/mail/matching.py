"""Which case a letter belongs to. Only what is beyond doubt is put to a case by itself: a number or an answer to our
own message, and an address that is the player's. Everything else a person decides, with a suggestion.
"""

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings

from cases import numbers
from cases.mail.models import Letter
from cases.mail.parsing import Parsed
from cases.marks.models import ClosedCase
from cases.models import Case, Message
from compliance.keys.services import IndexPurpose, blind_index
from compliance.people.models import Account, Licensee
from compliance.people.services import InvalidContact, normal_email

Why = Letter.Why
_NUMBER = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{3}[\s\-–.]{0,3}\d{2}[\s\-–.]{0,3}\d{6,9}[\s\-–.]{0,3}\d(?!\d)")
BODY_READ = 2000  # characters of the text in which a number is looked for


@dataclass(frozen=True, slots=True)
class Found:
    """`case`: it belongs there. Else `why` not, and the case that it may belong to."""

    case: Case | None
    why: str = ""
    suggested: Case | None = None


def message_id_of(message: Message) -> str:
    """The Message-ID of what we send. What comes back with it, as an answer or a bounce, is about this message."""
    return f"<{message.pk}@{settings.AUDIT_ORIGIN}>"


def messages_named(ids: list[str], licensee: Licensee) -> list[Message]:
    """Our messages among these Message-IDs, in their order."""
    ours = re.compile(rf"<([0-9a-fA-F-]{{36}})@{re.escape(settings.AUDIT_ORIGIN)}>")
    wanted = []
    for each in ids:
        try:
            wanted += [UUID(found[1])] if (found := ours.fullmatch(each)) else []
        except ValueError:
            continue
    rows = Message.objects.filter(pk__in=wanted, case__licensee=licensee).select_related("case__merged_into")
    known = {row.pk: row for row in rows}
    return [known[each] for each in wanted if each in known]


def find(parsed: Parsed, licensee: Licensee) -> Found:
    """Where the letter belongs, among the cases of this licensee."""
    accounts = accounts_with(parsed.sender, licensee)
    believed = parsed.genuine or _nobody_checks()
    players = {account.customer_id for account in accounts}
    named, wrong = _named(parsed, licensee, players if believed else set())
    if named is None:
        return Found(None, wrong, _only_open_case(accounts))
    if named.customer_id not in players:
        return Found(None, Why.SENDER_DIFFERS, named)
    if not believed:
        return Found(None, Why.NOT_GENUINE, named)
    return Found(named)


def _nobody_checks() -> bool:
    """Whether the installation says that senders are believed unchecked. Not in production, unless it is told so."""
    return bool(settings.MAIL_UNCHECKED and not settings.MAIL_AUTHORITY)


def accounts_with(address: str, licensee: Licensee) -> list[Account]:
    """The players of the licensee who gave this address as theirs."""
    try:
        index = blind_index(IndexPurpose.EMAIL, normal_email(address))
    except InvalidContact:
        return []
    return list(Account.objects.filter(licensee=licensee, email_index=index).order_by("pk")[:20])


def _named(parsed: Parsed, licensee: Licensee, sure: set[Any]) -> tuple[Case | None, str]:
    """`sure`: the players who wrote it beyond doubt."""
    for message in messages_named(parsed.answers[:50], licensee):
        if case := _goes_on(message.case, sure):
            return case, ""
    wrong = ""
    for found in _NUMBER.findall(f"{parsed.subject}\n{parsed.text[:BODY_READ]}")[:10]:
        try:
            number = numbers.parse(found)
        except numbers.TypingError:
            wrong = wrong or Why.TYPING_ERROR
            continue
        hit = Case.objects.filter(number=number, licensee=licensee).select_related("merged_into").first()
        if case := _goes_on(hit, sure):
            return case, ""
        wrong = Why.UNKNOWN_NUMBER
    return None, wrong or Why.NO_NUMBER


def _goes_on(case: Case | None, sure: set[Any]) -> Case | None:
    """Where the work goes on: the case itself, or the one that it was merged into. None for a restricted one, as if it
    were not there: where a letter lies, and why, is seen by the whole team. A letter of the player to a case that only
    their mark closes goes there and lies before nobody else, so that the team does not read it among the unsorted.
    """
    if case is None or (case.restricted and not (case.customer_id in sure and _only_marked(case))):
        return None
    return case if case.merged_into is None else _goes_on(case.merged_into, sure)


def _only_marked(case: Case) -> bool:
    return ClosedCase.objects.filter(case_id=case.pk).exists()


def _only_open_case(accounts: list[Account]) -> Case | None:
    """Of one player with one open case: most likely that one. A guess, so a person decides."""
    players = {account.customer_id for account in accounts}
    if len(players) != 1:
        return None
    cases = list(Case.objects.open().filter(customer_id__in=players, restricted=False).order_by("pk")[:2])
    return cases[0] if len(cases) == 1 else None
