"""Staff hear of what they must act on: once, where they want it, only of what they may see, and never of a name."""

from datetime import UTC, datetime, time, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.core import mail as outbox
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.actors import system
from cases import services as engine
from cases.clocks import services as clocks
from cases.clocks.sweeping import sweep as sweep_clocks
from cases.clocks.working import DAYS, WorkingHours
from cases.contacts import services as contacts
from cases.happenings import HAPPENED, deliver
from cases.mail.deliveries import ended
from cases.notices import choosing, digest, services, sweeping
from cases.notices.hours import NORMAL_HOURS
from cases.notices.kinds import KINDS
from cases.notices.models import Notice
from cases.relations import services as watching
from cases.types.verification import services as verification
from compliance.outbox.models import OutboxRow
from compliance.people.services import create_user, join
from compliance.proposals.services import propose, send_back
from tests.papers import bring

FRAGMENT = {"HX-Request": "true"}  # as the page itself asks

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # 10:00 in the people's zone, which is UTC


@pytest.fixture
def case(world):
    return world.verification("L1")


def told(user):
    """What this person's page says, unread, newest first."""
    return [notice.kind for notice in Notice.objects.visible_to(user).unread().order_by("-made_at")]


def happened():
    """Deliver what the engine left word of."""
    for row in OutboxRow.objects.filter(kind=HAPPENED, done_at=None).order_by("created_at"):
        deliver(row)


class TestWhatIsTold:
    def test_a_case_that_becomes_mine_and_not_one_i_took(self, world, case):
        engine.assign(case, to=world.erin, by=world.alice)
        happened()
        happened()  # delivered twice is told once
        assert told(world.erin) == ["assigned"]
        engine.assign(case, to=world.alice, by=world.alice)
        happened()
        assert told(world.alice) == []

    @pytest.mark.parametrize("note", ["@Erin bakar mısın?", "bkz. @erin", "(@ERİN)"])
    def test_who_is_called_in_a_note(self, world, case, note):
        engine.write_note(case, by=world.alice, text=note)
        happened()
        assert (told(world.erin), told(world.bob), told(world.alice)) == (["mention"], [], [])

    @pytest.mark.parametrize("note", ["erin@example.com", "@erinç", "@Mallory", "Erin bakar mısın?"])
    def test_who_is_not(self, world, case, note):
        engine.write_note(case, by=world.alice, text=note)
        happened()
        assert not Notice.objects.filter(kind="mention").exists()

    def test_words_of_self_harm_in_a_note_open_a_task_that_somebody_hears_of(self, world, case):
        engine.assign(case, to=world.erin, by=world.alice)
        engine.write_note(case, by=world.alice, text="Oyuncu intihar edeceğini söyledi")
        happened()
        sweeping.sweep()
        sweeping.sweep()
        assert sorted(told(world.erin)) == ["assigned", "care"]

    def test_a_call_back_that_falls_due(self, world, case):
        engine.assign(case, to=world.erin, by=world.alice)
        at = timezone.now() + timedelta(hours=1)
        contacts.log_contact(
            case,
            by=world.alice,
            channel="phone",
            direction="in",
            category="other",
            outcome="call_back",
            summary="Arayacağız",
            call_back_at=at,
        )
        assert sweeping.sweep() == 0
        with time_machine.travel(at + timedelta(minutes=1)):
            assert sweeping.sweep() == 1
        assert "call_back" in told(world.erin)

    def test_a_proposal_waits_for_those_who_may_confirm_and_comes_back_to_its_maker(self, world, case):
        evidence = bring(case, "identity_front", "passport", by=world.alice)
        engine.accept(evidence, by=world.alice)
        case = verification.review(case, by=world.alice)
        proposal = propose("verification.approve", case, by=world.alice, reason="all_checks_met")
        sweeping.sweep()
        assert (told(world.bob), told(world.erin)) == (["proposal_waiting"], ["proposal_waiting"])
        assert (told(world.alice), told(world.carol)) == ([], [])
        send_back(proposal, by=world.bob, note="Adres eksik")
        sweeping.sweep()
        assert told(world.alice) == ["returned"]

    def test_a_clock_warns_once_and_is_breached_once(self, world, case):
        engine.assign(case, to=world.erin, by=world.alice)
        manager = create_user(email=f"m-{uuid4().hex}@example.com", name="Mona", password=None, by=system())
        join(manager, world.team, "manager", by=system())
        week = dict.fromkeys(DAYS, ((time(0), time(0)),))
        clocks.set_hours(case.queue, WorkingHours("UTC", week), {"resolution": 60}, by=system())
        start = timezone.now()
        clocks.start(case, "resolution", by=system(), at=start)
        for minutes, erin_hears, manager_hears in [
            (50, ["at_risk"], []),
            (51, ["at_risk"], []),
            (61, ["breached", "at_risk"], ["breached"]),
            (62, ["breached", "at_risk"], ["breached"]),
        ]:
            with time_machine.travel(start + timedelta(minutes=minutes), tick=False):
                sweep_clocks()
            assert (told(world.erin), told(manager)) == (erin_hears, manager_hears)

    def test_a_case_that_i_follow_changes_said_once_until_i_look(self, world, case):
        watching.watch(case, by=world.erin)
        for text in ("bir", "iki"):
            engine.write_note(case, by=world.alice, text=text)
        engine.write_note(case, by=world.erin, text="benim")
        happened()
        assert told(world.erin) == ["watched"]
        services.read_case(case, user=world.erin)
        engine.write_note(case, by=world.alice, text="üç")
        happened()
        assert told(world.erin) == ["watched"]

    def test_a_message_that_did_not_arrive(self, world, case):
        engine.assign(case, to=world.erin, by=world.alice)
        case.refresh_from_db()
        message = case.messages.select_related("case__assignee").get()
        ended(message, "bounced")
        ended(message, "bounced")
        assert told(world.erin) == ["not_delivered"]

    def test_nobody_is_told_of_a_case_that_they_may_not_see(self, world, case):
        assert services.tell("mention", case=case, to=[world.mallory, world.erin], key=1) == 1
        assert told(world.mallory) == []


class TestThePage:
    @pytest.fixture
    def erin(self, world, client, case):
        services.tell("mention", case=case, to=[world.erin], key="note")
        client.force_login(world.erin)
        return client

    def test_the_bell_counts_and_the_list_names_number_and_event(self, world, erin, case):
        page = erin.get(reverse("cases:queue")).content.decode()
        assert 'aria-label="Notices: 1 unread"' in page
        listed = erin.get(reverse("cases:notices")).content.decode()
        assert case.number in listed and "Somebody called you in a note" in listed
        assert case.customer.full_name not in listed and case.account.reference not in listed

    def test_what_is_urgent_stands_first_and_what_was_read_last(self, world, erin, case):
        services.tell("care", case=case, to=[world.erin], key="c")
        services.tell("assigned", case=case, to=[world.erin], key="a")
        services.mark(world.erin, [Notice.objects.get(user=world.erin, kind="assigned").pk], read=True)
        assert [row.kind for row in services.list_of(world.erin, limit=9)] == ["care", "mention", "assigned"]

    def test_opening_the_case_reads_its_notices_on_every_device(self, world, erin, case):
        other = Client()
        other.force_login(world.erin)
        other.get(reverse("cases:case", args=[case.number]))
        assert 'aria-label="Notices: nothing new"' in erin.get(reverse("cases:bell"), headers=FRAGMENT).content.decode()

    def test_one_or_all_are_marked_as_read_and_as_unread_again(self, world, erin, case):
        services.tell("assigned", case=case, to=[world.erin], key="x")
        first = Notice.objects.filter(user=world.erin).first()
        erin.post(reverse("cases:mark-notices"), {"id": str(first.pk)})
        assert len(told(world.erin)) == 1
        erin.post(reverse("cases:mark-notices"), {"all": "1"})
        assert told(world.erin) == []
        erin.post(reverse("cases:mark-notices"), {"id": str(first.pk), "as": "unread"})
        assert len(told(world.erin)) == 1
        assert erin.post(reverse("cases:mark-notices"), {"id": "rubbish"}).status_code == 302

    def test_nobody_marks_anothers(self, world, erin, client):
        notice = Notice.objects.get()
        client.force_login(world.bob)
        client.post(reverse("cases:mark-notices"), {"id": str(notice.pk)})
        assert told(world.erin) == ["mention"]

    def test_a_right_that_ends_takes_its_notices_along(self, world, erin, case):
        """In the list, in the bell, and in a letter that waits."""
        membership = world.erin.memberships.get()
        world.erin.groups.remove(membership.group)
        assert case.number not in erin.get(reverse("cases:notices")).content.decode()
        assert "nothing new" in erin.get(reverse("cases:bell"), headers=FRAGMENT).content.decode()

    def test_a_case_that_becomes_restricted_vanishes(self, world, erin, case):
        type(case).objects.filter(pk=case.pk).update(restricted=True)
        assert case.number not in erin.get(reverse("cases:notices")).content.decode()


class TestLetters:
    @pytest.fixture(autouse=True)
    def memory(self, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        outbox.outbox = []

    def gather(self, at):
        made = digest.gather(now=at)
        for row in OutboxRow.objects.filter(kind=digest.DIGEST, done_at=None):
            digest.send(row)
            OutboxRow.objects.filter(pk=row.pk).delete()
        return made

    def test_many_events_within_five_minutes_are_one_letter_without_a_name(self, world, case):
        with time_machine.travel(MONDAY, tick=False):
            for number in range(30):
                services.tell("mention", case=case, to=[world.erin], key=number)
        assert self.gather(MONDAY + timedelta(minutes=4)) == 0
        assert self.gather(MONDAY + timedelta(minutes=6)) == 1
        assert self.gather(MONDAY + timedelta(minutes=60)) == 0
        (letter,) = outbox.outbox
        assert letter.to == [world.erin.email] and case.number in letter.body
        for secret in (case.customer.full_name, case.account.reference, "isil@example.com", case.licensee.name):
            assert secret not in letter.subject + letter.body

    def test_not_outside_of_working_hours_except_what_is_urgent(self, world, case):
        sunday = MONDAY - timedelta(days=1)
        with time_machine.travel(sunday, tick=False):
            services.tell("mention", case=case, to=[world.erin], key=1)
        assert self.gather(sunday + timedelta(hours=1)) == 0
        with time_machine.travel(sunday, tick=False):
            services.tell("care", case=case, to=[world.erin], key=2)
        assert self.gather(sunday + timedelta(hours=1)) == 1
        assert "self" not in outbox.outbox[0].body.lower() and "player wrote or said" in outbox.outbox[0].body
        assert self.gather(MONDAY) == 1 and "called you" in outbox.outbox[1].body

    def test_what_was_read_meanwhile_or_is_no_longer_theirs_is_not_sent(self, world, case):
        with time_machine.travel(MONDAY, tick=False):
            services.tell("mention", case=case, to=[world.erin, world.bob], key=1)
        world.bob.groups.clear()
        services.read_case(case, user=world.erin)
        self.gather(MONDAY + timedelta(hours=1))
        assert outbox.outbox == []

    def test_a_restricted_case_never_travels_by_mail(self, world, case):
        with time_machine.travel(MONDAY, tick=False):
            services.tell("mention", case=case, to=[world.erin], key=1)
        type(case).objects.filter(pk=case.pk).update(restricted=True)
        self.gather(MONDAY + timedelta(hours=1))
        assert outbox.outbox == []


class TestChoosing:
    def fields(self, **changed):
        boxes = {}
        for name, kind in KINDS.items():
            boxes |= {f"{name}_{way}": "on" for way, on in (("page", kind.page), ("mail", kind.mail)) if on}
        boxes |= {"days": ["mon", "tue"], "begins": "08:00", "ends": "12:00"}
        return {name: value for name, value in (boxes | changed).items() if value is not None}

    def test_each_kind_on_the_page_and_by_mail(self, world, client, case):
        client.force_login(world.erin)
        address = reverse("cases:notice-settings")
        assert client.get(address).status_code == 200
        client.post(address, self.fields(mention_page=None, mention_mail=None, watched_mail="on"))
        assert choosing.choices_of(world.erin)["mention"] == (False, False)
        assert choosing.choices_of(world.erin)["watched"] == (True, True)
        assert choosing.hours_of(world.erin) == {"days": ["mon", "tue"], "from": "08:00", "to": "12:00"}
        services.tell("mention", case=case, to=[world.erin], key=1)
        assert told(world.erin) == []
        client.post(address, {"defaults": "1"})
        assert choosing.choices_of(world.erin)["mention"] == (True, True)

    def test_what_is_fixed_stays_on_whatever_is_sent(self, world, client):
        client.force_login(world.erin)
        client.post(reverse("cases:notice-settings"), self.fields(care_page=None, care_mail=None))
        assert choosing.choices_of(world.erin)["care"] == (True, True)

    @pytest.mark.parametrize("wrong", [{"days": []}, {"begins": "12:00", "ends": "08:00"}, {"ends": "noon"}])
    def test_hours_that_never_come_are_refused(self, world, client, wrong):
        client.force_login(world.erin)
        assert client.post(reverse("cases:notice-settings"), self.fields(**wrong)).status_code == 422
        assert choosing.hours_of(world.erin) == NORMAL_HOURS

    def test_only_what_must_be_acted_on_is_mailed_by_default(self):
        mailed = {name for name, kind in KINDS.items() if kind.mail}
        assert mailed == {
            "care",
            "assigned",
            "returned",
            "at_risk",
            "breached",
            "mention",
            "contact",
            "stop_late",
            "care_review",
        }
