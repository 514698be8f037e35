"""The API called as its description allows, and otherwise: no error 500, and no answer that it does not describe.

Half of the calls are as described and name things that exist; in the other half something is wrong, and has to be
refused. Every status of every operation is named (no `default`), so an answer can be unknown.
"""

import uuid
from collections import Counter
from datetime import timedelta

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from audit import context
from audit.actors import system
from cases.contacts.services import log_contact
from cases.queues import open_queue
from cases.types.gaming import services as gaming
from cases.types.gaming.models import StopOrder
from compliance.api import api as product_api
from compliance.platform.management.describing import describe
from compliance.platform.openapi import operations
from compliance.platform.scopes import Scope
from compliance.platform.services import issue_key
from compliance.policy.records import Period
from compliance.proposals.services import propose
from tests.verification.conftest import completed
from tests.world import a_world

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 3
POSITIVE, NEGATIVE = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
# What no single request brings to a 2xx, and where it is called instead.
NOT_REACHED = {
    **dict.fromkeys(("checkpoint", "inclusion", "consistency"), "signed by the sequencer: test_log_api"),
    **dict.fromkeys(("ask_return", "confirm_return", "take_back_return"), "after a term: tests/gaming"),
    **dict.fromkeys(("confirm_limit", "report_test", "withdraw_limit"), "of a raise that waits: tests/limits"),
    **dict.fromkeys(("begin_upload", "continue_upload", "standing_of_upload", "give_up_upload"), "tests/documents"),
    "upload_document": "a real picture: tests/documents",
    "deactivate": "of a person by e-mail: tests/people",
}


@schemathesis.serializer("application/offset+octet-stream")
def a_piece(context, value):
    """A piece of a file that is sent in pieces is bytes and nothing else."""
    return value if isinstance(value, bytes) else str(value).encode()


@pytest.fixture
def house(db):
    """A licensee with one of everything that has an id, a key of its platform, and what its ids are."""
    with context.use(context.new("test")):
        world = a_world()
        open_queue(world.team, world.licensee, "gaming", by=system())
        case = completed(world.verification("L1"), by=world.alice)
        facts = {"category": "documents", "outcome": "answered", "summary": "Asked for papers"}
        contact = log_contact(case, by=world.alice, channel="phone", direction="in", **facts).contact
        proposal = propose("verification.approve", case, by=world.alice, reason="all_checks_met")
        account = world.account(full_name="Nil Su")
        other = world.account(full_name="Su Nil")
        exclusion, _case = gaming.keep_out(
            account, kind="time_out", period=Period(amount=24, unit="hour"), by=world.alice
        )
        facts = {"owner": world.bob, "licensee": world.licensee, "name": "fuzz", "scopes": list(Scope), "by": world.bob}
        expires_at = timezone.now() + timedelta(hours=1)
        _row, key = issue_key(**facts, created_by=world.bob, expires_at=expires_at, rate_per_minute=None)
    ids = {
        "/accounts/": {"ref": account.reference, "id": str(exclusion.pk)},
        "/brands/": {"slug": world.brand.slug},
        "/cases/": {"number": case.number, "id": str(case.evidence.first().pk)},
        "/contacts/": {"id": str(contact.pk)},
        "/customers/": {"id": str(case.customer_id)},
        "/licensees/": {"slug": world.licensee.slug},
        "/persons/": {"id": str(case.customer.person_id)},
        "/policies/": {"version": case.policy_version},
        "/proposals/": {"id": str(proposal.pk)},
        "/stop-orders/": {"id": str(StopOrder.objects.get(account=account).pk)},
        "/verifications/": {"number": case.number},
    }
    everywhere = {"ref": other.reference, "customer": str(other.customer_id), "slug": world.brand.slug}
    return key, ids, everywhere


@pytest.fixture
def server(db):
    """The product in this process and in the test's transaction: at the end of a request it would be closed."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield get_wsgi_application()
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.mark.slow
def test_no_request_breaks_it_and_no_answer_is_unknown(house, server):
    key, ids, everywhere = house
    schema = schemathesis.openapi.from_dict(describe(product_api))
    schema.app = server
    reached, refused = Counter(), Counter()
    found = [result.ok() for result in schema.get_all_operations()]
    for operation in sorted(found, key=lambda one: one.method != "get"):  # read before anything is changed
        known = next((names for start, names in ids.items() if operation.path.startswith(f"/api/v1{start}")), {})
        known = {**everywhere, **known}
        call_as_shown(operation, key, known, reached)
        for mode, counted in ((POSITIVE, reached), (NEGATIVE, refused)):
            if mode == POSITIVE or takes_something(operation):
                call_each(operation, mode, key, known, counted)
    names = {operation.operation_id for operation, _scope in operations(product_api)}
    missed = sorted(name for name in names if not reached[name])
    assert missed == sorted(NOT_REACHED), missed
    assert {name for name in names if not refused[name]} == {name_of(one) for one in found if not takes_something(one)}


def test_an_answer_that_is_not_described_is_found(house, server):
    """Else the test above could not fail: the same call, with and without its status in the description."""
    key, _ids, _everywhere = house
    document = describe(product_api)

    def call():
        schema = schemathesis.openapi.from_dict(document)
        schema.app = server
        case = schema["/api/v1/cases/{number}"]["GET"].Case(path_parameters={"number": "KYC-26-999999-9"})
        return case.call_and_validate(headers=sent(key), checks=CHECKS)

    assert call().status_code == 404
    del document["paths"]["/api/v1/cases/{number}"]["get"]["responses"]["404"]
    with pytest.raises(FailureGroup, match="Undocumented status code"):
        call()


def name_of(operation):
    return operation.definition.raw["operationId"]


def takes_something(operation):
    return bool(operation.definition.raw.get("requestBody") or operation.definition.raw.get("parameters"))


def call_as_shown(operation, key, known, reached):
    """The example of the description, about things that exist here."""
    raw = operation.definition.raw
    example = raw.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
    if example is None and "requestBody" in raw:
        return
    about = {"account": known["ref"], "customer": known["customer"], "brand": known["slug"]}
    parameters = [(one["in"], one["name"], one.get("example")) for one in raw.get("parameters", ())]
    path = {name: known.get(name, shown) for place, name, shown in parameters if place == "path"}
    facts = {"path_parameters": path}
    facts["headers"] = {name: str(shown) for place, name, shown in parameters if place == "header" and shown}
    if example is not None:
        facts |= {"body": example | {name: one for name, one in about.items() if name in example}}
        facts |= {"media_type": "application/json"}
    case = operation.Case(**facts)
    answer = case.call_and_validate(headers={**facts["headers"], **sent(key)}, checks=CHECKS)
    reached[name_of(operation)] += answer.status_code < 300


def sent(key):
    return {"Authorization": f"Bearer {key}", "Idempotency-Key": uuid.uuid4().hex}


def call_each(operation, mode, key, known, counted):
    checks = CHECKS if mode == POSITIVE else [*CHECKS, negative_data_rejection]
    name = name_of(operation)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def call(case):
        if mode == POSITIVE:
            case.path_parameters.update({name: one for name, one in known.items() if name in case.path_parameters})
        answer = case.call_and_validate(headers=sent(key), checks=checks)
        counted[name] += answer.status_code < 300 if mode == POSITIVE else 400 <= answer.status_code < 500

    call()
