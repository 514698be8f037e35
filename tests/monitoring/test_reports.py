"""A report is drafted by one, approved by another, filed once, and never filed again by itself."""

import io
import json
import re
import zipfile
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.actors import system
from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied, WrongState
from cases.types.monitoring import acts, basket, merging, services
from cases.types.monitoring.models import Exhibit, Investigation
from cases.types.monitoring.reports import goaml, statutory
from cases.types.monitoring.reports import services as reports
from cases.types.monitoring.reports.content import Content
from cases.types.monitoring.reports.deadlines import last_day
from cases.types.monitoring.reports.models import Report, State
from cases.types.monitoring.reports.profiles import NARRATIVE, Counted, NoProfile, profile_for, profiles
from compliance.outbox.models import OutboxRow
from compliance.people.services import create_brand, create_licensee
from tests.monitoring.conftest import an_investigation
from tests.monitoring.histories import report as count_rows
from tests.monitoring.histories import row

SAID = dict.fromkeys(NARRATIVE, "Three deposits of 9.900 went out again within the hour, hardly anything was played.")
# A schema of our own in the documented order, with the habits of .NET that strict readers refuse.
XSD = b"""<?xml version="1.0"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified">
 <xs:simpleType name="report_indicator_type"><xs:restriction base="xs:string"><xs:enumeration value="I1"/><xs:enumeration value="I2"/></xs:restriction></xs:simpleType>
 <xs:simpleType name="entity"><xs:restriction base="xs:string"><xs:pattern value="^[0-9-+ ]{1,20}$"/></xs:restriction></xs:simpleType>
 <xs:simpleType name="text"><xs:restriction base="xs:string"><xs:minLength value="1"/></xs:restriction></xs:simpleType>
 <xs:complexType name="person"><xs:sequence><xs:element name="first_name" type="text"/><xs:element name="last_name" type="text"/><xs:element name="birthdate" type="xs:dateTime"/><xs:element name="id_number" type="text" minOccurs="0"/><xs:element name="nationality1" type="text"/><xs:element name="residence" type="text"/><xs:element name="phones" minOccurs="0"><xs:complexType><xs:sequence><xs:element name="phone"><xs:complexType><xs:sequence><xs:element name="tph_contact_type" type="text"/><xs:element name="tph_communication_type" type="text"/><xs:element name="tph_number" type="text"/></xs:sequence></xs:complexType></xs:element></xs:sequence></xs:complexType></xs:element><xs:element name="occupation" type="text" minOccurs="0"/></xs:sequence></xs:complexType>
 <xs:element name="report"><xs:complexType><xs:sequence>
  <xs:element name="rentity_id" type="entity"/><xs:element name="rentity_branch" type="text" minOccurs="0"/>
  <xs:element name="submission_code"><xs:simpleType><xs:restriction base="xs:string"><xs:enumeration value="E"/></xs:restriction></xs:simpleType></xs:element>
  <xs:element name="report_code" type="text"/><xs:element name="entity_reference" type="text"/>
  <xs:element name="fiu_ref_number" type="text" minOccurs="0"/><xs:element name="prev_rejected_ref_number" type="text" minOccurs="0"/>
  <xs:element name="submission_date" type="xs:dateTime"/><xs:element name="currency_code_local" type="text"/>
  <xs:element name="reporting_user_code" type="text" minOccurs="0"/><xs:element name="reason" type="text" minOccurs="0"/><xs:element name="action" type="text" minOccurs="0"/>
  <xs:element name="activity"><xs:complexType><xs:sequence><xs:element name="report_parties"><xs:complexType><xs:sequence><xs:element name="report_party" maxOccurs="unbounded"><xs:complexType><xs:sequence><xs:element name="person_my_client" type="person"/><xs:element name="reason" type="text"/></xs:sequence></xs:complexType></xs:element></xs:sequence></xs:complexType></xs:element></xs:sequence></xs:complexType></xs:element>
  <xs:element name="report_indicators"><xs:complexType><xs:sequence><xs:element name="indicator" type="report_indicator_type" maxOccurs="unbounded"/></xs:sequence></xs:complexType></xs:element>
 </xs:sequence></xs:complexType></xs:element>
</xs:schema>"""  # noqa: E501
# Another, of one that reports money: transactions instead of an activity, and a phone of the player.
SIDE = b"""<xs:complexType name="%(name)s"><xs:sequence><xs:element name="%(way)s_funds_code" type="text"/>%(who)s<xs:element name="%(way)s_country" type="text"/></xs:sequence></xs:complexType>"""  # noqa: E501
OURS = b"""<xs:element name="%(way)s_person" type="person"/>"""
THEIRS = b"""<xs:element name="%(way)s_account"><xs:complexType><xs:sequence><xs:element name="institution_name" type="text"/><xs:element name="account" type="text"/></xs:sequence></xs:complexType></xs:element>"""  # noqa: E501
TYPES = b"".join(
    SIDE % {b"name": name, b"way": way, b"who": who % {b"way": way}}
    for name, way, who in (
        (b"from_ours", b"from", OURS),
        (b"from_theirs", b"from", THEIRS),
        (b"to_ours", b"to", OURS),
        (b"to_theirs", b"to", THEIRS),
    )
)
MONEY = b"""<xs:element name="transaction" maxOccurs="unbounded"><xs:complexType><xs:sequence>
 <xs:element name="transactionnumber" type="text"/><xs:element name="transaction_location" type="text"/><xs:element name="transaction_description" type="text"/>
 <xs:element name="date_transaction" type="xs:dateTime"/><xs:element name="transmode_code" type="text"/><xs:element name="amount_local" type="xs:decimal"/>
 <xs:choice><xs:element name="t_from_my_client" type="from_ours"/><xs:element name="t_from" type="from_theirs"/></xs:choice>
 <xs:choice><xs:element name="t_to_my_client" type="to_ours"/><xs:element name="t_to" type="to_theirs"/></xs:choice>
</xs:sequence></xs:complexType></xs:element>"""  # noqa: E501
OF_MONEY = re.sub(
    rb'<xs:element name="activity">.*?</xs:element></xs:sequence></xs:complexType></xs:element>\n', MONEY, XSD
)
OF_MONEY = OF_MONEY.replace(b' <xs:element name="report">', TYPES + b' <xs:element name="report">').replace(
    b'"phones" minOccurs="0"', b'"phones"'
)


@pytest.fixture
def found(world, judy, ken):
    return services.take_up(an_investigation(world, judy), by=ken)


def written(report, by, **more):
    said = reports.content_of(report)
    subject = {**said.subject, "national_id": "10000000146", "residence": "TR", **more.pop("subject", {})}
    return reports.write(report, Content(narrative=SAID, subject=subject, indicators=("structuring",), **more), by=by)


def approved(found, ken, judy):
    report = reports.hand_over(written(reports.draft(found, kind="STR", by=ken), ken), by=ken)
    services.hand_over(found, by=ken)
    return reports.approve(report, by=judy)


def filed(found, ken, judy):
    report = reports.claim(approved(found, ken, judy), by=judy)
    return reports.submitted(report, reference="2026/77", receipt=b"%PDF", by=judy)


@pytest.mark.django_db
class TestLife:
    def test_what_is_missing_is_named_and_nothing_leaves_incomplete(self, found, ken):
        report = reports.draft(found, kind="STR", by=ken)
        assert "National id" in reports.missing_of(report) and "Who" in reports.missing_of(report)
        with pytest.raises(ConditionsNotMet, match="Still empty: Who"):
            reports.hand_over(report, by=ken)
        done = written(report, ken)
        assert reports.missing_of(done) == []
        assert "9.900" not in str(bytes(done.content_sealed))

    def test_its_due_time_follows_an_earlier_suspicion_and_never_a_later_one(self, world, found, ken, judy):
        report = reports.draft(found, kind="STR", by=ken)
        was = (report.suspicion_at, report.due_at)
        earlier = report.suspicion_at - timedelta(days=20)
        services.suspect(found, at=earlier, by=ken)
        report.refresh_from_db()
        assert report.suspicion_at == earlier and report.due_at < was[1]
        entry = Entry.objects.get(action="reports.date")
        assert entry.log == "aml" and {"suspicion_at", "due_at"} <= entry.facts["diff"].keys()
        # What it is merged into was suspected earlier still: its own report, and that of the merged one.
        into = services.open_for(world.account().customer, by=judy, suspicion_at=earlier - timedelta(days=5))
        other = reports.draft(into, kind="STR", by=ken)
        merging.merge(found, into=into, by=judy)
        report.refresh_from_db()
        assert (report.suspicion_at, report.due_at) == (other.suspicion_at, other.due_at)
        services.open_for(into.customer, by=judy, suspicion_at=timezone.now())
        assert Entry.objects.filter(action="reports.date").count() == 2
        # Of that year nobody wrote the holidays: it is counted as early as it may be.
        services.suspect(into, at=earlier - timedelta(days=300), by=judy)
        report.refresh_from_db()
        assert report.due_at < earlier - timedelta(days=280)

    def test_whoever_handed_it_over_does_not_approve_it(self, found, judy, lara):
        report = reports.hand_over(written(reports.draft(found, kind="STR", by=judy), judy), by=judy)
        with pytest.raises(Denied):
            reports.approve(report, by=judy)
        done = reports.approve(report, by=lara)
        with pytest.raises(IntegrityError), transaction.atomic():
            Report.objects.filter(pk=done.pk).update(approved_human=judy.human_id)

    def test_it_is_filed_by_one_person_and_once(self, found, ken, judy, lara):
        report = approved(found, ken, judy)
        assert Investigation.objects.get().state == "reporting"
        basket_before = report.document_digest
        with pytest.raises(Denied):
            reports.take(report, by=judy)
        claimed = reports.claim(report, by=judy)
        with pytest.raises(WrongState):
            reports.claim(report, by=lara)  # the second click, from a page that still says "approved"
        with pytest.raises(Denied):
            reports.take(claimed, by=lara)
        bundle = zipfile.ZipFile(io.BytesIO(reports.take(claimed, by=judy)))
        form = json.loads(bundle.read("form.json"))
        assert (form["authority"], form["subject.national_id"], form["kind"]) == ("MASAK", "10000000146", "STR")
        assert "9.900" in bundle.read("form.txt").decode()
        with pytest.raises(ConditionsNotMet, match="receipt"):
            reports.submitted(claimed, reference="2026/1", receipt=b"", by=judy)
        done = reports.submitted(claimed, reference="2026/1", receipt=b"%PDF", by=judy)
        assert (done.state, done.document_digest) == ("submitted", basket_before)
        assert Investigation.objects.get().state == "post_report"
        assert (
            acts.missing_to_end(Investigation.objects.get(), outcome="reported", words="Filed with the authority.")
            == []
        )
        entries = Entry.objects.filter(action__startswith="reports.")
        assert {entry.log for entry in entries} == {"aml"} and entries.count() >= 7

    def test_uncertain_is_never_filed_again_by_itself(self, found, ken, judy):
        report = reports.claim(approved(found, ken, judy), by=judy)
        assert reports.lose_unanswered() == 0
        with time_machine.travel(timezone.now() + reports.ANSWER_WITHIN + timedelta(minutes=1)):
            assert reports.lose_unanswered() == 1 and reports.lose_unanswered() == 0
        assert OutboxRow.objects.filter(kind="people.remind").count() == 1
        with pytest.raises(WrongState):
            reports.claim(report, by=judy)
        released = reports.did_not_arrive(report, by=judy)
        assert (released.state, released.claimed_by) == ("approved", None)
        again = reports.lost(reports.claim(released, by=judy), by=judy)
        assert reports.submitted(again, reference="2026/2", receipt=b"r", by=judy).state == "submitted"

    def test_rejected_it_is_filed_anew_under_the_same_due_time(self, found, ken, judy):
        report = reports.claim(approved(found, ken, judy), by=judy)
        filed = reports.submitted(report, reference="2026/3", receipt=b"r", by=judy)
        with pytest.raises(ConditionsNotMet):
            reports.rejected(filed, words=" ", by=judy)
        sent_back = reports.rejected(filed, words="The form is incomplete.", by=judy)
        anew = reports.redraft(sent_back, by=ken)
        assert (anew.due_at, anew.rejected_reference, anew.state) == (report.due_at, "2026/3", "draft")
        assert reports.words_of(anew) == "The form is incomplete."
        again = reports.approve(reports.hand_over(anew, by=ken), by=judy)
        assert again.state == State.APPROVED and again.document_digest != filed.document_digest

    def test_not_to_file_needs_reasons_that_are_kept(self, found, ken, judy):
        report = reports.hand_over(written(reports.draft(found, kind="STR", by=ken), ken), by=ken)
        with pytest.raises(ConditionsNotMet):
            reports.leave(report, words="no", by=judy)
        left = reports.leave(report, words="The salary slips explain every deposit of these months.", by=judy)
        assert left.state == "not_filed" and "salary" in reports.words_of(left)

    def test_what_was_filed_is_followed_up_by_another_that_names_it(self, found, ken, judy):
        filed = reports.submitted(
            reports.claim(approved(found, ken, judy), by=judy), reference="M-7", receipt=b"r", by=judy
        )
        after = reports.follow_up(filed, kind="STR", asked="Q-1", by=ken)
        assert after.follows == filed and reports.content_of(after).asked == "Q-1"
        assert after.reference.endswith("-R2")

    def test_without_a_moment_of_suspicion_no_period_can_run(self, world, judy):
        found = an_investigation(world, judy)
        Investigation.objects.filter(pk=found.pk).update(suspicion_at=None)
        with pytest.raises(ConditionsNotMet, match="since when"):
            reports.draft(found, kind="STR", by=judy)

    def test_two_who_write_at_once_do_not_overwrite_each_other(self, found, ken, judy):
        report = reports.draft(found, kind="STR", by=ken)
        written(report, ken)
        with pytest.raises(ConditionsNotMet, match="meanwhile"):
            reports.write(report, Content(narrative=SAID), by=judy, version=report.version)

    def test_the_pages(self, found, ken, judy, client):
        client.force_login(ken)
        new = reverse("cases:aml-report-new", args=[found.number])
        place = client.post(new, {"kind": "STR"})["Location"]
        report = Report.objects.get()
        shown = client.get(place).content.decode()
        assert "National id" in shown and "To be filed before" in shown
        typed = {f"narrative_{part}": text for part, text in SAID.items()} | {"indicators": ["structuring"]}
        subject = {f"subject_{name}": text for name, text in reports.content_of(report).subject.items()}
        typed |= subject | {"subject_national_id": "10000000146", "version": "0", "action": ""}
        assert client.post(place, typed).status_code == 302
        assert client.post(place, typed).status_code == 422  # the same version again: a stale page
        assert client.post(f"{place}hand-over/").status_code == 302
        client.force_login(judy)
        for verb in ("approve", "claim"):
            assert client.post(f"{place}{verb}/").status_code == 302
        assert client.post(f"{place}document/").content[:2] == b"PK"
        receipt = {"reference": "2026/9", "file": SimpleUploadedFile("r.pdf", b"%PDF")}
        assert client.post(f"{place}submit/", receipt).status_code == 302
        assert Report.objects.get().state == "submitted"


@pytest.mark.django_db
class TestGoaml:
    @pytest.fixture
    def maltese(self, world, judy, ken, tmp_path):
        world.licensee = create_licensee(name="M", slug="m", jurisdiction="MT", time_zone="Europe/Malta", by=system())
        world.brand = create_brand(licensee=world.licensee, name="M", slug="brand", by=system())
        file = tmp_path / "fiu.xsd"
        file.write_bytes(XSD)
        call_command("reports", "add-schema", "goaml_mt", str(file))
        return services.take_up(an_investigation(world, judy), by=ken)

    def test_the_document_is_what_the_schema_takes(self, maltese, ken, judy):
        report = reports.draft(maltese, kind="SAR", by=ken)
        said = reports.content_of(report)
        subject = {**said.subject, "residence": "TR"}
        with pytest.raises(ConditionsNotMet, match="does not know"):
            reports.write(report, Content(narrative=SAID, subject=subject, indicators=("structuring",)), by=ken)
        entity = {"rentity_id": "12-+3"}
        said = Content(narrative=SAID, subject=subject, indicators=("I1",), entity=entity)
        handed = reports.hand_over(reports.write(report, said, by=ken), by=ken)
        done = reports.approve(handed, by=judy)
        assert len(done.schema_digest) == 64 and done.due_at is None
        document = reports.take(reports.claim(done, by=judy), by=judy)
        root = goaml.parsed(document)
        assert [child.tag for child in root][:4] == ["rentity_id", "submission_code", "report_code", "entity_reference"]
        assert root.findtext("report_indicators/indicator") == "I1" and root.find("action") is None
        assert root.findtext("activity/report_parties/report_party/person_my_client/last_name") == "Yıldırım"

    def test_the_transactions_of_the_basket_are_in_it(self, world, maltese, ken, judy, client, tmp_path):
        """Chosen on the page of the investigation; money of another currency is refused, not guessed."""
        file = tmp_path / "money.xsd"
        file.write_bytes(OF_MONEY)
        call_command("reports", "add-schema", "goaml_mt", str(file))
        account = maltese.customer.accounts.get()
        card = {"instrument_kind": "card", "instrument_id": "c1", "instrument_tail": "4321"}
        moves = [
            row(account, 0, amount=990_000, after=-timedelta(days=3), **card),
            row(account, 1, "withdrawal", 985_000, after=-timedelta(days=2), **card),
            row(account, 2, "bet", 500, after=-timedelta(days=2)),
            row(account, 3, currency="TRY", after=-timedelta(days=1), **card),
        ]
        count_rows(world.licensee, moves, by=world.alice)
        client.force_login(ken)
        place = reverse("cases:aml-investigation", args=[maltese.number])
        offered = re.findall(r'value="(transaction/[^"]+)"> <bdi>([^<]+)', client.get(place).content.decode())
        assert len(offered) == 3 and "9,900.00" in offered[2][1], "no bets"
        put = reverse("cases:aml-act", args=[maltese.number, "put-in"])
        assert client.post(put, {"what": [what for what, _title in offered]}).status_code == 302
        assert "<bdi>Deposit" not in client.get(place).content.decode().partition("Deposits and withdrawals")[2]
        report = reports.draft(maltese, kind="STR", by=ken)
        given = {"indicators": ("I1",), "entity": {"rentity_id": "12"}, "narrative": SAID}
        subject = {**reports.content_of(report).subject, "residence": "TR", "phone": ""}
        reports.write(report, Content(subject=subject, **given), by=ken)
        reports.hand_over(report, by=ken)
        with pytest.raises(ConditionsNotMet, match="in EUR. Take those in TRY out"):
            reports.approve(report, by=judy)
        basket.take_out(Exhibit.objects.get(source_id=offered[0][0].partition("/")[2]), by=ken)
        with pytest.raises(ConditionsNotMet, match="phones"):
            reports.approve(report, by=judy)
        reports.rework(report, by=judy)
        reports.write(report, Content(subject=subject | {"phone": "+90 532 000 00 00"}, **given), by=ken)
        reports.hand_over(report, by=ken)
        done = reports.approve(report, by=judy)
        one, other = goaml.parsed(reports.take(reports.claim(done, by=judy), by=judy)).findall("transaction")
        assert (one.findtext("amount_local"), other.findtext("amount_local")) == ("9900.00", "9850.00")
        assert one.findtext("t_from/from_account/account") == other.findtext("t_to/to_account/account") == "****4321"
        assert one.findtext("t_to_my_client/to_person/phones/phone/tph_number") == "+90 532 000 00 00"
        assert other.findtext("t_from_my_client/from_person/last_name") == "Yıldırım"
        assert one.findtext("transactionnumber") == f"tx-{account.reference}-0"

    def test_what_the_schema_refuses_is_not_approved(self, maltese, ken, judy):
        report = reports.draft(maltese, kind="SAR", by=ken)
        subject = {**reports.content_of(report).subject, "residence": "TR", "birth_date": "long ago"}
        said = Content(narrative=SAID, subject=subject, indicators=("I1",), entity={"rentity_id": "1"})
        handed = reports.hand_over(reports.write(report, said, by=ken), by=ken)
        with pytest.raises(ConditionsNotMet, match="birthdate"):
            reports.approve(handed, by=judy)


@pytest.mark.django_db
class TestTimes:
    """What is due by law, by the calendar of the authority; it never pauses."""

    def test_a_suspicion_that_nobody_reports_is_due_and_comes_first_when_urgent(self, world, found, ken, judy, client):
        report = reports.draft(found, kind="STR", by=ken)
        bare = an_investigation(world, judy)
        Investigation.objects.filter(pk=bare.pk).update(suspicion_at=found.suspicion_at - timedelta(days=7))
        client.force_login(ken)
        listed = statutory.listed(ken)
        assert [one.subject_id for one in listed] == [bare.pk, report.pk] and listed[1].at == report.due_at
        services.wait(found, by=ken)
        assert statutory.listed(ken)[1].at == report.due_at, "waiting for papers pauses nothing"
        told = OutboxRow.objects.filter(kind="people.remind")
        place = reverse("cases:aml-act", args=[found.number, "urgent"])
        assert client.post(place).status_code == 302 and told.count() == 1
        assert client.post(place).status_code == 302 and told.count() == 1
        assert [one.subject_id for one in statutory.listed(ken)] == [report.pk, bare.pk]
        page = client.get(reverse("cases:aml")).content.decode()
        due = page.partition("Due by law")[2]
        assert -1 < due.find(report.reference) < due.find(bare.number) and "Urgent" in due
        assert Entry.objects.get(action="monitoring.urgent").log == "aml"
        client.post(reverse("cases:aml-act", args=[found.number, "not-urgent"]))
        assert not Investigation.objects.get(pk=found.pk).urgent
        assert statutory.listed(world.bob) == []

    def test_who_has_to_act_is_told_at_three_quarters_and_when_it_is_over(self, found, ken, judy):
        now = timezone.now()
        services.suspect(found, at=now - timedelta(days=300), by=ken)
        Investigation.objects.filter(pk=found.pk).update(suspicion_at=now - timedelta(hours=1))
        report = reports.draft(found, kind="STR", by=ken)
        length = report.due_at - report.suspicion_at
        told = OutboxRow.objects.filter(kind="people.remind")
        assert statutory.remind(now=report.suspicion_at + length * 0.7) == 0 and not told.exists()
        assert [statutory.remind(now=report.suspicion_at + length * 0.8) for _ in range(2)] == [1, 0]
        assert {row.payload["user_id"] for row in told} == {str(judy.pk), str(ken.pk)}
        told.update(done_at=now)
        assert [statutory.remind(now=report.due_at + timedelta(days=n)) for n in (0, 1)] == [1, 0]
        assert told.count() == 4
        stages = Entry.objects.filter(action="reports.due", log="aml").order_by("pk")
        assert [row.facts["data"]["stage"] for row in stages] == ["soon", "late"]

    def test_it_costs_the_same_however_much_was_reported(
        self, world, ken, judy, monkeypatch, django_assert_num_queries
    ):
        read, from_db = [], Report.from_db.__func__
        monkeypatch.setattr(
            Report, "from_db", classmethod(lambda cls, *of: read.append(of) or from_db(cls, *of)), raising=True
        )

        def more(many):
            for _ in range(many):
                filed(services.take_up(an_investigation(world, judy), by=ken), ken, judy)
                an_investigation(world, judy)
            read.clear()

        more(3)
        with CaptureQueriesContext(connection) as few:
            assert [one.what for one in statutory.listed(judy)] == ["report"] * 3
        more(9)
        with django_assert_num_queries(len(few)):
            assert len(statutory.listed(judy)) == 12
        assert not read, "what was filed, and is over, is not read again"

    def test_what_another_brought_is_reported_too(self, world, found, ken, judy):
        target = services.take_up(an_investigation(world, judy), by=ken)
        filed(found, ken, judy)
        assert [one.subject_id for one in statutory.listed(ken)] == [target.pk]
        merging.merge(Investigation.objects.get(pk=found.pk), into=target, by=ken)
        assert statutory.listed(ken) == []

    @pytest.fixture
    def asked(self, world, judy, ken, client):
        """A British report that asks for consent, filed on a Wednesday before Easter."""
        world.licensee = create_licensee(name="B", slug="b", jurisdiction="GB", time_zone="Europe/London", by=system())
        world.brand = create_brand(licensee=world.licensee, name="B", slug="brand", by=system())
        found = services.take_up(an_investigation(world, judy), by=ken)
        report = reports.draft(found, kind="DAML", by=ken)
        said = Content(narrative=SAID, subject=reports.content_of(report).subject)
        reports.hand_over(reports.write(report, said, by=ken), by=ken)
        services.hand_over(found, by=ken)
        reports.approve(report, by=judy)
        done = reports.submitted(reports.claim(report, by=judy), reference="N-1", receipt=b"r", by=judy)
        Report.objects.filter(pk=done.pk).update(submitted_at=datetime(2026, 4, 1, 9, tzinfo=UTC))
        return Report.objects.select_related("licensee", "investigation").get(pk=done.pk)

    def test_consent_runs_seven_working_days_and_a_moratorium_from_the_refusal(self, asked, judy, ken, client):
        # Good Friday and Easter Monday are no working days: the seventh after 1 April is the 14th.
        assert statutory.consent_until(asked) == datetime(2026, 4, 14, 23, tzinfo=UTC)
        (one,) = statutory.listed(judy)
        assert (one.what, one.at) == ("consent", statutory.consent_until(asked))
        client.force_login(judy)
        place = reverse("cases:aml-report", args=[asked.pk])
        assert "The authority can refuse before" in client.get(place).content.decode()
        for wrong in (
            {"consent": "refused"},
            {"consent": "refused", "on": "2026-03-31"},
            {"consent": "x", "on": "2026-04-02"},
        ):
            assert client.post(f"{place}consent/", wrong).status_code == 422
        with pytest.raises(Denied):
            statutory.answered(asked, consent="refused", on=date(2026, 4, 13), by=ken)
        assert client.post(f"{place}consent/", {"consent": "refused", "on": "2026-04-13"}).status_code == 302
        assert client.post(f"{place}consent/", {"consent": "given", "on": "2026-04-13"}).status_code == 422
        asked.refresh_from_db()
        until = datetime(2026, 5, 13, 23, tzinfo=UTC)  # 31 days, the day of the refusal among them
        assert statutory.moratorium_until(asked) == until
        with time_machine.travel(until - timedelta(hours=1)):
            assert [(row.what, row.at) for row in statutory.listed(judy)] == [("moratorium", until)]
        with time_machine.travel(until):
            assert statutory.listed(judy) == []
        assert Entry.objects.exclude(outcome="refused").get(action="reports.consent").log == "aml"


class TestSchema:
    @pytest.mark.parametrize(
        ("given", "made"),
        [
            ("^[0-9-+ ]{1,20}$", r"[0-9\-+ ]{1,20}"),
            ("[0-9]+", "[0-9]+"),
            (r"[a-z\-]", r"[a-z\-]"),
            (r"^\d{3}\$", r"\d{3}\$"),
            ("[^a-z]", "[^a-z]"),
            ("[z-a]", r"[z\-a]"),
        ],
    )
    def test_patterns_are_repaired(self, given, made):
        assert goaml.repaired(given) == made

    @pytest.mark.parametrize(
        ("data", "why"),
        [
            (b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>', "DTD"),
            (b"<x>", "well-formed"),
            (
                b'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:include schemaLocation="http://h/x"/></xs:schema>',
                "fetched",
            ),
            (b"<x/>", "no XML schema"),
        ],
    )
    def test_what_could_reach_out_is_refused(self, data, why):
        with pytest.raises(goaml.NotTaken, match=why):
            goaml.schema_of(data)


class TestPeriods:
    WORKING = Counted(amount=10, unit="working_day", calendar="TR", counts_first_day=False, source="s", confidence="S")

    def test_ten_working_days_over_a_half_and_a_whole_holiday(self):
        # From Wednesday 2026-10-21: the 28th is a holiday from 13:00 only, and counts; the 29th does not.
        assert last_day(date(2026, 10, 21), self.WORKING) == date(2026, 11, 5)

    def test_a_moratorium_begins_with_its_day(self):
        counted = profiles()["nca"].version[0].moratorium
        assert last_day(date(2026, 3, 1), counted) == date(2026, 3, 31)

    @settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])  # cores are shared
    @given(
        start=st.dates(date(2020, 1, 1), date(2030, 1, 1)),
        amount=st.integers(1, 40),
        first=st.booleans(),
        off=st.sets(st.integers(0, 90), max_size=20),
    )
    def test_exactly_so_many_days_are_counted(self, start, amount, first, off):
        free = {start + timedelta(days=one) for one in off}

        def works(_calendar, day):
            return day.weekday() < 5 and day not in free

        period = Counted(
            amount=amount, unit="working_day", calendar="TR", counts_first_day=first, source="s", confidence="S"
        )
        last = last_day(start, period, works=works)
        begins = start if first else start + timedelta(days=1)
        counted = [begins + timedelta(days=one) for one in range((last - begins).days + 1)]
        assert sum(works("TR", day) for day in counted) == amount and works("TR", last)

    def test_the_end_of_the_last_day_is_the_licensees(self, db, world, judy):
        found = an_investigation(world, judy)
        Investigation.objects.filter(pk=found.pk).update(suspicion_at=datetime(2026, 10, 21, 6, tzinfo=UTC))
        found = Investigation.objects.select_related("licensee").get()
        version = profile_for("TR").on(date(2026, 10, 21))
        assert reports.due_at(found, version) == datetime(2026, 11, 5, 21, tzinfo=UTC)


class TestProfiles:
    def test_each_field_asked_for_can_be_filled(self):
        assert set(profiles()) == {"masak", "nca", "goaml_mt"}
        for profile in profiles().values():
            assert profile.title.keys() >= {"en", "tr"}
            for version in profile.version:
                assert set(version.required) and version.kinds

    def test_before_the_first_version_nothing_is_known(self):
        with pytest.raises(NoProfile):
            profiles()["masak"].on(date(1999, 1, 1))
        with pytest.raises(NoProfile):
            profile_for("XX")
