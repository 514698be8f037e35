"""What the platform hears of its players' cases: each thing once, thin, and the same whoever wanted the papers."""

import jsonschema_rs
import pytest
from django.db import transaction

from audit.actors import system
from cases import services as engine
from cases.models import Case
from cases.queues import open_queue
from cases.restricting import restrict
from cases.types.gaming import orders
from cases.types.gaming import services as gaming
from cases.types.gaming.models import StopOrder
from cases.types.monitoring import requests, routine
from cases.types.verification import services as verification
from compliance.outbox.models import OutboxRow
from compliance.platform.webhooks import catalogue
from compliance.platform.webhooks.events import as_dict
from compliance.platform.webhooks.models import Event
from compliance.policy.records import Period
from compliance.proposals.models import Proposal
from compliance.proposals.services import confirm, propose
from tests.monitoring.conftest import an_investigation, the_aml_side
from tests.papers import bring
from tests.verification.conftest import completed

pytestmark = pytest.mark.usefixtures("woken")


@pytest.fixture
def heard(passed_on):
    """(type, data) of every event so far but those of the gate, each as its schema has it."""

    def heard():
        passed_on()
        found = []
        for event in Event.objects.select_related("licensee").order_by("position"):
            schema = catalogue.envelope(catalogue.types()[event.type])
            jsonschema_rs.validator_for(schema).validate(as_dict(event, event.licensee.slug))
            found += [] if event.type.startswith("account.") else [(event.type, event.data)]
        return found

    return heard


def about(case, **more):
    return {"case": case.number, "account": case.account.reference, "brand": "brand", **more}


def test_a_case_from_its_beginning_to_a_better_file(world, heard):
    case = world.verification("L1")
    front = bring(case, "identity_front", "national_id", by=world.alice, inspected=False)
    verification.review(case, by=world.alice)
    assert heard() == [("case.opened", about(case))]
    engine.ask_again(front, by=world.alice, reasons=["image_glare"])
    assert len(heard()) == 1  # the verdict can be taken back: the player knows nothing yet
    verification.ask(type(case).objects.get(pk=case.pk), by=world.alice)
    told = [("case.document.refused", about(case, document=str(front.pk))), ("case.asked", about(case))]
    assert heard()[1:] == told


def test_the_level_and_the_end_are_told_and_nothing_of_how_it_ended(world, heard):
    case = completed(world.verification("L1"), by=world.alice)
    confirm(propose("verification.approve", case, by=world.alice, reason="all_checks_met"), by=world.bob)
    level, ended = ("customer.level.changed", {"customer": str(case.customer_id)}), ("case.ended", about(case))
    assert heard()[1:] == [level, ended]


def test_a_refusal_by_two_names_the_file_and_a_reopening_is_told(world, heard):
    case = world.verification("L1")
    for purpose in ("identity_front", "identity_back"):
        bring(case, purpose, "national_id", by=world.alice, inspected=False)
    case = verification.review(case, by=world.alice)
    engine.accept(case.evidence.get(purpose="identity_back"), by=world.alice)
    front = case.evidence.get(purpose="identity_front")
    engine.reject(front, by=world.alice, reasons=["document_altered"])
    assert len(heard()) == 1
    confirm(Proposal.objects.parked().get(subject_id=case.pk), by=world.bob)
    told = [("case.document.refused", about(case, document=str(front.pk))), ("case.ended", about(case))]
    assert heard()[1:] == told
    case = type(case).objects.get(pk=case.pk)
    confirm(propose("verification.reopen", case, by=world.erin, reason="our_error"), by=world.bob)
    assert heard()[3:] == [("case.reopened", about(case))]


def test_a_case_that_the_player_wants_no_more_is_over(world, heard):
    case = verification.withdraw(world.verification("L1"), by=world.alice)
    assert heard() == [("case.opened", about(case)), ("case.ended", about(case))]


def test_a_request_about_play_is_a_case_as_any_other(world, heard):
    open_queue(world.team, world.licensee, "gaming", by=system())
    period = Period(amount=24, unit="hour")
    _exclusion, case = gaming.keep_out(world.account(), kind="time_out", period=period, by=world.alice)
    for order in StopOrder.objects.filter(account=case.account):
        orders.confirm(order, order.left, by=world.alice)
    gaming.settle(case, by=world.alice)
    assert heard() == [("case.opened", about(case)), ("case.ended", about(case))]


def test_what_rolls_back_is_not_told(world, heard):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        world.verification("L1")
        1 / 0  # noqa: B018
    assert heard() == []


def test_a_restricted_case_does_not_exist_for_the_platform(world, heard):
    case = world.verification("L1")
    assert len(heard()) == 1
    restrict(case, to=[world.erin], by=world.bob, because="sensitive")
    verification.withdraw(case, by=world.bob)
    assert len(heard()) == 1


def test_papers_that_the_aml_side_wants_are_told_as_those_of_a_player_drawn_by_chance(world, heard):
    """The twins: the same events, the same bytes in the outbox but for what names the case."""
    judy, _lara, _ken = the_aml_side(world)
    suspect, drawn = world.account(), world.account()
    found = an_investigation(world, judy, suspect)
    assert heard() == []  # nothing that the AML side looks into is an event
    requests.ask(found, by=judy)
    routine.ask(drawn.customer)
    told = heard()
    bare = [(name, sorted(data)) for name, data in told]
    assert bare == [("case.opened", ["account", "brand", "case"])] * 2
    assert [data["account"] for _name, data in told] == [suspect.reference, drawn.reference]
    rows = [
        [{**row.payload, "case_id": ""} for row in OutboxRow.objects.filter(payload__case_id=str(case.pk))]
        for case in Case.objects.filter(account__in=[suspect, drawn]).order_by("opened_at")
    ]
    assert rows[0] == rows[1] and rows[0]
    requests.ask(found, by=judy)  # an open matter is used: nothing is told again
    assert len(heard()) == 2
