"""An exclusion is shortened by nobody alone: not by SQL, a merge, a clock, a restore, an erasure, a new name."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from audit.actors import system
from audit.perform import ConditionsNotMet, Denied, WrongState, perform
from compliance.keys.services import shred_subject
from compliance.people.exclusions import carrying, clock, ledger, services
from compliance.people.exclusions.models import ClockMark, Duplicate, Exclusion, Suppressed
from compliance.people.models import Account, Customer, Person, Restriction, RiskFact
from compliance.people.returning import let_go
from compliance.people.services import open_account, register_customer
from documents.keeping import reach
from tests.gaming.kept_out import a_player, excluded, rules_of, stopped

OUT = {"deposit", "play", "marketing"}


def refused(sql, *values):
    with (
        pytest.raises(DatabaseError, match="exclusions:|permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql, values)


def test_every_account_of_the_person_is_stopped_at_once_and_money_can_leave(world):
    account = world.account()
    second = open_account(customer=account.customer, brand=world.brand, reference="P-second", by=world.alice)
    excluded(account)
    assert stopped(account) == stopped(second) == OUT
    later = open_account(customer=account.customer, brand=world.brand, reference="P-later", by=world.alice)
    assert stopped(later) == OUT


def test_the_database_refuses_every_way_to_end_it_early(world):
    account = world.account()
    one = excluded(account)
    row, other = one.restriction_id, Person.objects.create().pk
    for column in ("ends_at", "term_ends_at", "return_from", "starts_at"):
        refused(f"UPDATE exclusions_exclusion SET {column} = now() WHERE id = %s", one.pk)
    for state in ("ended", "annulled", "return_requested", "cooling"):
        refused("UPDATE exclusions_exclusion SET state = %s WHERE id = %s", state, one.pk)
    refused("UPDATE exclusions_exclusion SET person_id = %s WHERE id = %s", other, one.pk)
    refused("DELETE FROM exclusions_exclusion WHERE id = %s", one.pk)
    refused("TRUNCATE exclusions_exclusion CASCADE")
    refused("UPDATE people_restriction SET lifted_at = now(), lifted_by = id WHERE id = %s", row)
    refused("UPDATE people_restriction SET until = now() + interval '1 day' WHERE id = %s", row)
    refused("UPDATE people_restriction SET stops_play = false WHERE id = %s", row)
    refused("UPDATE people_restriction SET person_id = %s WHERE id = %s", other, row)
    refused("DELETE FROM people_restriction WHERE id = %s", row)
    refused("UPDATE people_customer SET person_id = %s WHERE id = %s", other, account.customer_id)
    refused("DELETE FROM exclusions_suppressed WHERE person_id = %s", account.customer.person_id)
    refused("DELETE FROM exclusions_ledgerentry WHERE exclusion_id = %s", one.pk)
    assert stopped(account) == OUT


def test_later_is_always_possible(world):
    one = excluded(world.account())
    with connection.cursor() as cursor:
        cursor.execute("UPDATE exclusions_exclusion SET return_from = return_from + interval '1 year'")
        assert cursor.rowcount == 1
    assert one.is_live


def test_one_person_alone_ends_nothing(world):
    one = excluded(world.account(), ago=timedelta(days=400))
    services.sweep()
    asked = services.ask_return(one, policy=rules_of(world.licensee), channel="phone", by=world.alice)
    with pytest.raises(DatabaseError, match="by nobody alone"), transaction.atomic():
        services.accept_return(asked, policy=rules_of(world.licensee), by=world.bob)
    with pytest.raises(DatabaseError, match="by nobody alone"), transaction.atomic():
        services.annul(asked, by=world.bob, reason="wrong_person")
    with pytest.raises(WrongState):
        services.confirm_return(asked, by=world.alice)
    assert stopped(Account.objects.get(customer=one.customer)) == OUT


def test_a_term_ends_by_itself_only_where_the_rule_says_so(world):
    short, long = a_player(world, "Ali Kaya"), a_player(world, "Can Er")
    over = excluded(short, kind="time_out", term="24 hour", ago=timedelta(hours=25))
    kept = excluded(long, ago=timedelta(days=400))
    running = excluded(world.account(full_name="Can Er", birth_date=date(1970, 1, 1)), kind="time_out", term="24 hour")
    done = services.sweep()
    assert (done["ended"], done["persisting"]) == (1, 1)
    assert Exclusion.objects.get(pk=over.pk).state == "ended"
    assert Exclusion.objects.get(pk=kept.pk).state == "persisting"
    assert Exclusion.objects.get(pk=running.pk).state == "active"
    assert stopped(long) == OUT


def test_a_leap_of_the_clock_ends_nothing_before_a_person_vouched_for_it(world):
    account = world.account()
    one = excluded(account, kind="time_out", term="24 hour", ago=timedelta(hours=25))
    for leap in (timedelta(days=-30), timedelta(days=30)):
        ClockMark.objects.update(seen_at=clock.now() + leap)
        assert services.sweep()["ended"] == 0
        with pytest.raises(ConditionsNotMet, match="leap"):
            perform(one.end, by=system(), at=clock.now())
        refused("UPDATE exclusions_exclusion SET state = 'ended' WHERE id = %s", one.pk)
    assert stopped(account) == OUT
    with pytest.raises(Denied):
        clock.trust(by=system())
    clock.trust(by=world.bob)
    assert services.sweep()["ended"] == 1
    assert stopped(account) == set()


# ------------------------------------------------------------------------------------------------------- come back
@pytest.mark.parametrize(
    "same",
    [
        {"national_id": "10000000146"},
        {"email": "isil+play@example.com"},
        {"phone": "+905321234567"},
        {"full_name": "yildirim ISIL", "birth_date": date(1991, 3, 14)},
    ],
    ids=lambda same: next(iter(same)),
)
def test_who_was_erased_and_comes_back_under_another_reference_is_stopped(world, same):
    account = world.account(national_id="10000000146")
    person = account.customer.person_id
    excluded(account)
    customer = account.customer
    shred_subject(customer.audit_subject, by=system(), reason="erasure")
    reach.empty(customer)
    let_go(customer)
    known = set(Suppressed.objects.filter(person_id=person).values_list("what", flat=True))
    assert known == {"national_id", "email", "phone", "name_birth"}

    who = {"full_name": "Deniz Ak", "birth_date": date(1990, 1, 1)} | {
        name: value for name, value in same.items() if name in ("full_name", "birth_date", "national_id")
    }
    back = register_customer(licensee=world.licensee, nationality="TR", by=world.alice, **who)
    contacts = {name: value for name, value in same.items() if name in ("email", "phone")}
    new = open_account(customer=back, brand=world.brand, reference="P-new", by=world.alice, **contacts)
    assert stopped(new) == OUT
    found = Duplicate.objects.get(customer=back)
    assert (found.person_id, len(found.by)) == (person, 1)
    assert RiskFact.objects.filter(customer=back, code="excluded_person_met_again").count() == 1
    assert Restriction.objects.get(duplicate=found).cover_code == "routine_check"
    refused("UPDATE exclusions_duplicate SET state = 'cleared' WHERE id = %s", found.pk)
    refused("UPDATE people_restriction SET lifted_at = now(), lifted_by = id WHERE id = %s", found.restriction_id)
    with pytest.raises(DatabaseError, match="two persons"), transaction.atomic():
        services.clear_duplicate(found, by=world.bob, reason="another_person")


def test_who_resembles_nobody_is_left_alone_and_who_was_here_before_is_stopped(world):
    account = world.account(national_id="10000000146")
    before = world.account(full_name="Ada Su", birth_date=date(1988, 5, 5))  # the same e-mail and phone
    other = register_customer(
        licensee=world.licensee, full_name="Nil Su", birth_date=date(1977, 7, 7), nationality="TR", by=world.alice
    )
    stranger = open_account(customer=other, brand=world.brand, reference="P-x", email="nil@example.com", by=world.alice)
    excluded(account)
    assert stopped(before) == OUT
    assert Duplicate.objects.get(customer=before.customer).by == ["email", "phone"]
    assert stopped(stranger) == set()
    # It is the same person: they are kept out in their own right, whatever becomes of the first record.
    services.confirm_duplicate(Duplicate.objects.get(customer=before.customer), by=world.alice)
    assert Exclusion.objects.of(before.customer.person_id).count() == 1
    assert stopped(before) == OUT


def test_joining_two_records_of_a_person_carries_the_exclusion(world):
    """The operator's reference of an erased player, taken by an excluded person's new customer: neither plays."""
    first = world.account(full_name="Ali Kaya", birth_date=date(1980, 1, 1))
    let_go(first.customer)
    account = world.account()
    one = excluded(account)
    again = open_account(customer=account.customer, brand=world.brand, reference=first.reference, by=world.alice)
    customer = Customer.objects.get(pk=account.customer_id)
    assert customer.person_id == first.customer.person_id != one.person_id
    twin = Exclusion.objects.of(customer.person_id).get()
    assert (twin.carried_from_id, twin.return_from, twin.ends_at) == (one.pk, one.return_from, one.ends_at)
    assert stopped(again) == stopped(account) == OUT


# ------------------------------------------------------------------------------------------------------- a restore
def test_a_database_from_before_an_exclusion_is_not_served_until_it_is_reconciled(world, client):
    account = world.account()
    saved = transaction.savepoint()
    one = excluded(account)
    assert ledger.sync() == 1
    text = ledger._file().read_text()
    assert "Yıldırım" not in text
    assert "isil@" not in text
    transaction.savepoint_rollback(saved)  # the backup
    assert stopped(account) == set()
    with pytest.raises(ledger.NotReconciled, match="exclusions reconcile"):
        ledger.refuse_if_unreconciled()
    assert client.get("/accounts/login/").status_code == 503
    assert carrying.reconcile(by=system())["brought_back"] == 1
    ledger.refuse_if_unreconciled()
    assert stopped(account) == OUT
    back = Exclusion.objects.get(pk=one.pk)
    assert (back.person_id, back.return_from, back.kind) == (one.person_id, one.return_from, "self_exclusion")
    assert carrying.reconcile(by=system()) == {"brought_back": 0, "in_force_again": 0, "without_licensee": 0}


def test_a_player_whom_the_backup_does_not_know_at_all_is_known_again(world):
    saved = transaction.savepoint()
    excluded(world.account(national_id="10000000146"))
    ledger.sync()
    transaction.savepoint_rollback(saved)
    carrying.reconcile(by=system())
    back = world.account(national_id="10000000146")
    assert stopped(back) == OUT


def test_nobody_writes_the_ledger_but_us(world):
    excluded(world.account())
    ledger.sync()
    path = Path(settings.TOMBSTONES_FILE).with_name(ledger._file().name)
    path.write_text(path.read_text().replace("self_exclusion", "time_out"))
    with pytest.raises(Exception, match="changed or cut"):
        ledger.unknown()
