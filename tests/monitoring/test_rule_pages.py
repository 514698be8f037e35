"""The pages of monitoring rules: whole for the AML side, and not there for everybody else."""

import json
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from cases.types.monitoring.rules import backtests, services
from cases.types.monitoring.rules.models import BackTest, Flag, Rule, Snooze, State
from compliance.proposals.models import Proposal
from tests.monitoring.histories import START, a_rule, report, row


def test_for_everybody_outside_the_aml_side_there_are_no_rules(world, aml, client):
    rule = a_rule("T01", by=aml[0])
    code = {"code": rule.code}
    addresses = [
        reverse("cases:monitoring-rules"),
        reverse("cases:monitoring-rule", kwargs=code),
        reverse("cases:monitoring-rule-edit", kwargs=code),
        reverse("cases:monitoring-rule", kwargs={"code": "nothing"}),
    ]
    for user in (world.alice, world.bob, world.carol):
        client.force_login(user)
        assert {client.get(address).status_code for address in addresses} == {404}
        posts = [reverse(f"cases:monitoring-rule-{act}", kwargs=code | {"number": 1}) for act in ("shadow", "retire")]
        assert {client.post(address).status_code for address in posts} == {404}
        assert "/aml/" not in client.get("/cases/").content.decode()
    assert not Entry.objects.filter(log="main", action__startswith="monitoring").exists()


def test_a_rule_is_read_written_previewed_proposed_tried_and_put_to_sleep(world, aml, client):
    grace, account = aml[0], world.account()
    rule = a_rule("T01", by=grace)
    report(world.licensee, [row(account, n) for n in range(3)], by=world.alice)
    client.force_login(grace)
    page = client.get(reverse("cases:monitoring-rules")).content.decode()
    assert "number of deposits within 24 hours at least 3" in page
    assert Entry.objects.filter(action="monitoring_rules.read", log="aml").count() == 1
    address = reverse("cases:monitoring-rule-edit", kwargs={"code": "T01"})
    given = {
        "title": "Fewer",
        "severity": "low",
        "definition": json.dumps(rule.definition),
        "p_n": "7",
    }
    preview = client.post(address + "?preview", given, headers={"HX-Request": "true"})
    assert preview.status_code == 200 and "at least 7" in preview.content.decode()
    assert Rule.objects.count() == 1
    wrong = client.post(address, given | {"definition": '{"on": ["theft"]}'})
    assert wrong.status_code == 422 and "Name the kinds of transactions" in wrong.content.decode()
    assert client.post(address, given).status_code == 302
    draft = Rule.objects.get(number=2)
    assert (draft.state, draft.definition["parameters"]["n"]["value"], draft.title) == (State.DRAFT, 7, "Fewer")
    page = client.get(reverse("cases:monitoring-rule", kwargs={"code": "T01"})).content.decode()
    assert "Put into the shadow" in page and "at least 7" in page
    version = {"code": "T01", "number": 2}
    assert client.post(reverse("cases:monitoring-rule-shadow", kwargs=version)).status_code == 302
    told = {"reason": "tuning", "note": "Too many"}
    assert client.post(reverse("cases:monitoring-rule-propose", kwargs=version), told).status_code == 302
    assert Proposal.objects.get().log == "aml"
    day = world.licensee.day_of(START).isoformat()
    asked = {"licensee": world.licensee.pk, "from_on": day, "to_on": day, "grid": "n=1,2"}
    answer = client.post(reverse("cases:monitoring-rule-backtest", kwargs=version), asked)
    test = BackTest.objects.get()
    assert answer["Location"] == reverse("cases:monitoring-backtest", args=[test.pk])
    assert "It runs" in client.get(answer["Location"]).content.decode()
    backtests.run(str(test.pk))
    assert "Other values" in client.get(answer["Location"]).content.decode()
    asleep = reverse("cases:monitoring-snooze", args=[Flag.objects.get().pk])
    until = (timezone.now() + timedelta(days=9)).date().isoformat()
    assert client.post(asleep, {"until": until, "note": "Known bonus week"}).status_code == 302
    assert client.post(reverse("cases:monitoring-wake", args=[Snooze.objects.get().pk])).status_code == 302
    assert Snooze.objects.get().ended_at is not None


@pytest.mark.parametrize("role", ["analyst", "mlro"])
def test_who_reads_rules_may_write_them(world, aml, role):
    person = aml[0] if role == "analyst" else aml[1]
    assert services.may_view(person) and person.has_perm("monitoring_rules.change_rules")


def test_a_flag_shows_what_it_rests_on_on_its_lead_and_in_its_investigation(world, aml, client):
    """Version, settings, compared values, and each transaction with money and time; asleep from there."""
    ken, account = aml[0], world.account()
    a_rule("T01", by=ken)
    report(world.licensee, [row(account, n, amount=123456, after=timedelta(hours=n)) for n in range(4)], by=world.alice)
    flag = Flag.objects.get()
    client.force_login(ken)
    place = reverse("cases:aml-lead", args=["flag", flag.pk])
    asleep = reverse("cases:monitoring-snooze", args=[flag.pk])
    shown = client.get(place).content.decode()
    found = client.post(place, follow=True).content.decode()
    for page in (shown, found):
        assert "version 1" in page and "number of deposits within 24 hours at least 3" in page and "<b>3</b>" in page
        assert "deposits</dt><dd>3</dd>" in page, "the parameter, in its writer's words"
        assert all(f"tx-{account.reference}-{n}" in page for n in range(4)) and "1,234.56" in page
        assert asleep in page
    assert reverse("cases:monitoring-rule", args=["T01"]) in shown
    Rule.objects.filter(pk=flag.rule_id).update(number=7)
    assert "version 7" in client.get(place).content.decode()
    client.force_login(world.bob)
    assert client.get(place).status_code == 404
