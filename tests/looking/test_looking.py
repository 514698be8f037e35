"""Who looks at which player: why, what stands out about it, and who may see who looked."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from audit.actors import system
from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied
from audit.record import record_read
from cases import services as engine
from cases.looking import letters, services, watching
from cases.looking.models import Fact, Reason
from cases.looking.needed import ReasonNeeded
from cases.models import Case
from cases.queries import get_case
from cases.types.verification import services as verification
from cases.types.verification.models import Verification
from compliance.outbox.models import OutboxRow
from compliance.people import services as people
from compliance.people.models import User
from compliance.policy.staff import staff_rules
from compliance.proposals.services import propose

pytestmark = pytest.mark.django_db
BACKEND = "compliance.people.access.backend.StaffBackend"


@pytest.fixture(autouse=True)
def asked(settings):
    settings.LOOK_REASON = "asked"


def a_person(world, name, role):
    user = people.create_user(email=f"{name.split()[0].lower()}-{world.team.slug}@example.com", name=name, by=system())
    people.join(user, world.team, role, by=system())
    return user


def opens(user, case):
    """Whether a page would show it at once."""
    try:
        get_case(case.number, user=User.objects.get(pk=user.pk))
    except ReasonNeeded:
        return False
    return True


def read(user, *cases):
    for case in cases:
        record_read(by=user, subject=case.audit_subject, purpose="case", about=case, matter=case.number)


def test_who_works_with_a_player_is_asked_nothing_and_the_others_are(world):
    case = world.verification("L1")
    assert all(opens(user, case) for user in (world.alice, world.bob, world.carol)), "it waits for anybody"
    engine.assign(case, to=world.alice, by=world.alice)
    case = Verification.objects.get(pk=case.pk)
    assert opens(world.alice, case)
    assert opens(world.carol, case), "an auditor's office is to look"
    assert not opens(world.bob, case)
    verification.withdraw(case, by=world.alice)
    other = verification.open(case.account, level="L1", by=world.alice)
    engine.assign(other, to=world.bob, by=world.bob)
    case, other = (Verification.objects.get(pk=one.pk) for one in (case, other))
    assert opens(world.bob, case), "another open case of the player is theirs"
    assert not opens(world.erin, case) and not opens(world.erin, other)
    propose("verification.reject", verification.review(other, by=world.bob), by=world.bob, reason="forged", note="?")
    assert opens(world.erin, other), "a decision waits for them"
    aml = a_person(world, "Ivan", "mlro")
    assert not services.Reason.objects.is_missing(aml, other), "the AML side leaves no traces"


def test_a_reason_opens_one_player_for_some_hours_and_stands_in_the_log(world, client):
    case, other = (engine.assign(world.verification("L1"), to=world.alice, by=world.alice) for _two in range(2))
    client.force_login(world.bob, backend=BACKEND)
    url = reverse("cases:case", args=[case.number])
    page = client.get(url)
    assert page.status_code == 428
    assert case.customer.full_name not in page.content.decode() and f'value="{url}"' in page.content.decode()
    assert client.post(reverse("cases:note", args=[case.number]), {"text": "Hello"}).status_code == 428
    assert not Entry.objects.filter(action="cases.write_note").exists(), "nothing is done before"
    why = reverse("cases:say-why", args=[case.number])
    assert client.post(why, {"because": "other", "next": url}).status_code == 422
    assert client.post(why, {"because": "contact", "next": "https://evil.example/"})["Location"] == url
    assert client.get(url).status_code == 200
    assert not opens(world.bob, other) and not opens(world.erin, case)
    entry = Entry.objects.get(action="looking.say_why")
    assert (entry.subject_id, entry.facts["reason"]["code"]) == (str(case.customer_id), "contact")
    Reason.objects.update(until=timezone.now())
    assert not opens(world.bob, case)
    assert services.forget_reasons() == 1


def test_a_snooper_stands_out_and_who_works_much_does_not(world):
    rules = staff_rules(on=timezone.localdate()).looking
    cases = [world.verification("L1") for _some in range(rules.least_without_case + 1)]
    for case in cases:
        verification.withdraw(case, by=world.alice)
    read(world.bob, *cases)
    read(world.erin, *cases[:1])
    Case.objects.filter(pk__in=[case.pk for case in cases]).update(assignee=world.alice)
    read(world.alice, *cases)
    snoop = a_person(world, "Judy Yıldırım", "agent")
    read(snoop, *cases[:1])
    lead, aml = a_person(world, "Grace", "manager"), a_person(world, "Ivan", "mlro")
    read(aml, *cases)
    assert watching.watch() == 2
    assert watching.watch() == 0, "each thing once a day"
    found = {(fact.user.name, fact.kind) for fact in Fact.objects.all()}
    assert found == {("Bob", "without_case"), ("Judy Yıldırım", "same_name")}
    assert watching.watch(now=timezone.now() + timedelta(hours=rules.window_hours + 1)) == 0
    fact = Fact.objects.get(kind="without_case")
    assert (fact.count, fact.usual) == (len(cases), 1)
    letters.deliver(OutboxRow.objects.filter(kind=letters.TELL, payload__fact_id=str(fact.pk)).get())
    (letter,) = mail.outbox
    assert letter.to == [lead.email] and cases[0].number not in letter.body
    for nobody in (world.bob, world.erin, aml, world.mallory):
        with pytest.raises(Denied):
            services.settle(fact, by=nobody, in_order=True, note="fine")
    with pytest.raises(ConditionsNotMet):
        services.settle(fact, by=lead, in_order=True, note=" ")
    done = services.settle(fact, by=lead, in_order=False, note="He cannot say why.")
    assert (done.state, services.note_of(done)) == ("wrong", "He cannot say why.")


def test_many_more_than_the_others_stands_out(world):
    rules = staff_rules(on=timezone.localdate()).looking
    one = world.verification("L1").customer_id
    looks = {str(world.bob.pk): {f"player {n}" for n in range(rules.least_players)}, str(world.erin.pk): {str(one)}}
    (found,) = watching._many(looks, rules)
    assert (found.user_id, found.count, found.usual) == (str(world.bob.pk), rules.least_players, 1)
    for other in (world.erin, world.mallory):
        looks[str(other.pk)] = {f"player {n}" for n in range(rules.least_players // rules.times_peers + 1)}
    assert not list(watching._many(looks, rules)), "three times the others is not more than three times"


def test_who_looked_is_for_leads_auditors_and_the_privacy_officer_and_never_names_the_aml_side(world, client):
    case = engine.assign(world.verification("L1"), to=world.alice, by=world.alice)
    aml, lead = a_person(world, "Ivan", "mlro"), a_person(world, "Grace", "manager")
    privacy, stranger = a_person(world, "Heidi", "privacy_officer"), a_person(world, "Olivia", "manager")
    people.leave(stranger, world.team, "manager", by=system())
    read(world.alice, case)
    read(aml, case)
    url = reverse("cases:lookers")
    seen = {}
    for user in (lead, privacy, world.carol):
        client.force_login(user, backend=BACKEND)
        page = client.get(url, {"number": case.account.reference}).content.decode()
        seen[user.name] = ("<bdi>Alice</bdi>" in page, "<bdi>Ivan</bdi>" in page)
    assert set(seen.values()) == {(True, False)}
    assert {row.name for row in services.lookers(case.customer, user=aml)} >= {"Alice", "Ivan"}
    gone = a_person(world, "Victor", "mlro")
    read(gone, case)
    people.leave(gone, world.team, "mlro", by=system())
    assert "Victor" not in {row.name for row in services.lookers(case.customer, user=privacy)}
    client.force_login(privacy, backend=BACKEND)
    taken = client.post(f"{url}?number={case.number}", {"reason": "The player asked."})
    assert b"Alice" in b"".join(taken.streaming_content) and taken["Content-Type"].startswith("text/csv")
    assert Entry.objects.get(action="looking.export").subject_id == str(case.customer_id)
    client.force_login(world.bob, backend=BACKEND)
    assert client.get(url, {"number": case.number}).status_code == 403
    other = a_person(world, "Peggy", "manager")
    people.leave(other, world.team, "manager", by=system())
    people.join(other, world.mallory.memberships.get().team, "manager", by=system())
    assert services.customers_of(case.number, user=other) == []


def test_who_looked_is_found_by_the_index_of_the_subjects(world):
    case = world.verification("L1")
    read(world.alice, case)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT count(*) FROM audit_entry e WHERE e.log = 'main' AND e.subject_id = ANY(%s)",
            [[str(case.customer_id)]],
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "subject" in plan, plan


def test_the_page_of_what_stands_out(world, client):
    lead = a_person(world, "Grace", "manager")
    fact = Fact.objects.create(user=world.bob, kind="without_case", day=timezone.localdate(), count=9, usual=1.0)
    client.force_login(lead, backend=BACKEND)
    assert "Bob" in client.get(reverse("cases:looking")).content.decode()
    url = reverse("cases:looking-settle", args=[fact.pk])
    assert client.post(url, {"in_order": "yes"}).status_code == 422
    assert client.post(url, {"in_order": "yes", "note": "A handover."}).status_code == 302
    assert Fact.objects.get().state == "explained"
