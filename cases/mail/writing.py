"""Messages that staff write to a player: a text of the catalogue, in the player's language, with a line of their own.

What is previewed is what is sent: both come from `compose`.
"""

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from audit.cards import without_cards
from audit.perform import ConditionsNotMet
from cases import texts
from cases.models import Case, Message
from cases.permissions import WORK
from cases.services import require, write_message
from compliance.people.models import User

LONGEST_LINE = 600


def pickable() -> list[tuple[str, str]]:
    """Code and title of the texts that staff may pick, by title."""
    found = [(each.code, texts.title_of(each.code)) for each in texts.for_staff()]
    return sorted(found, key=lambda one: one[1])


def own_line(line: str, *, longest: int) -> str:
    """What staff add in their own words, as it may be sent. ConditionsNotMet for one too long or not to be said."""
    line = without_cards(line.strip())
    if len(line) > longest:
        raise ConditionsNotMet([_("Shorten what you add to %(longest)d characters.") % {"longest": longest}])
    if found := texts.banned(line):
        said = {"words": ", ".join(found)}
        raise ConditionsNotMet([_("This must not be written to a player: %(words)s. Say it another way.") % said])
    return line


def compose(case: Case, code: str, line: str) -> texts.Text:
    """What the player reads. ConditionsNotMet for a text that is none for staff, or a line that must not be written."""
    if code not in {each.code for each in texts.for_staff()}:
        raise ConditionsNotMet([_("Choose a text.")])
    line = own_line(line, longest=LONGEST_LINE)
    if texts.needs(code, "line") and not line:
        raise ConditionsNotMet([_("Write what the player should read.")])
    letter = texts.message(code, case.account.language, number=case.number, line=line)
    if line and not texts.needs(code, "line"):
        letter = texts.with_line(letter, line)
    return letter


@transaction.atomic
def send(case: Case, code: str, line: str, *, by: User, token: UUID) -> Message:
    """Write it, sealed, and leave it to the outbox. `token` is the form's: sent twice, it is written once."""
    require(WORK, case, by=by, action="cases.write_message")
    Case.objects.select_for_update(of=("self",)).get(pk=case.pk)
    known = Message.objects.filter(pk=token, case_id=case.pk).first()
    if known is not None:
        return known
    letter = compose(case, code, line)
    return write_message(case, letter.code, by=by, text=letter, message_id=token)
