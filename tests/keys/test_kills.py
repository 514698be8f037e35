"""Kill -9, fifty times each: no key is lost by a rotation, no player is half erased, and the next run does the rest."""

from datetime import date

import pytest
from django.db import connection

from audit.actors import SubjectRef
from audit.models import Entry
from compliance.keys import rotation, services, tombstones
from compliance.keys.models import EpochEnd, SubjectKey, Tombstone
from compliance.keys.providers import provider
from compliance.keys.services import Shredded, open_sealed, seal
from compliance.outbox.models import OutboxRow
from compliance.people.models import Customer
from documents.keeping import erasure, holds
from documents.keeping.models import Erasure
from tests.documents.test_end_of_a_player import LONG_AGO, officers
from tests.keys.kills import Killer
from tests.whole import times
from tests.world import a_world

TIMES = times(50, 8)
SOMEBODY = SubjectRef("customer", "somebody")


@pytest.fixture
def killer(house):
    made = Killer(house)
    yield made
    made.end()


@pytest.mark.slow
def test_fifty_kills_of_a_rotation_lose_no_key_and_it_goes_on_where_it_stopped(house, killer):
    house.many_keys(300)
    note = seal(SOMEBODY, "note", b"hello")
    keys, killed, was_behind = SubjectKey.objects.count(), 0, 0
    steps = {act: killer.whole(act) for act in ("rotate", "destroy")}
    for time in range(TIMES):
        act = "destroy" if time % 2 else "rotate"
        killed += killer.kill(act, within=steps[act], stretch=time, of=TIMES)
        services._unwrapped = services._Unwrapped()
        assert rotation.verify() == keys
        assert open_sealed(SOMEBODY, "note", note) == b"hello"
        assert set(in_use()) <= set(provider().epochs())
        was_behind += len(in_use()) > 1
    # The steps of a resumed one differ a little from the first one's: most are hit, and some in the middle.
    assert killed >= TIMES * 0.6 and was_behind >= 3
    killer.whole("destroy")
    assert in_use() == provider().epochs() == [provider().epoch()]
    assert rotation.verify() == keys
    assert set(EpochEnd.objects.values_list("epoch", flat=True)) >= {1}


def in_use():
    rows = SubjectKey.objects.filter(wrapped__isnull=False)
    return sorted(set(rows.values_list("epoch", flat=True)))


# ------------------------------------------------------------------------------------------------------------ erasures
@pytest.mark.slow
def test_fifty_kills_of_an_erasure_leave_each_player_whole_or_erased_and_the_next_run_does_the_rest(house, killer):
    players, steps = players_of_old(TIMES + 8, killer)
    notes = {str(customer.pk): seal(customer.audit_subject, "note", b"hello") for customer in players}
    for customer in players:  # this process has every key at hand
        assert open_sealed(customer.audit_subject, "note", notes[str(customer.pk)]) == b"hello"
    killed = sum(killed_and_whole(killer, steps, notes, time) for time in range(TIMES))
    assert killed >= TIMES * 0.9
    assert 0 < Erasure.objects.count() - 1 < len(players)
    killer.whole("retain")
    for _time in range(5):
        killer.kill("finish", within=steps)
    killer.whole("finish")
    assert erased_of(notes) == set(notes)
    assert not Erasure.objects.filter(finished_at=None).exists()
    assert {stone.subject_id for stone in tombstones.read()} >= set(notes)
    assert tombstones.unreplayed() == []


def players_of_old(count, killer):
    """Players whose every record is older than any period, and how many steps the erasure of one takes."""
    world = a_world()
    frank, _grace = officers(world)
    one, *players = [world.account().customer for _ in range(count + 1)]
    with connection.cursor() as cursor:  # straight in the tables: it is history
        for table in ("people_account", "people_customer"):
            cursor.execute(f"UPDATE {table} SET created_at = %s", [date(2012, 5, 1)])
    holds.end_relationship(one, on=LONG_AGO, by=frank)
    steps = killer.whole("erase")
    killer.whole("finish")
    assert Erasure.objects.filter(customer=one, finished_at__isnull=False).exists()
    for customer in players:
        holds.end_relationship(customer, on=LONG_AGO, by=frank)
    return players, steps


def killed_and_whole(killer, steps, notes, time):
    before = erased_of(notes)
    killed = killer.kill("erase", within=steps, stretch=time, of=TIMES)
    after = erased_of(notes)
    assert len(after - before) <= 1
    # In this process, which was told nothing: the one of this round, and one who is still there.
    for subject in sorted(after - before) + sorted(set(notes) - after)[:1]:
        if subject in after:
            with pytest.raises(Shredded):
                open_sealed(SubjectRef("customer", subject), "note", notes[subject])
        else:
            assert open_sealed(SubjectRef("customer", subject), "note", notes[subject]) == b"hello"
    return killed


def erased_of(notes):
    """Who is erased: key, names, tombstone, entry and what is to follow tell the same, for everybody, and once."""
    erasures = [str(pk) for (pk,) in Erasure.objects.filter(customer__in=notes).values_list("customer_id")]
    mine, done = {"subject_id__in": list(notes)}, set(erasures)
    assert len(erasures) == len(done)
    customers = Customer.objects.filter(pk__in=notes)
    for gone in (
        SubjectKey.objects.filter(**mine, wrapped=None).values_list("subject_id", flat=True),
        Tombstone.objects.filter(**mine).values_list("subject_id", flat=True),
        Entry.objects.filter(**mine, action="keys.shred").values_list("subject_id", flat=True),
        customers.filter(full_name="").values_list("pk", flat=True),
        customers.filter(erased_at__isnull=False).values_list("pk", flat=True),
    ):
        assert sorted(map(str, gone)) == sorted(erasures)
    assert OutboxRow.objects.filter(kind=erasure.FINISH).count() == Erasure.objects.count()
    return done
