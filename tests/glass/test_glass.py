"""One restricted case, opened by exception: who may, for how long, what it never gives, and who looks at it after."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from audit.actors import system
from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied
from cases import kinds, restricting
from cases.glass import alarms, letters, services
from cases.glass.models import Opening
from cases.models import Case
from cases.permissions import DECIDE, VIEW, WORK, may
from cases.queues import declare_conflict
from cases.types.verification import services as verification
from compliance.outbox.models import OutboxRow
from compliance.people import services as people
from compliance.people.models import User
from compliance.policy.staff import staff_rules
from compliance.proposals.services import confirm, propose

pytestmark = pytest.mark.django_db
BACKEND = "compliance.people.access.backend.StaffBackend"
WHY = "The player is on the line and in tears."


@pytest.fixture
def hidden(world):
    """A case that only Bob sees; Erin is an officer of the same queue."""
    return restricting.restrict(world.verification("L1"), to=[], by=world.bob, because="sensitive")


@pytest.fixture
def lead(world):
    return _a("Grace", "manager", world)


def _a(name, role, world):
    user = people.create_user(email=f"{name.lower()}-{world.team.slug}@example.com", name=name, by=system())
    people.join(user, world.team, role, by=system())
    return user


def opened(case, user, **asked):
    return services.open_case(case.number, by=user, **{"because": "danger", "note": WHY, "minutes": 30} | asked)


def rights(user, case):
    return [right for right in (VIEW, WORK, DECIDE) if may(User.objects.get(pk=user.pk), right, case)]


def back(opening, **ago):
    """As if it had begun so long ago."""
    since = timezone.now() - timedelta(**ago)
    lasts = opening.ends_at - opening.opened_at
    Opening.objects.filter(pk=opening.pk).update(opened_at=since, ends_at=since + lasts, review_due_at=since)


def test_it_lets_one_person_see_one_case_for_a_while_and_nothing_more(world, hidden, lead):
    other = restricting.restrict(world.verification("L1"), to=[], by=world.bob, because="sensitive")
    assert rights(world.erin, hidden) == []
    opening = opened(hidden, world.erin)
    assert rights(world.erin, hidden) == [VIEW]
    assert rights(world.erin, other) == [] and rights(lead, hidden) == [] and rights(world.alice, hidden) == []
    assert Case.objects.visible_to(world.erin).filter(pk=hidden.pk).exists(), "list and detail agree"
    assert opened(hidden, world.erin).pk == opening.pk, "twice is once"
    back(opening, minutes=31)
    assert rights(world.erin, hidden) == []


def test_it_ends_with_the_role_and_when_it_was_not_justified(world, hidden, lead):
    opening = opened(hidden, world.erin)
    people.leave(world.erin, world.team, "officer", by=system())
    assert rights(world.erin, hidden) == []
    people.join(world.erin, world.team, "officer", by=system())
    assert rights(world.erin, hidden) == [VIEW]
    services.review(opening, by=lead, justified=False, note="Nobody was in danger.")
    assert rights(world.erin, hidden) == []


def test_it_is_no_second_person(world):
    """Alice proposes on a case that is restricted then: Erin sees it by exception and still decides nothing."""
    case = verification.review(world.verification("L1"), by=world.alice)
    proposal = propose("verification.reject", case, by=world.alice, reason="forged", note="See the paper.")
    restricting.restrict(Case.objects.get(pk=case.pk), to=[world.alice], by=world.bob, because="sensitive")
    opened(case, world.erin)
    with pytest.raises(Denied):
        confirm(proposal, by=world.erin)


@pytest.mark.parametrize("name", ["alice", "carol", "mallory"])
def test_who_may_not_ask_learns_nothing(name, world, hidden, client):
    """An agent and an auditor of the same queue, and an officer of another team: as if there were no such case."""
    user = getattr(world, name)
    client.force_login(user, backend=BACKEND)
    there = client.get(reverse("cases:case", args=[hidden.number]))
    never = client.get(reverse("cases:case", args=["KYC-26-999999-0"]))
    assert (there.status_code, bare(there)) == (never.status_code, bare(never))
    assert hidden.number not in client.get(reverse("cases:search"), {"q": hidden.account.reference}).content.decode()
    assert services.masked(hidden.number, user=user) == []
    with pytest.raises((Denied, ConditionsNotMet)):
        opened(hidden, user)
    refused = Entry.objects.using("log").filter(action="glass.open", outcome="refused", actor_id=str(user.pk))
    assert refused.count() == 1
    assert not Opening.objects.exists()


def bare(page):
    return re.sub(rb'(name="csrfmiddlewaretoken" value|data-left)="\w+"', b"", page.content)


def test_who_knows_the_player_never_gets_in_this_way(world, hidden):
    declare_conflict(world.erin, hidden.customer, by=world.erin)
    assert services.masked(hidden.number, user=world.erin) == []
    with pytest.raises(ConditionsNotMet, match="no case"):
        opened(hidden, world.erin)


def test_a_kind_that_does_not_say_so_is_nobodys_exception(world, hidden, monkeypatch):
    closed = {name: _without(kind) for name, kind in kinds.kinds().items()}
    monkeypatch.setattr(kinds, "_kinds", closed)
    with pytest.raises(ConditionsNotMet, match="no case"):
        opened(hidden, world.erin)


def _without(kind):
    facts = {name: getattr(kind, name) for name in kind.__slots__}
    return kinds.Kind(**facts | {"by_exception": False})


def test_reason_words_time_and_number_of_times_are_asked_for(world, hidden):
    for wrong in ({"because": "curious"}, {"note": "pls"}, {"minutes": 61}, {"minutes": 0}):
        with pytest.raises(ConditionsNotMet):
            opened(hidden, world.erin, **wrong)
    most = staff_rules(on=timezone.localdate()).glass.most_a_day
    for _time in range(most):
        back(opened(hidden, world.erin), hours=2)
    with pytest.raises(ConditionsNotMet, match="times in a day"):
        opened(hidden, world.erin)
    with pytest.raises(IntegrityError), transaction.atomic():
        Opening.objects.update(ends_at=timezone.now() + timedelta(days=1))


def test_supervisors_are_told_at_once_and_nobody_reviews_their_own(world, hidden, lead):
    privacy = _a("Heidi", "privacy_officer", world)
    opening = opened(hidden, lead)
    assert [user.name for user in letters.supervisors_of(opening)] == ["Heidi"]
    letters.deliver(OutboxRow.objects.get(kind=letters.TELL))
    (letter,) = mail.outbox
    assert letter.to == [privacy.email] and str(opening.pk) in letter.body
    assert hidden.number not in letter.body + letter.subject and WHY not in letter.body
    second = people.create_user(email="g2@example.com", name="Grace", human=lead.human, by=system())
    people.join(second, world.team, "manager", by=system())
    for own in (lead, second, world.erin, world.carol):
        with pytest.raises(Denied):
            services.review(opening, by=own, justified=True, note="")
    with pytest.raises(ConditionsNotMet):
        services.review(opening, by=privacy, justified=False, note=" ")
    done = services.review(opening, by=privacy, justified=True, note="")
    assert done.state == "justified" and services.note_of(done) == WHY


def test_what_nobody_reviews_in_time_is_an_alarm(world, hidden, lead):
    opening = opened(hidden, world.erin)
    alarms.ensure_reviewed()
    back(opening, hours=1)
    with pytest.raises(alarms.NotInOrder):
        alarms.ensure_reviewed()
    services.review(opening, by=lead, justified=True, note="")
    alarms.ensure_reviewed()


def test_the_pages_from_the_number_to_the_review(world, hidden, lead, client):
    client.force_login(world.erin, backend=BACKEND)
    found = client.get(reverse("cases:search"), {"q": hidden.account.reference}).content.decode()
    assert hidden.number in found and hidden.customer.full_name not in found
    asked = client.get(reverse("cases:case", args=[hidden.number]))
    assert asked.status_code == 302 and asked["Location"].startswith(reverse("cases:open-by-exception"))
    data = {"number": hidden.number, "because": "danger", "note": WHY, "minutes": 15}
    wrong = client.post(reverse("cases:open-by-exception"), data | {"number": "KYC-26-999999-0"})
    assert wrong.status_code == 422 and "no case with this number" in wrong.content.decode()
    assert client.post(reverse("cases:open-by-exception"), data).status_code == 302
    page = client.get(reverse("cases:case", args=[hidden.number]))
    assert page.status_code == 200 and "by exception" in page.content.decode()
    assert client.get(reverse("cases:openings")).status_code == 403
    opening = Opening.objects.get()
    client.force_login(lead, backend=BACKEND)
    assert hidden.number in client.get(reverse("cases:openings")).content.decode()
    assert WHY in client.get(reverse("cases:opening", args=[opening.pk])).content.decode()
    assert client.post(reverse("cases:opening", args=[opening.pk]), {"justified": "no"}).status_code == 422
    assert client.post(reverse("cases:opening", args=[opening.pk]), {"justified": "yes"}).status_code == 302
    entry = Entry.objects.get(action="glass.open")
    assert entry.facts["reason"]["code"] == "danger" and entry.facts["data"]["told"] == [str(lead.pk)]
    assert WHY not in entry.entry.decode()
