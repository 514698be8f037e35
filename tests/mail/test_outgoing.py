"""Messages leave once, or are known as doubtful; who has the case sees those that did not arrive."""

import smtplib
import socket
import ssl

import pytest
from django.core import mail as outbox
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.urls import reverse

from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied
from cases import services as engine
from cases.mail import deliveries, matching, outgoing, writing
from cases.mail.models import Attempt, Delivery
from compliance.outbox.models import OutboxRow

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def memory(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    outbox.outbox = []


@pytest.fixture
def message(case):
    return case.messages.get()


def deliver(message):
    outgoing.deliver(OutboxRow(payload={"message_id": str(message.pk)}))
    message.refresh_from_db()


def sending(monkeypatch, *outcomes):
    """Each try ends as told: an error to raise, or None for sent."""
    left = list(outcomes)

    def send(self, fail_silently=False):
        outcome = left.pop(0)
        if outcome is not None:
            raise outcome
        outbox.outbox.append(self)
        return 1

    monkeypatch.setattr(EmailMessage, "send", send)


class TestTheLetter:
    def test_it_carries_number_address_to_answer_and_our_mark(self, world, message, case, settings):
        settings.MAILBOXES = [f"{world.licensee.slug}=maildir:///mail?address=help@brand.example"]
        deliver(message)
        (sent,) = outbox.outbox
        heads = sent.message()
        assert case.number in sent.subject and case.number in sent.body and "Başvurunuzu" in sent.subject
        assert (sent.to, sent.reply_to) == (["isil@example.com"], ["help@brand.example"])
        assert heads["Message-ID"] == matching.message_id_of(message)
        assert (heads["Auto-Submitted"], heads["Content-Language"]) == ("auto-generated", "tr")

    def test_what_a_person_wrote_says_so(self, world, case):
        message = engine.write_message(case, "answer", by=world.alice, text="Merhaba")
        deliver(message)
        assert outbox.outbox[-1].message()["Auto-Submitted"] == "no"

    def test_nobody_to_write_to_is_told(self, world, case, message):
        case.account.email_sealed = None
        case.account.save(update_fields=["email_sealed"])
        deliver(message)
        assert Delivery.objects.get().result == "no_address" and not outbox.outbox


class TestOnce:
    def test_sent_twice_is_sent_once(self, message):
        deliver(message)
        deliver(message)
        assert len(outbox.outbox) == 1 and message.sent_at is not None
        assert Entry.objects.filter(action="cases.send_message").count() == 1

    @pytest.mark.parametrize(
        "error",
        [smtplib.SMTPSenderRefused(451, b"later", "us"), smtplib.SMTPDataError(451, b"later")],
        ids=lambda error: type(error).__name__,
    )
    def test_what_the_server_never_had_is_tried_again(self, monkeypatch, message, error):
        sending(monkeypatch, error, None)
        with pytest.raises(type(error)):
            deliver(message)
        deliver(message)
        assert (len(outbox.outbox), Delivery.objects.get().result) == (1, "sent")

    @pytest.mark.parametrize(
        "error",
        [
            ConnectionRefusedError(),
            TimeoutError(),
            socket.gaierror(),
            ssl.SSLError(),
            smtplib.SMTPServerDisconnected(),
            smtplib.SMTPConnectError(421, b"busy"),
            smtplib.SMTPAuthenticationError(535, b"no"),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_a_server_that_was_not_reached_has_nothing(self, monkeypatch, message, error):
        left = [error, None]

        def opens(self):
            if (outcome := left.pop(0)) is not None:
                raise outcome

        monkeypatch.setattr(BaseEmailBackend, "open", opens)
        with pytest.raises(type(error)):
            deliver(message)
        assert not Delivery.objects.exists() and not outbox.outbox
        deliver(message)
        assert (len(outbox.outbox), Delivery.objects.get().result) == (1, "sent")

    def test_a_goodbye_that_fails_makes_no_doubt(self, monkeypatch, message):
        def closes(self):
            raise smtplib.SMTPServerDisconnected

        monkeypatch.setattr(BaseEmailBackend, "close", closes)
        deliver(message)
        assert (len(outbox.outbox), Delivery.objects.get().result) == (1, "sent")

    @pytest.mark.parametrize("error", [smtplib.SMTPServerDisconnected(), TimeoutError(), ConnectionResetError()])
    def test_what_it_may_have_is_never_sent_again_by_itself(self, monkeypatch, message, error):
        sending(monkeypatch, error)
        deliver(message)
        deliver(message)
        assert (Delivery.objects.get().result, message.sent_at) == ("doubtful", None)
        assert Entry.objects.filter(action="mail.doubt").count() == 1

    def test_a_worker_that_died_while_sending_leaves_it_doubtful(self, monkeypatch, message):
        class Killed(BaseException):
            pass

        sending(monkeypatch, Killed())
        with pytest.raises(Killed):
            deliver(message)
        deliver(message)
        assert Delivery.objects.get().result == "doubtful"

    def test_a_note_of_ours_that_was_lost_after_sending_sends_nothing_twice(self, message):
        Attempt.objects.using("log").create(message_id=message.pk, begun_at=message.written_at, result="sent")
        deliver(message)
        assert not outbox.outbox and Delivery.objects.get().result == "sent" and message.sent_at

    @pytest.mark.parametrize(
        "error",
        [
            smtplib.SMTPRecipientsRefused({"isil@example.com": (550, b"no such user")}),
            smtplib.SMTPDataError(554, b"refused"),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_what_the_server_refuses_for_good_is_told(self, monkeypatch, message, error):
        sending(monkeypatch, error)
        deliver(message)
        delivery = Delivery.objects.get()
        assert delivery.result == "refused" and delivery.status in ("550", "554")


class TestTrouble:
    @pytest.fixture
    def doubtful(self, monkeypatch, message):
        sending(monkeypatch, TimeoutError(), None)
        deliver(message)
        return Delivery.objects.get()

    def test_it_shows_on_the_case_and_a_person_sends_it_again(self, world, client, case, message, doubtful):
        client.force_login(world.alice)
        address = reverse("cases:delivery", args=[case.number, message.pk])
        assert address in client.get(reverse("cases:case", args=[case.number])).content.decode()
        assert client.post(address, {"act": "again"}).status_code == 302
        deliver(message)
        assert [sent.message()["Message-ID"] for sent in outbox.outbox] == [matching.message_id_of(message)]
        assert address not in client.get(reverse("cases:case", args=[case.number])).content.decode()

    def test_or_says_that_the_player_knows(self, world, client, case, message, doubtful):
        client.force_login(world.alice)
        address = reverse("cases:delivery", args=[case.number, message.pk])
        client.post(address, {"act": "settled"})
        doubtful.refresh_from_db()
        assert (doubtful.result, doubtful.settled_by) == ("settled", world.alice)
        assert client.post(address, {"act": "again"}).status_code == 422

    def test_who_only_reads_does_neither(self, world, client, case, message, doubtful):
        for user, status in [(world.carol, 403), (world.mallory, 404)]:
            client.force_login(user)
            assert client.post(reverse("cases:delivery", args=[case.number, message.pk])).status_code == status
        with pytest.raises(Denied):
            deliveries.send_again(doubtful, by=world.carol)


class TestTheComposer:
    def form(self, client, case):
        page = client.get(reverse("cases:write", args=[case.number])).content.decode()
        return page.partition('name="token" value="')[2].partition('"')[0]

    def test_first_the_words_that_the_player_will_read_then_on_its_own_button_send(self, world, client, case):
        client.force_login(world.alice)
        typed = {"code": "answer", "line": "Belgenizi aldık.", "token": self.form(client, case)}
        address = reverse("cases:write", args=[case.number])
        preview = client.post(address, typed).content.decode()
        assert "Belgenizi aldık." in preview and "Takip numaranız" in preview and "Send to the player" in preview
        assert 'lang="tr"' in preview and case.messages.count() == 1  # the receipt alone
        for _click in range(2):
            assert client.post(address, typed | {"act": "send"}).status_code == 302
        message = case.messages.exclude(code="received").get()
        assert engine.message_text(message) in preview.replace("<br>", "\n")
        assert Entry.objects.filter(action="cases.write_message").latest("id").facts["data"]["version"] == 1

    def test_note_and_message_differ_in_words_colour_and_key(self, world, client, case):
        client.force_login(world.alice)
        page = client.get(reverse("cases:case", args=[case.number])).content.decode()
        assert page.index("pane note") < page.index("pane message")
        assert "only staff see it, never the player" in page and "The player reads this." in page
        assert page.count("Save note") == 1 and 'data-key="m"' in page and 'data-key="o"' in page

    def test_what_would_tip_off_is_refused_by_name(self, world, client, case):
        client.force_login(world.alice)
        typed = {"code": "answer", "line": "MASAK soruşturması sürüyor", "token": self.form(client, case)}
        answer = client.post(reverse("cases:write", args=[case.number]), typed | {"act": "send"})
        assert answer.status_code == 422 and "MASAK, soruşturması" in answer.content.decode()
        with pytest.raises(ConditionsNotMet):
            writing.compose(case, "rejected", "")  # no text for staff to pick

    def test_who_only_reads_writes_nothing(self, world, client, case):
        for user, status in [(world.carol, 403), (world.mallory, 404)]:
            client.force_login(user)
            assert client.post(reverse("cases:write", args=[case.number]), {"code": "answer"}).status_code == status

    def test_no_note_ever_reaches_a_message(self, world, client, case):
        engine.write_note(case, by=world.alice, text="gizli not")
        client.force_login(world.alice)
        page = client.get(reverse("cases:write", args=[case.number])).content.decode()
        assert "gizli not" not in page
