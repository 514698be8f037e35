"""Letters from an IMAP server: taken once, removed after the commit, put aside where they cannot be read."""

import pytest

from cases.mail import parsing, polling
from cases.mail.models import Letter, Poll
from tests.mail.server import imap
from tests.mail.writing import a_letter

pytestmark = pytest.mark.django_db


@pytest.fixture
def visit(world, settings):
    def go(server, *, password="secret", parked=False):
        host = f"mizan:{password}@127.0.0.1:{server.port}"
        settings.MAILBOXES = [f"{world.licensee.slug}=imap://{host}/INBOX?address=help@brand.example"]
        return polling.poll(parked=parked)[0]

    return go


def test_letters_are_taken_in_and_removed_there(visit, case):
    with imap(a_letter(f"Re: {case.number}"), a_letter("Merhaba", sender="a@example.net")) as server:
        done = visit(server)
        assert (done.taken, done.error, server.folders["INBOX"]) == (2, "", {})
        assert visit(server).taken == 0
    assert sorted(Letter.objects.values_list("state", flat=True)) == ["matched", "unmatched"]


def test_of_one_too_large_only_the_head_is_fetched(visit, case, monkeypatch):
    for module in ("cases.mail.parsing", "cases.mail.sources"):
        monkeypatch.setattr(f"{module}.LARGEST", 5000)
    with imap(a_letter(f"Re: {case.number}", "x" * 200_000)) as server:
        assert visit(server).taken == 1
    assert Letter.objects.get().flaws == ["too_large"]


def test_what_cannot_be_read_goes_to_a_folder_and_comes_back_from_there(visit, case, monkeypatch):
    def fails(*args, **options):
        raise RecursionError

    with imap(a_letter(f"Re: {case.number}")) as server:
        monkeypatch.setattr(parsing, "parse", fails)
        assert visit(server).parked == 1
        assert (server.folders["INBOX"], len(server.folders["Parked"])) == ({}, 1)
        monkeypatch.undo()
        assert visit(server, parked=True).taken == 1
        assert server.folders["Parked"] == {}


def test_a_wrong_password_is_an_error_that_does_not_repeat_it(visit, case):
    with imap(a_letter("x")) as server:
        done = visit(server, password="hunter2")
        assert done.error == "error" and len(server.folders["INBOX"]) == 1
    assert "hunter2" not in Poll.objects.get().error


def test_a_server_that_is_away_loses_nothing(visit, case):
    with imap() as server:
        pass
    assert visit(server).error == "ConnectionRefusedError"
