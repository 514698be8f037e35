"""One object of each kind that an address can name."""

import mailbox
from datetime import timedelta
from unittest import mock

from django.db.models.functions import Now
from django.test import override_settings
from django.utils import timezone

from audit.actors import system
from cases import protection, restricting
from cases import services as engine
from cases.bulk import services as bulk
from cases.contacts import callers
from cases.contacts import care as words_of_care
from cases.contacts import services as contacts
from cases.glass import services as glass
from cases.macros import services as macros
from cases.mail import polling
from cases.mail.models import Delivery as Undelivered
from cases.mail.models import Letter
from cases.models import Case
from cases.quality import services as quality
from cases.quality.models import SecondLook
from cases.queues import open_queue
from cases.types.gaming import services as gaming
from cases.types.gaming.markers import services as markers
from cases.types.gaming.markers.models import CareAction
from cases.types.monitoring import basket
from cases.types.monitoring import services as monitoring
from cases.types.monitoring.reports import services as reports
from cases.types.monitoring.rules import backtests
from cases.types.verification import services as verification
from cases.types.verification.campaigns import services as campaigns
from cases.types.verification.campaigns.choosing import Choice
from compliance.outbox.models import OutboxRow
from compliance.people.exclusions import clock
from compliance.people.exclusions import services as exclusions
from compliance.platform.apikeys import asking
from compliance.platform.services import issue_key
from compliance.platform.webhooks import services as webhooks
from compliance.proposals.services import confirm, propose
from compliance.rulebook import services as rulebook
from tests.gaming.kept_out import excluded
from tests.mail.writing import a_letter
from tests.monitoring.conftest import suspicion
from tests.monitoring.histories import START, a_rule
from tests.papers import bring

NOTE = "Words that say why."
CAMPAIGN = {"title": "Old papers", "per_day": 5}


def seeded(world, people, folder):
    """By the first names of a route, what its parameters stand for. `people` by role; `folder` for a mailbox."""
    open_queue(world.team, world.licensee, "gaming", by=system())
    clock.tick()
    known = {"": _of_a_case(world, people)}
    known[""] |= _of_the_platform(world, people) | _of_mail(world, folder) | _of_rules(world, people)
    known["quality"] = _looked_at_again(world, people)
    known["campaigns"] = {"campaign_id": campaigns.draft(world.licensee, Choice(), **CAMPAIGN, by=people["officer"]).pk}
    known["gaming-"] = _of_gaming(world, people)
    known["care-"] = _of_care(world)
    known["aml/"] = _of_the_aml_side(world, people)
    known["look-settle"] = {"look_id": known["quality"].pop("settled_id")}
    return known


def _in_review(world, inspected=False, **facts):
    case = world.verification("L1", **facts)
    evidence = bring(case, "identity_front", "passport", by=world.alice, inspected=inspected)
    return verification.review(case, by=world.alice), evidence


def _of_a_case(world, people):
    case, evidence = _in_review(world, inspected=True, full_name="Ada Su")
    agent, officer = people["agent"], people["officer"]
    note = engine.write_note(case, by=agent, text="A note.")
    said = {"channel": "phone", "direction": "in", "category": "verification", "outcome": "answered"}
    contact = contacts.log_contact(case, by=agent, summary="Asked.", **said).contact
    task = contacts.plan_contact(case, timezone.now() + timedelta(hours=1), by=agent)
    message = engine.write_message(case, "received", by=agent, text="Hello.")
    Undelivered.objects.create(message=message, result="doubtful", at=timezone.now())
    hidden, _file = _in_review(world, full_name="Bora Tan")
    restricting.restrict(hidden, to=[], by=world.bob, because="sensitive")
    opening = glass.open_case(hidden.number, by=officer, because="danger", note=NOTE, minutes=15)
    asked, paper = _in_review(world, full_name="Cem Er")
    engine.accept(paper, by=agent)
    proposal = propose("verification.approve", asked, by=agent, reason="all_checks_met")
    other = world.account(full_name="Deniz Ak")
    into = verification.open(other, level="L1", by=world.alice)
    stopped = protection.stop_play(case, by=agent, reason="player_asked")
    macro = macros.save("Note", [{"act": "note", "text": "A note."}], by=agent, team=world.team)
    batch = bulk.ask("assign", Case.objects.filter(pk=case.pk), order=["pk"], by=agent)
    return {
        "number": case.number,
        "evidence_id": evidence.pk,
        "document_id": evidence.document_id,
        "page": 1,
        "index": 1,
        "customer_id": case.customer_id,
        "person_id": case.customer.person_id,
        "ref": case.account.reference,
        "contact_id": contact.pk,
        "brand": world.brand.slug,
        "version": case.policy_version,
        "of": "note",
        "of_id": note.pk,
        "act": "approve",
        "task_id": task.pk,
        "message_id": message.pk,
        "check_id": callers.start(case, by=agent).pk,
        "restriction_id": stopped.pk,
        "proposal_id": proposal.pk,
        "opening_id": opening.pk,
        "batch_id": batch.pk,
        "macro_id": macro.pk,
        "into": into.number,
        "hidden": hidden.number,
    }


def _of_the_platform(world, people):
    admin = people["admin"]
    facts = {"licensee": world.licensee, "name": "CRM", "created_by": admin, "by": admin}
    endpoint, _secret = webhooks.add_endpoint(url="http://127.0.0.1:9/hooks", **facts)
    soon = timezone.now() + timedelta(days=1)
    key, _token = issue_key(owner=world.alice, scopes=["ping"], expires_at=soon, **facts)
    wide = {"scopes": ["log:read"], "expires_at": soon, "reason": "connect", "note": ""}
    asked = asking.ask(owner=world.alice, licensee=world.licensee, name="CRM", by=admin, **wide)
    parked = OutboxRow.objects.create(kind="mail.send", payload={}, attempts=10, failed_at=Now(), last_error="OSError")
    return {
        "endpoint_id": endpoint.pk,
        "delivery_id": webhooks.send_test(endpoint, by=admin).pk,
        "key_id": key.pk,
        "asked_id": asked.pk,
        "row_id": parked.pk,
        "user_id": world.alice.pk,
        "who": world.alice.pk,
        "name": "agent",
        "team": world.team.slug,
        "slug": world.licensee.slug,
    }


def _of_mail(world, folder):
    mailbox.Maildir(folder, create=True).add(a_letter("Hello"))
    with override_settings(MAILBOXES=[f"{world.licensee.slug}=maildir://{folder}?address=help@brand.example"]):
        polling.poll()
    return {"letter_id": Letter.objects.get().pk}


def _of_rules(world, people):
    day = world.licensee.today() + timedelta(days=1)
    return {"set_code": rulebook.draft(world.licensee, {}, effective_from=day, by=people["officer"]).code}


def _looked_at_again(world, people):
    looks = []
    for name in ("Ege Taş", "Filiz Kaya"):
        case, evidence = _in_review(world, full_name=name)
        engine.accept(evidence, by=world.alice)
        confirm(propose("verification.approve", case, by=world.alice, reason="all_checks_met"), by=world.bob)
        with mock.patch.object(quality, "_share", lambda version: 100):
            quality.draw()
        looks.append(quality.take(by=people["officer"] if looks else world.erin))
    settled, held = looks
    quality.judge(settled, by=world.erin, outcome="rejected", note=NOTE)
    held = SecondLook.objects.get(pk=held.pk)
    evidence = held.case.evidence.get()
    return {"look_id": held.pk, "evidence_id": evidence.pk, "page": 1, "settled_id": settled.pk}


def _of_gaming(world, people):
    account = world.account(full_name="Gül Ay")
    exclusion = excluded(account, ago=timedelta(days=400))
    exclusions.sweep()
    _same, case = gaming.ask_return(exclusion, account, channel="phone", words="Better.", by=people["agent"])
    return {"number": case.number, "act": "annul"}


def _of_care(world):
    case = world.verification("L1", full_name="Lale Su")
    words_of_care.look(case, "I want to die", by=world.alice)
    markers.recount(case.customer_id)
    markers.act_waiting()
    return {"action_id": CareAction.objects.get(customer=case.customer_id, act="marketing_off").pk}


def _of_the_aml_side(world, people):
    mlro, analyst = people["mlro"], people["analyst"]
    lead = suspicion(world, world.account(full_name="Hale Oz").customer)
    found = monitoring.take_up(monitoring.look_into("suspicion", lead.pk, by=mlro), by=analyst)
    exhibit = basket.put_file_in(found, name="answer.pdf", data=b"%PDF-1.7 answer", by=analyst)
    report = reports.draft(found, kind="STR", by=analyst)
    waiting = suspicion(world, world.account(full_name="Ivan Li").customer)
    rule = a_rule("T09", by=analyst)
    day = world.licensee.day_of(START)
    test = backtests.ask(rule, world.licensee, from_on=day, to_on=day, grid={}, by=analyst)
    return {
        "number": found.number,
        "exhibit_id": exhibit.pk,
        "report_id": report.pk,
        "suspicion_id": lead.pk,
        "kind": "suspicion",
        "source_id": waiting.pk,
        "customer_id": found.customer_id,
        "code": rule.code,
        "test_id": test.pk,
    }
