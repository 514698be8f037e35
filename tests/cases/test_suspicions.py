"""A suspicion is filed in a minute, read by the AML side only, and changes nothing that anybody else can see."""

import json
import re
import secrets
import uuid
from datetime import date, timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from audit import queries
from audit.actors import system
from audit.models import Entry
from cases.types.verification import services as verification
from compliance.people.services import create_user, join, register_customer, restrict
from compliance.people.suspicions import services as suspicions
from compliance.people.suspicions.models import SuspicionReport
from compliance.platform.services import issue_key
from tests.papers import bring
from tests.world import PASSWORD

pytestmark = pytest.mark.django_db
WORDS = "Üç hesaptan para geliyor, kart 4111 1111 1111 1111"


@pytest.fixture
def mlro(world):
    user = create_user(email=f"m-{secrets.token_hex(4)}@example.com", name="Judy", password=PASSWORD, by=system())
    join(user, world.team, "mlro", by=system())
    return type(user).objects.get(pk=user.pk)


def filed(world, client, about, text=WORDS, by=None, token=None):
    client.force_login(by or world.alice)
    data = {"about": about, "text": text, "noticed_on": "2026-02-03", "token": token or uuid.uuid4()}
    return client.post(reverse("cases:suspicion-new"), data)


def receipt_of(answer):
    assert answer.status_code == 200, answer.content
    return re.search(r"S-[2-9A-Z]{4}-[2-9A-Z]{4}", answer.content.decode())[0]


@pytest.mark.parametrize("name", ["alice", "bob", "carol", "mallory"])
def test_any_member_of_staff_files_and_gets_a_receipt(world, client, name):
    case = world.verification()
    receipt = receipt_of(filed(world, client, case.number, by=getattr(world, name)))
    report = SuspicionReport.objects.get()
    assert (report.receipt, report.customer_id, report.noticed_on) == (receipt, case.customer_id, date(2026, 2, 3))
    assert suspicions.words_of(report) == (case.number, "Üç hesaptan para geliyor, kart •••• 1111")
    assert "Üç" not in str(bytes(report.text_sealed))


def test_the_answer_is_the_same_whether_somebody_was_found(world, client):
    case = world.verification()
    told = [filed(world, client, about).content.decode() for about in (case.account.reference, "uzun boylu")]
    found, nobody = (
        re.sub(r'S-\w{4}-\w{4}|(name="csrfmiddlewaretoken" value|data-left)="[^"]+"', "", text) for text in told
    )
    assert found == nobody
    assert [report.customer_id for report in SuspicionReport.objects.order_by("filed_at")] == [case.customer_id, None]


def test_a_form_sent_twice_is_one_report(world, client):
    token = uuid.uuid4()
    assert receipt_of(filed(world, client, "", token=token)) == receipt_of(filed(world, client, "", token=token))
    assert SuspicionReport.objects.count() == Entry.objects.filter(action="suspicions.file").count() == 1


def test_what_is_missing_is_said_and_nothing_typed_is_lost(world, client):
    answer = filed(world, client, "about this one", text=" ")
    assert answer.status_code == 422
    assert b"Write what made you suspicious." in answer.content and b"about this one" in answer.content
    assert not SuspicionReport.objects.exists()


def test_the_page_knows_from_where_one_came_without_naming_it_in_an_address(world, client):
    case = world.verification()
    client.force_login(world.alice)
    page = client.get(reverse("cases:suspicion-new"), headers={"Referer": f"http://testserver/cases/{case.number}/"})
    assert f'value="{case.number}"' in page.content.decode()


def test_only_the_aml_side_reads_it_and_each_reading_is_an_entry_of_its_log(world, client, mlro):
    filed(world, client, world.verification().number)
    report = SuspicionReport.objects.get()
    places = [reverse("cases:suspicions"), reverse("cases:suspicion", args=[report.pk])]
    for user in (world.alice, world.bob, world.carol):
        client.force_login(user)
        assert [client.get(place).status_code for place in places] == [404, 404], user.name
    assert Entry.objects.filter(action__in=("suspicions.read", "suspicions.list")).count() == 0
    client.force_login(mlro)
    listed, shown = (client.get(place).content.decode() for place in places)
    assert report.receipt in listed and "<b>New</b>" in listed
    assert "Üç hesaptan" in shown and "Alice" in shown
    logs = Entry.objects.filter(action__startswith="suspicions.").values_list("action", "log")
    assert sorted(set(logs)) == [
        ("suspicions.file", "aml"),
        ("suspicions.list", "aml"),
        ("suspicions.read", "aml"),
    ]


class TestTwins:
    """Two players alike; a suspicion is filed about one. Everybody outside sees two players alike."""

    @pytest.fixture(autouse=True)
    def one_moment(self):
        """No minute passes between a look at one and a look at the other."""
        with time_machine.travel(timezone.now(), tick=False):
            yield

    @pytest.fixture
    def twins(self, world):
        pair = []
        for _ in range(2):
            case = world.verification("L1")
            bring(case, "identity_front", "passport", by=world.alice)
            case = verification.review(case, by=world.alice)
            restrict(case.customer, stops=["withdraw"], cover_code="check", source="routine", by=world.bob)
            pair.append(case)
        return pair

    @staticmethod
    def alike(text, case):
        """Without what names the player, the moment, or the form."""
        for name in (case.number, case.account.reference):
            text = text.replace(name, "NAME")
        text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", text)
        text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{8,64}\b", "ID", text)
        text = re.sub(
            r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.]\d+)?(?:\+\d\d:\d\d|Z)?|\d\d:\d\d(?::\d\d)?", "TIME", text
        )
        text = re.sub(r'data-left="\d+"', "LEFT", text)  # seconds of the session
        text = re.sub(r"\d+[.,]\d\skB", "SIZE", text)  # of their papers, which are never the same file
        text = re.sub(r"\d+(?=\s+entries)", "COUNT", text)  # of the whole log, which both visits make longer
        return re.sub(r'("|>|/)[A-Za-z0-9_-]{22,}={0,2}("|<|/)', r"\1TOKEN\2", text)

    def pages(self, client, world, case):
        """Everything outside the AML side that speaks of the player."""
        evidence = case.evidence.get()
        spoken = {}
        for user in (world.alice, world.bob, world.carol):
            client.force_login(user)
            for place in (
                reverse("cases:case", args=[case.number]),
                reverse("cases:case", args=[case.number]) + "?show=views",
                reverse("cases:review", args=[case.number, evidence.pk]),
                reverse("cases:stop-play", args=[case.number]),
                reverse("cases:search") + f"?q={case.account.reference}",
                reverse("cases:queue") + f"?view=all&q={case.account.reference}",
                reverse("proposals:list"),
            ):
                answer = client.get(place)
                spoken[f"{user.name} {place.replace(case.number, '')}"] = answer.content.decode()
        client.force_login(world.carol)
        for query in ({"case": case.number}, {"customer": case.account.reference}):
            spoken[f"log {list(query)}"] = client.get(reverse("audit:entries"), query).content.decode()
        key, token = self.key(world)
        for path in (f"cases/{case.number}", f"accounts/{case.account.reference}/gate"):
            answer = client.get(f"/api/v1/{path}", headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 200
            spoken[f"api {path.split('/')[0]}"] = answer.content.decode()
        of_player = queries.of_subject("customer", str(case.customer_id))
        spoken["export of the player"] = json.dumps([row.facts.get("action") for row in of_player])
        spoken["export of the case"] = json.dumps([row.facts.get("action") for row in queries.of_matter(case.number)])
        return {name: self.alike(text, case) for name, text in spoken.items()}

    def key(self, world):
        facts = {"owner": world.bob, "licensee": world.licensee, "name": "platform", "created_by": world.bob}
        expires = timezone.now() + timedelta(days=1)
        return issue_key(**facts, by=world.bob, scopes=["cases:read", "gate:read"], expires_at=expires)

    def test_nobody_outside_can_tell_which_of_two_was_reported(self, world, client, twins, mlro):
        reported, other = twins
        receipt_of(filed(world, client, reported.number))
        report = SuspicionReport.objects.get()
        client.force_login(mlro)
        client.get(reverse("cases:suspicion", args=[report.pk]))
        first, second = self.pages(client, world, reported), self.pages(client, world, other)
        assert first.keys() and len(first) == len(second)
        for (name, one), (_name, two) in zip(first.items(), second.items(), strict=True):
            assert one == two, name

    def test_the_counts_of_everybody_outside_stay(self, world, client, twins):
        def counted():
            client.force_login(world.alice)
            rail = client.get(reverse("cases:queue")).content.decode()
            return re.findall(r"<span>(\d+)</span>", rail), Entry.objects.filter(log="main").exclude(
                action="people.sign_in"
            ).count()

        counted()
        before = counted()
        filed(world, client, twins[0].number)
        after = counted()
        assert before[0] and after[0] == before[0]
        # What alice did beside it: one look at the list for each count.
        assert after[1] - before[1] == 1

    def test_the_test_notices_a_difference(self, world, client, twins):
        register_customer(
            licensee=world.licensee, full_name="x", birth_date=date(1990, 1, 1), nationality="TR", by=world.alice
        )
        restrict(twins[0].customer, stops=["deposit"], cover_code="check", source="monitoring", by=world.bob)
        assert self.pages(client, world, twins[0]) != self.pages(client, world, twins[1])
