"""The pages of the few: the AML side's and the administrators', walked as those of everybody are."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit import context
from cases.types.monitoring import freezes, services
from cases.types.monitoring.reports import services as reports
from cases.types.monitoring.rules.models import Flag
from cases.types.monitoring.transactions.services import accept
from compliance.platform.apikeys import asking
from compliance.platform.services import issue_key
from tests.browser.routes import addresses, granted, signed_in
from tests.browser.walking import Absent, speaking, walk
from tests.journeys.people import eventually, sign_in
from tests.monitoring.conftest import suspicion, the_aml_side
from tests.monitoring.histories import a_rule, row
from tests.world import a_world, an_administrator

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def world(committed):
    return a_world()


def test_the_pages_of_the_aml_side(stack, world, new_context):
    with context.use(context.new("test")):
        judy, _lara, ken = the_aml_side(world)
        values = a_matter(world, judy, ken)
    page = sign_in(stack, new_context, speaking(judy, "tr"))
    asked = [address for address in addresses(signed_in, Absent(values)) if address.startswith("/aml/")]
    rule, lead = (f"/aml/{place}/" for place in (f"rules/{values['code']}", f"leads/flag/{values['flag_id']}"))
    seen = walk(page, [*asked, lead, f"/aml/suspicions/{values['source_id']}/"], "tr")
    found = f"/aml/investigations/{values['number']}/"
    assert {"/aml/", found, f"{found}end/", f"/aml/reports/{values['report_id']}/", rule, lead} <= set(seen)


def a_matter(world, judy, ken):
    """A player whose deposits raised a flag, suspected by Alice, looked into, frozen, with a report begun; what the
    parameters of addresses stand for."""
    code = f"W{world.team.slug[-4:]}".upper()
    rule = a_rule(code, by=ken, severity="critical")
    account = world.account()
    rows = [row(account, n, amount=990_000, after=timedelta(hours=n)) for n in range(4)]
    accept(world.licensee, rows, by=world.alice)
    flag = eventually(lambda: Flag.objects.filter(customer=account.customer, rule=rule).first())
    said = suspicion(world, account.customer)
    matter = services.take_up(services.look_into("suspicion", said.pk, by=judy), by=ken)
    return {
        "number": matter.number,
        "flag_id": flag.pk,
        "kind": "suspicion",
        "source_id": said.pk,
        "freeze_id": freezes.place(matter, by=judy, reason="report_follows").pk,
        "report_id": reports.draft(matter, kind="STR", by=ken).pk,
        "customer_id": account.customer_id,
        "code": rule.code,
    }


def test_the_pages_of_an_administrator(stack, world, new_context):
    dave = an_administrator(world)
    with context.use(context.new("test")):
        facts = {"name": "platform", "licensee": world.licensee, "scopes": ["cases:read"]}
        until = timezone.now() + timedelta(days=30)
        key, _secret = issue_key(**facts, owner=world.bob, expires_at=until, created_by=dave, by=dave)
        wide = {**facts, "scopes": ["log:read"], "reason": "connect", "note": ""}
        asked = asking.ask(**wide, owner=world.bob, expires_at=until, by=dave)
    values = {"user_id": world.alice.pk, "key_id": key.pk, "asked_id": asked.pk}
    page = sign_in(stack, new_context, speaking(dave, "tr"))
    seen = walk(page, addresses(granted, Absent(values)), "tr")
    keys = {f"/platform/keys/{key.pk}/", f"/platform/keys/asked/{asked.pk}/"}
    assert {"/staff/", f"/staff/{world.alice.pk}/", "/platform/webhooks/", *keys} <= set(seen)
