"""What the rules on exclusions do to players, platforms and staff, each by its id. What is expected stands here whole:
nothing is read from the policy that is tried.
"""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from audit.perform import ConditionsNotMet
from cases.types.gaming import acts, services
from cases.types.gaming.models import RegisterCheck, StopOrder
from cases.types.gaming.registers import services as registers
from compliance.people.exclusions import services as exclusions
from compliance.people.exclusions.models import Exclusion
from compliance.people.gate import permissions_of
from compliance.policy import policy_for
from tests.gaming import test_marketing
from tests.gaming.kept_out import excluded, period, stopped

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CHANNELS = {"phone", "in_person", "written", "online"}
COVERED: dict[str, str] = {"TR.EXC.MARKETING_AFTER": "test_TR_EXC_MARKETING_AFTER_nobody_can_ask_for_it"}


def of_rules(*ids):
    """The rules that this test tries."""

    def noted(test):
        COVERED.update(dict.fromkeys(ids, test.__name__))
        return test

    return noted


def keep_out(house, account, term="6 month", **more):
    given = {"kind": "self_exclusion", "period": period(term), "by": house.key, "via": "api"}
    return services.keep_out(account, **given | more)


def midnight(day):
    """The licensees of these tests are in UTC."""
    return datetime.combine(day, time(), ZoneInfo("UTC"))


def test_the_other_rule_is_tried_elsewhere():
    assert hasattr(test_marketing, COVERED["TR.EXC.MARKETING_AFTER"])


@of_rules("OP.EXC.RETURN_CHANNELS", "GB.EXC.RETURN_CHANNELS", "MT.EXC.RETURN_CHANNELS", "DE.EXC.RETURN_CHANNELS")
@pytest.mark.parametrize(
    ("jurisdiction", "taken"),
    [("TR", CHANNELS), ("GB", {"phone", "in_person"}), ("MT", {"written"}), ("DE", {"written"})],
)
def test_EXC_RETURN_CHANNELS_a_return_is_taken_by_these_alone(house, under, jurisdiction, taken):
    account, _player = under(jurisdiction)
    one = excluded(account, ago=400 * DAY)
    exclusions.sweep()
    for channel in sorted(CHANNELS | {"post"}):
        if channel in taken:
            asked, _case = services.ask_return(one, account, channel=channel, by=house.alice)
            assert asked.state == "return_requested"
            services.take_back_return(asked, by=house.alice)
        else:
            with pytest.raises(ConditionsNotMet, match="^channel: "):
                services.ask_return(one, account, channel=channel, by=house.alice)
    assert stopped(account) == {"deposit", "play", "marketing"}


@of_rules("OP.EXC.DECISION_WITHIN", "MT.EXC.DECISION_WITHIN")
@pytest.mark.parametrize(("jurisdiction", "channel"), [("TR", "phone"), ("MT", "written")])
def test_EXC_DECISION_WITHIN_a_return_is_due_at_the_end_of_the_seventh_day(house, under, jurisdiction, channel):
    account, _player = under(jurisdiction)
    one = excluded(account, ago=400 * DAY)
    exclusions.sweep()
    asked, case = services.ask_return(one, account, channel=channel, by=house.alice)
    assert case.due_at == midnight(asked.return_asked_at.date() + 8 * DAY)


@of_rules("OP.EXC.STOPS", "OP.EXC.ENDED_NOW", "OP.EXC.CONFIRM_WITHIN", "GB.EXC.MARKETING_STOP")
@pytest.mark.parametrize("jurisdiction", ["TR", "GB"])
def test_EXC_STOPS_ENDED_NOW_CONFIRM_WITHIN_and_MARKETING_STOP(house, under, jurisdiction):
    account, _player = under(jurisdiction)
    exclusion, _case = keep_out(house, account)
    allowed = {name: one.allowed for name, one in permissions_of(account.licensee_id, account.reference).items()}
    assert allowed == {"sign_in": True, "deposit": False, "play": False, "withdraw": True, "marketing": False}
    order = StopOrder.objects.get(account=account)
    assert order.parts == ["sessions", "scheduled_deposits", "bonuses", "marketing"]
    assert timedelta(minutes=59) < order.due_at - exclusion.starts_at <= HOUR + timedelta(minutes=1)
    two_days = midnight(exclusion.starts_at.date() + 3 * DAY)
    assert order.marketing_due_at == {"TR": None, "GB": two_days}[jurisdiction]


@of_rules("OP.EXC.WITHDRAWALS", "MT.EXC.WITHDRAWALS", "IT.EXC.WITHDRAWALS")
@pytest.mark.parametrize(("jurisdiction", "rule"), [("GB", "OP"), ("MT", "MT"), ("IT", "IT")])
def test_EXC_WITHDRAWALS_stay_possible(under, jurisdiction, rule):
    account, _player = under(jurisdiction)
    excluded(account)
    assert stopped(account) == {"deposit", "play", "marketing"}
    law = policy_for(jurisdiction, on=account.licensee.today()).exclusions
    assert law.withdrawals.id == f"{rule}.EXC.WITHDRAWALS"
    greedy = law.model_copy(update={"stops": law.stops.model_copy(update={"value": ("play", "withdraw")})})
    assert exclusions.stopped_by(greedy) == ("play",), "whatever else a file says"


@of_rules("OP.EXC.MARKETING_AFTER", "GB.EXC.MARKETING_AFTER")
@pytest.mark.parametrize(("jurisdiction", "term", "ago"), [("SE", "1 month", 100), ("GB", "6 month", 8 * 366)])
def test_EXC_MARKETING_AFTER_none_until_the_player_asks_for_it(under, jurisdiction, term, ago):
    account, _player = under(jurisdiction)
    one = excluded(account, term=term, ago=ago * DAY)
    exclusions.sweep()
    ended = Exclusion.objects.get(pk=one.pk)
    assert (ended.state, stopped(account)) == ("ended", {"marketing"})
    assert acts.unmet_marketing(ended) == []


@of_rules("OP.EXC.SCOPES", "MT.EXC.SCOPES")
def test_EXC_SCOPES_the_whole_group_unless_the_law_offers_less(house, under):
    here, _player = under("TR")
    with pytest.raises(ConditionsNotMet, match="^scope: group"):
        keep_out(house, here, scope="licensee")
    assert keep_out(house, here)[0].restriction.person_id == here.customer.person_id
    malta, _player = under("MT")
    narrow = keep_out(house, malta, scope="licensee")[0].restriction
    assert (narrow.person_id, narrow.customer_id) == (None, malta.customer_id)
    other, _player = under("MT")
    assert keep_out(house, other)[0].restriction.person_id == other.customer.person_id


REGISTERS = {
    "GB": "GAMSTOP",
    "DE": "OASIS",
    "SE": "SPELPAUS",
    "NL": "CRUKS",
    "DK": "ROFUS",
    "ES": "RGIAJ",
    "IT": "RUA",
}


@of_rules("OP.EXC.REGISTER_AGE", *(f"{law}.EXC.REGISTERS" for law in REGISTERS))
def test_EXC_REGISTERS_and_REGISTER_AGE_closed_until_asked_and_a_day_after(under, settings, tmp_path):
    settings.REGISTERS_COUNT, settings.DATA_DIR = True, tmp_path
    settings.REGISTERS = dict.fromkeys(REGISTERS.values(), settings.SIMULATOR)
    players = {law: under(law)[0] for law in (*REGISTERS, "TR", "MT")}
    closed = {law for law, account in players.items() if stopped(account) == {"deposit", "play"}}
    assert closed == REGISTERS.keys()
    registers.sweep()
    for law, account in players.items():
        rows = RegisterCheck.objects.filter(customer=account.customer)
        asked = {row.register: row.good_until - row.asked_at for row in rows}
        assert asked == ({REGISTERS[law]: 24 * HOUR} if law in REGISTERS else {}), law
        assert stopped(account) == set()
