"""Letters that arrive: beyond doubt they reach their case, else a person decides; nothing is lost or taken twice."""

import itertools
import zipfile

import pytest
from django.core import mail as outbox
from django.db import DataError, OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.actors import system
from audit.models import Entry
from audit.perform import WrongState
from cases import numbers, timeline
from cases.contacts.models import Task
from cases.mail import boxes, calling, deliveries, files, letters, matching, parsing, polling
from cases.mail.models import Delivery, Letter, LetterFile, Poll
from cases.mail.sources import Maildir
from cases.marks.services import mark
from cases.notices.models import Notice
from cases.relations import merging
from cases.restricting import restrict
from cases.types.verification import services as verification
from compliance.outbox.models import OutboxRow
from compliance.people.services import join, open_account
from documents.models import Document
from tests.mail.writing import a_bounce, a_letter, a_picture
from tests.world import a_world

NOBODYS_NUMBER = str(numbers.Number("KYC", 26, 990001))
pytestmark = pytest.mark.django_db


def arrived(box, *raws):
    for raw in raws:
        box.add(raw)
    polling.poll()
    return list(Letter.objects.order_by("arrived_at"))


def keep_files(letter):
    files.keep(OutboxRow(kind=files.KEEP, payload={"letter_id": str(letter.pk)}))


class TestThreading:
    def test_a_number_and_the_players_own_address_are_enough(self, world, box, case):
        (letter,) = arrived(box, a_letter(f"Re: {case.number}", "Yarın gönderirim"))
        assert (letter.state, letter.case_id, letter.customer_id) == ("matched", case.pk, case.customer_id)
        assert b"Yar\xc4\xb1n" not in bytes(letter.content_sealed)
        shown = [item for item in timeline.of(case) if "Yarın gönderirim" in item.said]
        assert len(shown) == 1 and case.number in shown[0].said
        assert not list(box.iterkeys())  # no plain copy is left behind

    @pytest.mark.parametrize(
        "form", [str, str.lower, lambda number: number.replace("-", " "), lambda number: f"#{number}!"]
    )
    def test_the_number_in_any_form(self, box, case, form):
        assert arrived(box, a_letter(f"Hakkında {form(case.number)}"))[0].case_id == case.pk

    def test_an_answer_to_our_own_message_needs_no_number(self, box, case):
        ours = matching.message_id_of(case.messages.first())
        (letter,) = arrived(box, a_letter("Re: belge", In_Reply_To=ours))
        assert letter.case_id == case.pk

    def test_a_strangers_address_never_reaches_the_case_by_itself(self, box, case):
        """Neither by number nor by answering our message."""
        ours = matching.message_id_of(case.messages.first())
        found = arrived(
            box,
            a_letter(f"Re: {case.number}", sender="mallory@example.net"),
            a_letter("Re: belge", sender="mallory@example.net", References=ours),
        )
        assert [(letter.state, letter.why, letter.case_id) for letter in found] == [
            ("unmatched", "sender_differs", None)
        ] * 2
        assert not [item for item in timeline.of(case) if item.said == "Belgem ekte."]

    def test_the_number_of_another_licensee_is_no_number_here(self, world, box):
        other = a_world().verification("L1")
        (letter,) = arrived(box, a_letter(f"Re: {other.number}"))
        assert (letter.state, letter.why, letter.suggested) == ("unmatched", "unknown_number", None)

    def test_a_typing_error_in_the_number_is_named(self, box, case):
        wrong = case.number[:-1] + str((int(case.number[-1]) + 1) % 10)
        (letter,) = arrived(box, a_letter(f"Re: {wrong}"))
        assert (letter.state, letter.why) == ("unmatched", "typing_error")
        assert letter.suggested_id == case.pk  # the only open case of the only player with this address

    def test_a_senders_address_alone_suggests_and_decides_nothing(self, box, case):
        (letter,) = arrived(box, a_letter("Merhaba"))
        assert (letter.state, letter.why, letter.suggested_id) == ("unmatched", "no_number", case.pk)

    @pytest.mark.parametrize("sender", ["isil@example.com", "mallory@example.net"])
    def test_a_restricted_case_is_as_if_it_were_not_there(self, world, client, box, case, sender):
        """Neither where the letter lies nor why tells the team that there is such a case."""
        ours = matching.message_id_of(case.messages.first())
        restrict(case, to=[world.carol], by=world.bob, because="sensitive")
        nobodys = arrived(box, a_letter(f"Re: {NOBODYS_NUMBER}", sender=sender), a_letter("Merhaba", sender=sender))
        found = arrived(
            box,
            a_letter(f"Re: {case.number}", sender=sender),
            a_letter("Re: belge", sender=sender, In_Reply_To=ours),
        )[2:]
        assert [(one.state, one.why, one.suggested) for one in found] == [
            (one.state, one.why, one.suggested) for one in nobodys
        ]
        client.force_login(world.alice)
        assert client.get(reverse("cases:mail")).content.decode().count("<tr role") == 1 + len(nobodys) + len(found)

    def test_what_a_marked_player_writes_reaches_their_case_and_nobody_else(self, world, client, box, case):
        ours = matching.message_id_of(case.messages.first())
        mark(case, kind="well_known", to=[world.erin], by=world.bob)
        strange = "mallory@example.net"
        nobodys = arrived(box, a_letter(f"Re: {NOBODYS_NUMBER}", sender=strange), a_letter("Re: x", sender=strange))
        theirs = arrived(
            box,
            a_letter(f"Re: {case.number}", sender=strange),
            a_letter("Re: belge", sender=strange, In_Reply_To=ours),
            a_letter(f"Re: {case.number}", "Yarın gönderirim"),
            a_letter("Re: belge", "intihar", In_Reply_To=ours),
        )[2:]
        assert [(one.state, one.why, one.suggested) for one in theirs[:2]] == [
            (one.state, one.why, one.suggested) for one in nobodys
        ]
        assert [one.case_id for one in theirs[2:]] == [case.pk] * 2
        for user, sees in ((world.alice, False), (world.carol, False), (world.erin, True)):
            client.force_login(user)
            pages = [client.get(reverse("cases:letter", args=[one.pk])) for one in theirs[2:]]
            assert [page.status_code == 200 for page in pages] == [sees] * 2
            assert not Notice.objects.filter(user=user).exists() or sees
        client.force_login(world.alice)
        assert client.get(reverse("cases:mail")).content.decode().count("<tr role") == 1 + 4

    def test_a_letter_to_a_merged_case_goes_to_the_one_that_goes_on(self, world, box, case):
        ours = matching.message_id_of(case.messages.first())
        case = verification.withdraw(case, by=world.alice)
        other = verification.open(case.account, level="L1", by=world.alice)
        merging.merge(case, other, by=world.alice, because="goes_on")
        found = arrived(box, a_letter(f"Re: {case.number}", "intihar"), a_letter("Re: belge", In_Reply_To=ours))
        assert [letter.case_id for letter in found] == [other.pk] * 2
        assert Task.objects.get().case_id == other.pk

    def test_what_our_own_server_calls_forged_is_not_believed(self, box, case, settings):
        settings.MAIL_AUTHORITY = "mx.brand.example"
        said = {
            "forged": "mx.brand.example; dmarc=fail",
            "elsewhere": "mx.evil.example; dmarc=pass",
            "good": "mx.brand.example; spf=fail (no); dmarc=pass header.from=example.com",
            "silent": "mx.brand.example; spf=pass",
            "unsure": "mx.brand.example; dmarc=none",
            "quoted": 'mx.brand.example; spf=pass smtp.mailfrom="x; dmarc=pass"@evil.example; dmarc=fail',
        }
        found = arrived(
            box, *[a_letter(f"{case.number} {name}", Authentication_Results=value) for name, value in said.items()]
        )
        states = {letters.content_of(letter).subject.split()[1]: letter.state for letter in found}
        assert states == dict.fromkeys(said, "unmatched") | {"good": "matched"}

    def test_where_nobody_checks_senders_a_person_does(self, box, case, settings):
        settings.MAIL_UNCHECKED = False
        (letter,) = arrived(box, a_letter(f"Re: {case.number}"))
        assert (letter.state, letter.why, letter.suggested_id) == ("unmatched", "not_genuine", case.pk)


class TestOnce:
    def test_a_letter_that_comes_twice_is_one(self, box, case):
        raw = a_letter(f"Re: {case.number}", message_id="<once@example.com>")
        assert len(arrived(box, raw, raw)) == 1
        assert len(arrived(box, raw)) == 1
        assert Entry.objects.filter(action="mail.match", matter=case.number).count() == 1

    def test_without_a_message_id_the_whole_letter_counts(self, box, case):
        raw = a_letter(f"Re: {case.number}").replace(b"Message-ID", b"X-Nothing")
        assert len(arrived(box, raw, raw, raw.replace(b"ekte", b"yolda"))) == 2

    def test_a_poll_that_died_after_the_commit_is_repeated_harmlessly(self, box, case, monkeypatch):
        box.add(a_letter(f"Re: {case.number}"))
        monkeypatch.setattr(Maildir, "done", lambda self, key: (_ for _ in ()).throw(OSError))
        polling.poll()
        monkeypatch.undo()
        (visit,) = polling.poll()
        assert (visit.taken, visit.known, Letter.objects.count()) == (0, 1, 1)


class TestMachines:
    def test_an_automatic_answer_starts_nothing_and_bothers_nobody(self, box, case):
        (letter,) = arrived(box, a_letter(f"Re: {case.number}", Auto_Submitted="auto-replied"))
        assert (letter.kind, letter.state) == ("auto", "matched")
        assert not Task.objects.exists()
        (_first, other) = arrived(box, a_letter("Out of office", Precedence="auto_reply"))
        assert (other.state, other.reason) == ("discarded", "automatic")

    @pytest.mark.parametrize("head", [{"List_Id": "<all.example.com>"}, {"Precedence": "list"}, {"Precedence": "bulk"}])
    def test_what_a_list_passed_on_may_be_a_person(self, box, case, head):
        (letter,) = arrived(box, a_letter("Merhaba", **head))
        assert (letter.kind, letter.state) == ("person", "unmatched")

    @pytest.mark.parametrize(
        ("change", "counts"),
        [
            ((b"", b""), True),
            ((b"MAILER-DAEMON@mx", b"postmaster@mx"), True),  # the empty Return-Path is enough
            ((b"Return-Path: <>\r\n", b""), True),  # and so is the sender
            ((b"From: MAILER-DAEMON@mx.example.com", b"From: <mallory@example.net>"), True),
            ((b"report-type=delivery-status", b"report-type=disposition-notification"), False),
            ((b"report-type=delivery-status", b"report-type=feedback-report"), False),
        ],
    )
    def test_only_the_report_of_a_delivery_is_a_bounce(self, box, case, change, counts):
        message = case.messages.first()
        (letter,) = arrived(box, a_bounce(matching.message_id_of(message)).replace(*change))
        assert (letter.kind == "bounce", Delivery.objects.filter(message=message).exists()) == (counts, counts)

    def test_a_report_that_anybody_wrote_is_no_bounce(self, box, case):
        raw = a_bounce(matching.message_id_of(case.messages.first())).replace(b"Return-Path: <>\r\n", b"")
        (letter,) = arrived(box, raw.replace(b"MAILER-DAEMON@mx.example.com", b"mallory@example.net"))
        assert letter.kind == "auto" and not Delivery.objects.exists()

    def test_a_bounce_of_an_old_message_changes_nothing(self, box, case):
        message = case.messages.first()
        case.messages.update(written_at=timezone.now() - letters.BOUNCES_COME_WITHIN * 2)
        arrived(box, a_bounce(matching.message_id_of(message)))
        assert not Delivery.objects.exists()

    @pytest.mark.parametrize("sender", ["help@brand.example", "HELP@brand.example"])
    def test_our_own_mail_coming_back_goes_no_further(self, box, case, sender):
        (letter,) = arrived(box, a_letter(f"Re: {case.number}", sender=sender))
        assert (letter.kind, letter.state) == ("loop", "discarded")

    def test_a_bounce_shows_on_the_case_whose_message_came_back(self, world, client, box, case):
        message = case.messages.first()
        arrived(box, a_bounce(matching.message_id_of(message)))
        delivery = Delivery.objects.get(message=message)
        assert (delivery.result, delivery.status) == ("bounced", "5.1.1")
        client.force_login(world.alice)
        assert "Returned by the mail server" in client.get(reverse("cases:case", args=[case.number])).content.decode()

    def test_a_delay_is_no_bounce(self, box, case):
        arrived(box, a_bounce(matching.message_id_of(case.messages.first()), action="delayed", status="4.4.1"))
        assert not Delivery.objects.exists()

    def test_a_bounce_of_what_we_never_sent_changes_nothing(self, box, case):
        (letter,) = arrived(box, a_bounce("<00000000-0000-4000-8000-000000000000@localhost>"))
        assert letter.state == "discarded" and not Delivery.objects.exists()


class TestFiles:
    def test_they_go_the_ordinary_way_into_the_vault(self, world, box, case):
        (letter,) = arrived(
            box, a_letter(f"Re: {case.number}", files=[("kimlik 4111111111111111.jpg", "image/jpeg", a_picture())])
        )
        held = letter.files.get()
        assert files.name_of(held) == "kimlik •••• 1111.jpg" and a_picture()[:50] not in bytes(held.data_sealed)
        keep_files(letter)
        keep_files(letter)  # twice is once
        document = Document.objects.get(customer=case.customer)
        held.refresh_from_db()
        assert (held.standing, held.document, held.data_sealed) == ("received", document, None)
        assert Entry.objects.filter(action="documents.receive", matter=case.number).count() == 1

    def test_what_the_vault_does_not_take_is_refused_by_it_and_the_letter_stays(self, box, case, tmp_path):
        bomb = tmp_path / "bomb.zip"
        with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as out:
            out.writestr("zeros", b"\0" * 20_000_000)
        sent = [
            ("bomb.zip", "application/zip", bomb.read_bytes()),
            ("../../etc/passwd", "text/html", b"<script>1</script>"),
        ]
        (letter,) = arrived(box, a_letter(f"Re: {case.number}", files=sent))
        keep_files(letter)
        rows = list(letter.files.order_by("place"))
        assert [(row.standing, row.refusal, row.data_sealed) for row in rows] == [("refused", "wrong_type", None)] * 2
        assert "/" not in files.name_of(rows[1])
        assert letter.state == "matched" and not Document.objects.filter(customer=case.customer).exists()

    def test_those_of_an_unmatched_letter_wait_sealed_and_follow_it(self, world, box, case):
        (letter,) = arrived(box, a_letter("Merhaba", files=[("a.jpg", "image/jpeg", a_picture())]))
        keep_files(letter)
        assert letter.files.get().standing == "held" and not Document.objects.exists()
        letter = letters.match(letter, case, by=world.alice)
        keep_files(letter)
        assert letter.files.get().document.customer == case.customer

    def test_a_file_is_offered_on_the_page_and_judged_like_any_other(self, world, client, box, case):
        (letter,) = arrived(box, a_letter(f"Re: {case.number}", files=[("a.jpg", "image/jpeg", a_picture())]))
        keep_files(letter)
        client.force_login(world.alice)
        page = client.get(reverse("cases:letter", args=[letter.pk])).content.decode()
        assert "Offer it in the case" in page
        address = reverse("cases:offer-file", args=[letter.pk, letter.files.get().pk])
        assert client.post(address, {"shows": "identity_front:passport"}).status_code == 302
        assert case.evidence.get().document == letter.files.get().document


class TestCare:
    def test_words_of_self_harm_in_a_letter_open_an_urgent_task(self, box, case):
        arrived(box, a_letter(f"Re: {case.number}", "Artık yaşamak istemiyorum"))
        task = Task.objects.get(case=case)
        assert (task.kind, task.made_by) == ("care", None)

    def test_in_a_letter_that_belongs_nowhere_yet_they_stand_above_all(self, world, client, box, case):
        arrived(
            box,
            a_letter("Merhaba", sender="a@example.net"),
            a_letter("Veda", "intihar edeceğim", sender="b@example.net"),
        )
        client.force_login(world.alice)
        page = client.get(reverse("cases:mail")).content.decode()
        assert page.index("Veda") < page.index("Merhaba") and "Urgent" in page
        letters.match(Letter.objects.get(urgent=True), case, by=world.alice, checked=True)
        assert Task.objects.get(case=case).kind == "care"

    @pytest.mark.parametrize(
        "head",
        [{"List_Id": "<x.example>"}, {"Auto_Submitted": "auto-replied"}, {"X_Mizan_Mail": "1"}, {"Return_Path": "<>"}],
    )
    def test_no_header_silences_them(self, world, client, box, case, settings, head):
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        (letter,) = arrived(box, a_letter("Veda", "intihar edeceğim", sender="b@example.net", **head))
        assert (letter.state, letter.urgent) == ("unmatched", True)
        row = OutboxRow.objects.get(kind=calling.CALL)
        join(world.erin, world.team, "manager", by=system())
        calling.call(row)
        (sent,) = outbox.outbox
        assert sent.to == [world.erin.email] and "intihar" not in str(sent.message()) and str(letter.pk) in sent.body
        client.force_login(world.alice)
        assert "Veda" in client.get(reverse("cases:mail")).content.decode()
        address = reverse("cases:discard-letter", args=[letter.pk])
        typed = {"version": letter.version, "reason": "spam"}
        assert client.post(address, typed).status_code == 422
        assert client.post(address, typed | {"outcome": "other_meaning"}).status_code == 302
        assert Entry.objects.get(action="mail.discard").facts["data"]["outcome"] == "other_meaning"
        calling.call(row)
        assert len(outbox.outbox) == 1  # somebody looked after it

    def test_an_automatic_letter_of_the_case_opens_the_task_too(self, box, case):
        arrived(box, a_letter(f"Re: {case.number}", "intihar", Auto_Submitted="auto-replied"))
        assert Task.objects.get(case=case).kind == "care"


class TestSorting:
    def test_a_stranger_is_put_to_a_case_only_by_somebody_who_made_sure(self, world, client, box, case):
        (letter,) = arrived(box, a_letter(case.number, sender="esi@example.net"))
        client.force_login(world.alice)
        address = reverse("cases:match-letter", args=[letter.pk])
        assert client.post(address, {"number": case.number}).status_code == 422
        assert client.post(address, {"number": case.number, "checked": "on"}).status_code == 302
        letter.refresh_from_db()
        assert letter.state == "matched"
        entry = Entry.objects.get(action="mail.match", matter=case.number)
        assert entry.facts["data"]["sender_known"] is False and entry.actor_id == str(world.alice.pk)
        with pytest.raises(WrongState):
            letters.match(letter, world.verification("L1", full_name="Ali Veli"), by=world.alice, checked=True)

    def test_set_aside_with_a_reason_and_taken_back(self, world, client, box):
        (letter,) = arrived(box, a_letter("Kazandınız!", sender="spam@example.net"))
        client.force_login(world.alice)
        address = reverse("cases:discard-letter", args=[letter.pk])
        assert client.post(address, {"version": letter.version}).status_code == 422
        assert client.post(address, {"version": letter.version, "reason": "spam"}).status_code == 302
        assert "Kazand" not in client.get(reverse("cases:mail")).content.decode()
        assert "Kazand" in client.get(reverse("cases:mail") + "?show=discarded").content.decode()
        client.post(reverse("cases:restore-letter", args=[letter.pk]))
        assert "Kazand" in client.get(reverse("cases:mail")).content.decode()

    def test_who_works_on_no_case_of_the_licensee_sees_no_mail(self, world, client, box):
        (letter,) = arrived(box, a_letter("Merhaba"))
        for user, status in [(world.carol, 403), (world.mallory, 404)]:
            client.force_login(user)
            assert client.get(reverse("cases:letter", args=[letter.pk])).status_code == status
        client.force_login(world.mallory)
        assert "Merhaba" not in client.get(reverse("cases:mail")).content.decode()

    def test_taken_off_the_wrong_case_it_is_nobodys_again(self, world, box, case):
        (letter,) = arrived(box, a_letter(f"Re: {case.number}", "gizli sözler"))
        letter = letters.move_away(letter, by=world.alice)
        assert (letter.state, letter.why, letter.customer) == ("unmatched", "moved", None)
        assert letters.content_of(letter).text == "gizli sözler"
        assert not [item for item in timeline.of(case) if "gizli" in item.said]
        assert Entry.objects.filter(action="mail.move_away", matter=case.number).count() == 1

    def test_after_their_time_the_words_go_and_the_trace_stays(self, world, box, monkeypatch):
        found = arrived(
            box,
            a_letter("Bir", sender="a@example.net"),
            a_letter("İki", sender="b@example.net", files=[("a.jpg", "image/jpeg", a_picture())]),
        )
        letters.discard(found[1], by=world.alice, reason="spam")
        Letter.objects.update(arrived_at=timezone.now() - letters.DISCARDED_KEPT * 2)
        assert letters.empty_old() == 1
        emptied = Letter.objects.get(pk=found[1].pk)
        assert bytes(emptied.content_sealed) == b"" and LetterFile.objects.get().data_sealed is None
        assert letters.content_of(Letter.objects.get(pk=found[0].pk)).subject == "Bir"

    def test_a_letter_that_somebody_holds_is_left_for_the_next_time(self, world, box):
        (letter,) = arrived(box, a_letter("Bir", sender="a@example.net"))
        letters.discard(letter, by=world.alice, reason="spam")
        Letter.objects.update(arrived_at=timezone.now() - letters.DISCARDED_KEPT * 2)
        with CaptureQueriesContext(connection) as asked:
            assert letters.empty_old() == 1
        assert any("SKIP LOCKED" in query["sql"] for query in asked)


class TestHostile:
    """Nothing that comes by mail ends the poll, and what cannot be read is put aside."""

    NASTY = {
        "nothing": b"",
        "no head": b"\r\n\r\nbody",
        "binary": bytes(range(256)) * 50,
        "broken multipart": b"From: a@example.com\n" + b"Content-Type: multipart/mixed; boundary=x\n\n--x\n" * 2,
        "no boundary": b"From: a@example.com\nContent-Type: multipart/alternative\n\nhello",
        "bad base64": b"From: a@example.com\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n!!!=",
        "unknown charset": b"From: a@example.com\nContent-Type: text/plain; charset=klingon\n\nhi",
        "slow charset": b"From: a@example.com\nContent-Type: text/plain; charset=punycode\n\n" + b"a-" * 5000,
        "zip charset": b"From: a@example.com\nContent-Type: text/plain; charset=zip\n\nhi",
        "broken word": b"From: =?utf-8?b?////?= <a@example.com>\nSubject: =?x?q?=ff?= =?utf-16?b?AA?=\n\nhi",
        "nul": b"From: a@example.com\nSubject: a\x00b\n\nc\x00d",
        "two senders": b"From: a@example.com, isil@example.com\nFrom: isil@example.com\n\nhi",
        "no address": b"From: <<<>>>\n\nhi",
        "surrogates": b"From: a@example.com\nContent-Type: text/plain; charset=utf-16\n\n\x00\xd8\x00\xd8",
        "deep": b"From: a@example.com\n"
        + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(300)),
        "many parts": b"From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 3000,
        "html only": b"From: a@example.com\nContent-Type: text/html\n\n<p>Merhaba<script>alert(1)</script></p><style>x",
        "long head": b"From: a@example.com\nSubject: " + b"x" * 200_000 + b"\n\nhi",
        "long references": b"From: a@example.com\nReferences: " + b"<a@b> " * 50_000 + b"\n\nhi",
    }

    def test_each_is_read_or_put_aside_and_the_one_after_it_too(self, box, case):
        for raw in self.NASTY.values():
            box.add(raw)
        found = arrived(box, a_letter(f"Re: {case.number}"))
        assert [letter for letter in found if letter.case_id == case.pk]
        assert Letter.objects.count() + Poll.objects.get().parked == len(self.NASTY) + 1
        assert Poll.objects.get().parked <= 1 and not list(box.iterkeys())

    def test_html_alone_becomes_words_without_script(self):
        assert parsing.parse(self.NASTY["html only"]).text == "Merhaba"

    def test_a_letter_from_two_is_from_nobody(self):
        assert parsing.parse(self.NASTY["two senders"]).sender == ""

    def test_a_subject_cannot_bring_further_headers_along(self, world, box, case):
        """Neither as it comes nor when we answer."""
        sent = (
            b"From: isil@example.com\nSubject: =?utf-8?q?Hi=0D=0ABcc=3A_all=40example=2Ecom?= %s\n\nx"
            % case.number.encode()
        )
        (letter,) = arrived(box, sent)
        assert "\n" not in letters.content_of(letter).subject and "\r" not in letters.content_of(letter).subject

    def test_marks_that_turn_the_writing_round_are_gone(self):
        raw = a_letter("Merhaba \u202egpj.exe", "a\u2066b\u200dc")
        parsed = parsing.parse(raw)
        assert parsed.subject == "Merhaba gpj.exe" and parsed.text == "ab\u200dc"

    def test_of_a_letter_too_large_only_the_head_is_read(self, box, case, monkeypatch):
        for module in ("cases.mail.parsing", "cases.mail.sources"):
            monkeypatch.setattr(f"{module}.LARGEST", 5000)
        raw = a_letter(f"Re: {case.number}", files=[("a.jpg", "image/jpeg", b"\xff\xd8" + b"x" * 100_000)])
        (letter,) = arrived(box, raw)
        assert (letter.state, letter.flaws, letter.files.count()) == ("matched", ["too_large"], 0)

    def test_what_cannot_be_read_is_put_aside_and_can_be_read_again(self, box, case, monkeypatch):
        def fails(*args, **options):
            raise RecursionError

        monkeypatch.setattr(parsing, "parse", fails)
        arrived(box, a_letter(f"Re: {case.number}"))
        assert not Letter.objects.exists() and not list(box.iterkeys())
        assert Entry.objects.get(action="mail.park").facts["data"]["error"] == "RecursionError"
        monkeypatch.undo()
        (visit,) = polling.poll(parked=True)
        assert visit.taken == 1 and Letter.objects.get().case_id == case.pk

    def test_what_the_database_does_not_take_is_put_aside_and_what_it_cannot_now_waits(self, box, case, monkeypatch):
        for error, kept in [(OperationalError, 1), (DataError, 0)]:

            def fails(*args, error=error, **options):
                raise error

            monkeypatch.setattr(letters, "take_in", fails)
            arrived(box, *([a_letter(f"Re: {case.number}")] if kept else []))
            assert len(list(box.iterkeys())) == kept

    def test_one_that_ends_its_worker_each_time_is_put_aside(self, box, case, monkeypatch):
        class Killed(BaseException):
            pass

        def dies(*args, **options):
            raise Killed

        monkeypatch.setattr(parsing, "parse", dies)
        box.add(a_letter(f"Re: {case.number}"))
        for _try in range(polling.MOST_TRIES):
            with pytest.raises(Killed):
                polling.poll()
        monkeypatch.undo()
        assert polling.poll()[0].parked == 1

    def test_a_mailbox_that_is_away_is_said_and_the_others_are_read(self, world, client, box, case, settings, tmp_path):
        other = world.mallory.memberships.get().team.queues.get().licensee
        settings.MAILBOXES = [f"{other.slug}=maildir://{tmp_path}/nowhere", *settings.MAILBOXES]
        box.add(a_letter(f"Re: {case.number}"))
        assert [bool(visit.error) for visit in polling.poll()] == [True, False]
        assert Letter.objects.get().case_id == case.pk
        for user, said in [(world.alice, False), (world.mallory, True)]:
            client.force_login(user)
            assert ("cannot be read since" in client.get(reverse("cases:mail")).content.decode()) is said


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("anadolu", "this is no mailbox"),
        ("anadolu=pop3://host", "this is no mailbox"),
        ("anadolu=maildir://", "this is no mailbox"),
        ("a=maildir:///x a=maildir:///y", "is named twice"),
    ],
)
def test_a_setting_that_names_no_mailbox_stops_the_start(settings, entry, said):
    settings.MAILBOXES = entry.split()
    (error,) = boxes.check_mailboxes()
    assert error.id == "mail.E001" and said in error.msg


def test_a_password_in_the_clear_is_refused_in_production(settings):
    settings.MAILBOXES, settings.IN_PRODUCTION = ["a=imap://u:secret@host/"], True
    (error,) = boxes.check_mailboxes()
    assert "in the clear" in error.msg and "secret" not in error.msg


def test_card_numbers_are_removed_and_a_known_reference_stays(world, box, case):
    open_account(customer=case.customer, brand=world.brand, reference="5555555555554444", by=world.alice)
    text = "kart 4111 1111 1111 1111 cvv 123, hesap 5555555555554444"
    (letter,) = arrived(box, a_letter(f"{case.number} 4111-1111-1111-1111", text))
    said = letters.content_of(letter)
    assert said.text == "kart •••• 1111 cvv •••, hesap 5555555555554444" and "4111" not in said.subject


def test_a_letter_to_a_finished_case_still_arrives(world, box, case):
    verification.withdraw(case, by=world.alice)
    (letter,) = arrived(box, a_letter(f"Re: {case.number}"))
    assert letter.case_id == case.pk


def test_deliveries_in_trouble_are_counted_once(case):
    message = case.messages.first()
    for _again in itertools.repeat(None, 2):
        deliveries.bounced(message, status="5.1.1")
    assert Entry.objects.filter(action="mail.bounce").count() == 1
