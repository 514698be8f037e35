"""National registers: closed until asked, closed when listed, closed again when the answer is too old."""

import json
from datetime import date, timedelta
from types import SimpleNamespace

import pytest

from audit.actors import system
from cases.queues import open_queue
from cases.types.gaming import acts, services
from cases.types.gaming.models import RegisterCheck
from cases.types.gaming.registers import services as registers
from cases.types.gaming.registers.adapters import RegisterAway, register_of
from compliance.people import correcting
from compliance.people.exclusions import clock
from compliance.people.exclusions import services as exclusions
from compliance.people.models import Customer, Restriction
from compliance.people.services import create_brand, create_licensee
from tests.gaming.kept_out import a_player, excluded, stopped

NAME = "Ada Su"


@pytest.fixture
def abroad(world, settings, tmp_path):
    """A Swedish licensee of the same house, with the register's simulator."""
    settings.REGISTERS_COUNT = True
    settings.REGISTERS = dict.fromkeys(("SPELPAUS", "OASIS"), settings.SIMULATOR)
    settings.DATA_DIR = tmp_path
    return lambda jurisdiction: _house(world, jurisdiction)


def _house(world, jurisdiction):
    licensee = create_licensee(
        name=jurisdiction,
        slug=f"{jurisdiction.lower()}-{world.team.slug}",
        jurisdiction=jurisdiction,
        time_zone="Europe/Stockholm",
        by=system(),
    )
    brand = create_brand(licensee=licensee, name="Nord", slug="nord", by=system())
    open_queue(world.team, licensee, "gaming", by=system())
    return SimpleNamespace(licensee=licensee, brand=brand, alice=world.alice, bob=world.bob)


def says(settings, name, **content):
    folder = settings.DATA_DIR / "registers"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(content))


def test_the_door_is_closed_until_asked_and_closes_again_by_itself(abroad, settings):
    house = abroad("SE")
    account = a_player(house, NAME)
    assert stopped(account) == {"deposit", "play"}
    assert registers.sweep() == 1
    assert stopped(account) == set()
    row = RegisterCheck.objects.get(customer=account.customer)
    assert (row.answer, row.restriction.starts_at) == ("clear", row.good_until)
    assert timedelta(hours=23) < row.good_until - clock.now() <= timedelta(hours=24)
    # The register is away: what was known counts, and the closed door that was laid down stays where it is.
    says(settings, "SPELPAUS", away=True)
    [heard] = registers.ask(account.customer, by=system())
    assert (heard.answer, heard.good_until) == ("away", row.good_until)
    assert Restriction.objects.get(pk=row.restriction_id).lifted_at is None
    Restriction.objects.filter(pk=row.restriction_id).update(
        starts_at=clock.now() - timedelta(seconds=1)
    )  # a day later
    assert stopped(account) == {"deposit", "play"}


def test_who_is_listed_is_out_until_the_register_lets_them_go(abroad, settings):
    house = abroad("SE")
    account = a_player(house, NAME)
    born = account.customer.birth_date.isoformat()
    says(settings, "SPELPAUS", listed=[{"full_name": "ada su", "birth_date": born}])
    registers.ask(account.customer, by=system())
    assert stopped(account) == {"deposit", "play", "marketing"}
    says(settings, "SPELPAUS", listed=[])
    done = registers.reconcile([account.customer])
    assert (done["let_go"], done["newly_listed"], done["away"]) == ([account.reference], [], 0)
    assert stopped(account) == set()
    says(settings, "SPELPAUS", listed=[{"full_name": NAME, "birth_date": born}])
    assert registers.reconcile([account.customer])["newly_listed"] == [account.reference]
    assert stopped(account) == {"deposit", "play", "marketing"}


@pytest.mark.parametrize("content", ["{", '{"away": true}'])
def test_no_answer_is_a_closed_door(abroad, settings, content):
    house = abroad("SE")
    account = a_player(house, NAME)
    says(settings, "SPELPAUS")
    (settings.DATA_DIR / "registers" / "SPELPAUS.json").write_text(content)
    assert [heard.answer for heard in registers.ask(account.customer, by=system())] == ["away"]
    assert stopped(account) == {"deposit", "play"}
    settings.REGISTERS = {}
    with pytest.raises(RegisterAway, match="REGISTERS"):
        register_of("SPELPAUS")
    assert [heard.answer for heard in registers.ask(account.customer, by=system())] == ["away"]


def test_one_register_that_is_away_keeps_nobody_from_being_asked_elsewhere_and_who_was_here_before_is_asked(
    abroad, settings, monkeypatch
):
    settings.REGISTERS_COUNT = False
    sweden, germany = abroad("SE"), abroad("DE")
    before = [a_player(sweden, f"Ada {name}") for name in ("Su", "Nil", "Ay")]
    there = a_player(germany, NAME)
    settings.REGISTERS_COUNT = True
    says(settings, "SPELPAUS", away=True)
    monkeypatch.setattr(registers, "A_RUN", 2)
    monkeypatch.setattr(registers, "GIVE_UP", 1)
    assert registers.sweep() == 2
    assert RegisterCheck.objects.get().customer == there.customer
    assert sum(stopped(account) == {"deposit", "play"} for account in before) == 2, (
        "nobody plays who was not asked about"
    )
    says(settings, "SPELPAUS")
    monkeypatch.setattr(registers, "GIVE_UP", 5)
    assert [registers.sweep() for _run in range(3)] == [2, 1, 0]
    assert not any(map(stopped, before))


def test_where_no_register_is_named_by_law_nobody_is_asked(abroad, world):
    account = world.account(birth_date=date(1980, 1, 1))
    assert stopped(account) == set()
    assert registers.ask(account.customer, by=system()) == []


def test_in_germany_the_register_decides_on_a_return(abroad, settings):
    house = abroad("DE")
    account = a_player(house, NAME)
    born = account.customer.birth_date.isoformat()
    says(settings, "OASIS", listed=[{"full_name": NAME, "birth_date": born}])
    registers.ask(account.customer, by=system())
    exclusion = excluded(account, term="1 year", ago=timedelta(days=500))
    exclusions.sweep()
    asked, _case = services.ask_return(exclusion, account, channel="written", words="I ask", by=house.alice)
    assert ["register" in why for why in acts.unmet_return(asked)] == [True]
    registers.ask(account.customer, by=system())
    assert acts.unmet_return(asked)
    says(settings, "OASIS", listed=[])
    registers.ask(account.customer, by=system())
    assert acts.unmet_return(asked) == []


def test_whoever_was_clear_under_a_wrong_name_is_stopped_until_asked_about_the_right_one(abroad, settings):
    account = a_player(abroad("SE"), NAME)
    registers.sweep()
    assert stopped(account) == set()
    facts = {"reason": "typed_wrongly", "matter": "KYC", "evidence": "1", "by": system()}
    assert correcting.correct(account.customer, {"full_name": "Ada Sun"}, **facts) == ["register"]
    assert stopped(account) == {"deposit", "play"}
    listed = {"full_name": "Ada Sun", "birth_date": account.customer.birth_date.isoformat()}
    says(settings, "SPELPAUS", away=False, listed=[listed])
    registers.sweep()
    assert stopped(account) >= {"deposit", "play"}, "the register was asked about the right name"
    assert correcting.correct(account.customer, {"full_name": NAME}, **facts) == []
    assert stopped(account) >= {"deposit", "play"}, "whoever is listed stays so"


def test_a_right_name_is_asked_about_once_and_lets_play_go_on(abroad):
    account = a_player(abroad("SE"), NAME)
    registers.sweep()
    facts = {"reason": "typed_wrongly", "matter": "KYC", "evidence": "1", "by": system()}
    correcting.correct(account.customer, {"full_name": "Ada Sun"}, **facts)
    assert registers.sweep() == 1 and stopped(account) == set()
    assert not Restriction.objects.filter(customer=account.customer, lifted_at=None, register_check=None).exists()


@pytest.mark.parametrize("right", [{"full_name": "Ada Sun"}, {"birth_date": date(1988, 5, 5)}], ids=str)
def test_clear_about_what_was_corrected_meanwhile_opens_no_door(abroad, settings, right):
    account = a_player(abroad("SE"), NAME)
    registers.sweep()
    before = Customer.objects.select_related("licensee").get(pk=account.customer_id)  # as a sweep loaded it
    facts = {"reason": "typed_wrongly", "matter": "KYC", "evidence": "1", "by": system()}
    correcting.correct(account.customer, right, **facts)
    now = Customer.objects.get(pk=account.customer_id)
    listed = {"full_name": now.full_name, "birth_date": now.birth_date.isoformat()}
    says(settings, "SPELPAUS", listed=[listed])
    [heard] = registers.ask(before, by=system())
    assert heard.answer == "away"
    assert stopped(account) >= {"deposit", "play"}
    registers.sweep()
    assert RegisterCheck.objects.get().answer == "listed", "they are asked about again, by the right data"


class Broken:
    """Somebody else's code, with a fault in it."""

    def __init__(self, name):
        self.name = name

    def ask(self, who):
        raise KeyError(who.full_name)


def test_a_fault_in_an_adapter_is_no_answer_holds_up_no_other_and_names_nobody(abroad, settings, caplog):
    here, there = a_player(abroad("SE"), NAME), a_player(abroad("DE"), "Bo Ek")
    settings.REGISTERS = {"SPELPAUS": f"{__name__}.Broken", "OASIS": settings.SIMULATOR}
    assert registers.sweep() == 2
    assert stopped(here) == {"deposit", "play"} and stopped(there) == set()
    assert "SPELPAUS gave no answer: KeyError" in caplog.text and NAME not in caplog.text
