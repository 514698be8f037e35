"""A receiver may be slow, broken or hostile: nothing of it costs more than its own call (security F-11, T14)."""

import socket
import time
from ipaddress import ip_address, ip_network

import pytest

from compliance.platform.webhooks import addresses, sending
from tests.webhooks.receiver import Receiver, a_gigabyte, drips, hangs, says

HEADERS = {"Content-Type": "application/json"}


def post(url, **options):
    return sending.post(url, HEADERS, b"{}", **options)


@pytest.fixture
def to(request):
    """A receiver that answers so; it ends with the test."""
    opened = []

    def to(*answers):
        opened.append(Receiver(*answers))
        return opened[-1]

    yield to
    for receiver in opened:
        receiver.close()


def test_what_is_sent_arrives_as_it_is(to):
    receiver = to(200)
    outcome = post(receiver.url)
    assert (outcome.delivered, outcome.status, outcome.reply) == (True, 200, b"ok")
    path, headers, body = receiver.got[0]
    assert (path, headers["Content-Type"], body) == ("/hooks?token=abc", "application/json", b"{}")
    assert headers["Host"] == receiver.url.split("/")[2]


@pytest.mark.parametrize(
    ("answer", "error"), [(204, ""), (299, ""), (404, "refused"), (500, "refused"), (410, "gone"), (304, "redirect")]
)
def test_only_2xx_is_delivered(to, answer, error):
    assert post(to(says(answer)).url).error == error


def test_a_redirect_is_not_followed(to):
    inside = to(200)
    outcome = post(to(says(302, Location=inside.url)).url)
    assert (outcome.error, outcome.status, inside.got) == ("redirect", 302, [])


@pytest.mark.parametrize("badly", [hangs(60), drips], ids=["hangs", "drips"])
def test_time_ends_for_everybody(to, badly):
    began = time.monotonic()
    outcome = post(to(badly).url, within=0.5)
    assert (outcome.error, outcome.status) == ("timeout", None)
    assert time.monotonic() - began < 15  # drips end after 30 s, hangs after 60


def test_a_gigabyte_is_read_to_its_first_kilobyte(to):
    outcome = post(to(a_gigabyte).url)
    assert (outcome.delivered, len(outcome.reply)) == (True, 1024)


def test_what_is_no_http_is_an_outcome_too(to):
    assert post(to(lambda handler: handler.wfile.write(b"SSH-2.0-x\r\n")).url).error == "not_http"
    assert post(to(lambda handler: handler.connection.close()).url).error in ("not_http", "connection")


def test_a_closed_port_is_an_outcome():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert post(f"http://127.0.0.1:{port}/").error == "connection"


def test_plain_text_behind_https_is_an_outcome(to):
    assert post(to(200).url.replace("http://", "https://")).error in ("tls", "connection")


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("120", 120), ("9" * 30, 86_400), ("Wed, 21 Oct 2015 07:28:00 GMT", 0), ("soon", None), ("-5", None), ("", None)],
)
def test_how_long_to_stay_away_is_read_both_ways(to, said, seconds):
    assert post(to(says(503, Retry_After=said)).url).retry_after == seconds


# ------------------------------------------------------------------------------------------- where we may call
FORBIDDEN = [
    *("127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
    *("100.100.100.200", "0.0.0.0", "224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1"),
    *("::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
    *("64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1"),
]
OPEN = ["8.8.8.8", "93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"]


@pytest.fixture
def resolves(monkeypatch, settings):
    """Names mean what the test says, one answer after the other; no network of ours may be called."""
    settings.WEBHOOK_NETWORKS = []
    answers = []

    def getaddrinfo(host, port, **options):
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(addresses.socket, "getaddrinfo", getaddrinfo)
    return answers


@pytest.mark.parametrize("address", FORBIDDEN)
@pytest.mark.parametrize("beside", [[], ["8.8.8.8"]], ids=["alone", "beside an open one"])
def test_an_inner_address_is_never_connected_to(resolves, monkeypatch, address, beside):
    def connects(*args, **options):
        raise AssertionError("connected")

    monkeypatch.setattr(sending.socket, "create_connection", connects)
    resolves.append([*beside, address])
    assert post("https://platform.example.com/").error == "forbidden_address"


def test_a_name_that_turns_inward_later_is_refused_then(resolves, monkeypatch):
    called = []

    def connects(address, **options):
        called.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(sending.socket, "create_connection", connects)
    resolves += [["8.8.8.8"], ["127.0.0.1"]]
    assert post("https://platform.example.com/").error == "connection"
    assert post("https://platform.example.com/").error == "forbidden_address"
    assert called == ["8.8.8.8"]


@pytest.mark.parametrize("address", OPEN)
def test_the_internet_may_be_called(resolves, address):
    resolves.append([address])
    assert addresses.addresses_of(addresses.target_of("https://platform.example.com/")) == [address]


def test_a_setting_opens_a_network_of_ours_but_never_metadata(settings):
    settings.WEBHOOK_NETWORKS = [ip_network("10.20.0.0/16"), ip_network("169.254.0.0/16"), ip_network("0.0.0.0/0")]
    assert addresses.may_call(ip_address("10.20.3.4"))
    assert addresses.may_call(ip_address("::ffff:10.20.3.4"))
    assert not addresses.may_call(ip_address("169.254.169.254"))
