"""What every provider promises, asked of each: the key file, Vault's transit engine, AWS KMS."""

import logging
import secrets
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from moto.server import ThreadedMotoServer

from compliance.keys.providers import KEY_BYTES, KeyUnavailable, LocalKeyFile, Wrapped
from compliance.keys.providers.aws import AwsKms
from compliance.keys.providers.vault import VaultTransit
from tests.keys import transit

AAD = b"ck|customer|somebody|1"
KEY = bytes(range(KEY_BYTES))


@pytest.fixture(scope="module")
def kms_server():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def vault_server():
    server = transit.Server()
    yield server
    server.stop()


def a_vault(url, token=transit.TOKEN):
    return VaultTransit(url, lambda: token, key="mizan")


def a_kms(url, prefix):
    own = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "eu-central-1"}
    return AwsKms(prefix=prefix, endpoint_url=url, **own)


@pytest.fixture(params=["file", "vault", "aws"])
def twice(request, tmp_path):
    """A provider, and a function that makes another process's view of the same keys."""
    if request.param == "file":
        made = lambda: LocalKeyFile(tmp_path / "keys.json")  # noqa: E731
    elif request.param == "vault":
        url = request.getfixturevalue("vault_server").url
        made = lambda: a_vault(url)  # noqa: E731
    else:
        url, prefix = request.getfixturevalue("kms_server"), f"t{secrets.token_hex(4)}"
        made = lambda: a_kms(url, prefix)  # noqa: E731
    first = made()
    first.create()
    return first, made


@pytest.fixture
def provider(twice):
    return twice[0]


def test_a_new_installations_keys_are_made_once(provider):
    assert provider.exists() and provider.health() == []
    assert (provider.epoch(), provider.epochs()) == (1, [1])
    with pytest.raises(FileExistsError):
        provider.create()


@hypothesis_settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(key=st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES), subject=st.text("abc-0123", min_size=1, max_size=40))
def test_a_wrapped_key_comes_back_for_its_row_alone(provider, key, subject):
    aad = f"ck|customer|{subject}|1".encode()
    wrapped = provider.wrap(key, aad=aad)
    assert key not in wrapped.blob
    assert provider.unwrap(wrapped, aad=aad) == key
    with pytest.raises(KeyUnavailable):
        provider.unwrap(wrapped, aad=aad + b"0")


def test_a_changed_wrapping_does_not_open(provider):
    wrapped = provider.wrap(KEY, aad=AAD)
    for at in {0, len(wrapped.blob) // 2, len(wrapped.blob) - 2}:
        blob = bytearray(wrapped.blob)
        blob[at] ^= 1
        with pytest.raises(KeyUnavailable):
            provider.unwrap(Wrapped(wrapped.epoch, bytes(blob)), aad=AAD)


def test_a_rotation_keeps_the_old_epoch_until_it_is_destroyed_for_good(twice):
    provider, made = twice
    rows = [(provider.wrap(KEY, aad=AAD + bytes([n])), AAD + bytes([n])) for n in range(5)]
    assert provider.rotate() == 2
    assert made().epoch() == 2 and made().epochs() == [1, 2]
    assert [provider.unwrap(wrapped, aad=aad) for wrapped, aad in rows] == [KEY] * 5
    new = made().rewrap_many(rows)
    assert {wrapped.epoch for wrapped in new} == {2}
    with pytest.raises(ValueError, match="Rotate first"):
        provider.destroy_epoch(2)
    before = datetime.now(UTC)
    final = provider.destroy_epoch(1)
    # KMS keeps a key for a week in which it can be brought back: only then are copies dead.
    waits = timedelta(days=6) if provider.name == "aws" else timedelta(0)
    assert waits <= final - before < waits + timedelta(days=2)
    assert made().epochs() == [2]
    for (old, aad), wrapped in zip(rows, new, strict=True):
        assert made().unwrap(wrapped, aad=aad) == KEY
        with pytest.raises(KeyUnavailable):
            made().unwrap(old, aad=aad)
        with pytest.raises(KeyUnavailable):
            provider.rewrap(old, aad=aad)
        with pytest.raises(KeyUnavailable):
            made().unwrap(Wrapped(2, old.blob), aad=aad)


def test_one_row_that_does_not_open_stops_the_whole_batch(provider):
    good, bad = provider.wrap(KEY, aad=AAD), provider.wrap(KEY, aad=AAD + b"x")
    with pytest.raises(KeyUnavailable):
        provider.rewrap_many([(good, AAD), (bad, AAD)])


def test_derived_keys_differ_by_purpose_and_outlive_a_rotation(twice):
    provider, made = twice
    keys = {purpose: provider.derive(purpose) for purpose in ("index|email", "index|phone", "log-writer")}
    assert len(set(keys.values())) == 3
    provider.rotate()
    assert {purpose: made().derive(purpose) for purpose in keys} == keys


def test_another_installations_provider_opens_nothing(provider, tmp_path, kms_server):
    wrapped = provider.wrap(KEY, aad=AAD)
    other_server = transit.Server()
    other = {"file": lambda: LocalKeyFile(tmp_path / "other.json"), "vault": lambda: a_vault(other_server.url)}
    stranger = other.get(provider.name, lambda: a_kms(kms_server, f"o{secrets.token_hex(4)}"))()
    stranger.create()
    with pytest.raises(KeyUnavailable):
        stranger.unwrap(wrapped, aad=AAD)
    other_server.stop()


# --------------------------------------------------------------------------------------------------- out of reach
def every_act(provider, wrapped):
    return [
        lambda: provider.wrap(KEY, aad=AAD),
        lambda: provider.unwrap(wrapped, aad=AAD),
        lambda: provider.rewrap_many([(wrapped, AAD)]),
        lambda: provider.derive("never asked before"),
        provider.epochs,
        provider.rotate,
    ]


def refuse_everything(provider, wrapped, *, text):
    for act in every_act(provider, wrapped):
        with pytest.raises(KeyUnavailable, match=text):
            act()
    assert provider.health()


def test_a_vault_that_is_away_refuses_everything(vault_server):
    provider = a_vault(vault_server.url)
    provider.create()
    wrapped = provider.wrap(KEY, aad=AAD)
    vault_server.stop()
    refuse_everything(a_vault(vault_server.url), wrapped, text="does not answer")


def test_a_vault_that_refuses_the_token_refuses_everything(vault_server):
    a_vault(vault_server.url).create()
    wrapped = a_vault(vault_server.url).wrap(KEY, aad=AAD)
    refuse_everything(a_vault(vault_server.url, token="s.old"), wrapped, text="Forbidden")


def test_a_vault_that_answers_nonsense_is_never_believed(vault_server, monkeypatch):
    provider = a_vault(vault_server.url)
    provider.create()
    wrapped = provider.wrap(KEY, aad=AAD)
    for data in ({}, {"plaintext": ""}, {"plaintext": "AAAA"}, {"plaintext": "!" * 44}, {"ciphertext": "vault:v1:"}):
        monkeypatch.setattr(vault_server.transit, "answer", lambda *a, data=data: data)
        for act in every_act(provider, wrapped)[:4]:
            with pytest.raises((KeyUnavailable, KeyError)) as refused:
                act()
            assert isinstance(refused.value, KeyUnavailable), f"{data}: {refused.value!r}"


def test_a_kms_that_is_away_refuses_everything(kms_server):
    prefix = f"t{secrets.token_hex(4)}"
    provider = a_kms(kms_server, prefix)
    provider.create()
    wrapped = provider.wrap(KEY, aad=AAD)
    refuse_everything(a_kms("http://127.0.0.1:9", prefix), wrapped, text="does not answer")


def test_the_encryption_context_binds_a_row(kms_server):
    """Asked of KMS itself: the context is really sent, and really counts."""
    provider = a_kms(kms_server, f"t{secrets.token_hex(4)}")
    provider.create()
    blob = provider.wrap(KEY, aad=AAD).blob
    assert provider._kms.decrypt(CiphertextBlob=blob, EncryptionContext={"mizan": AAD.decode()})["Plaintext"] == KEY
    with pytest.raises(provider._kms.exceptions.InvalidCiphertextException):
        provider._kms.decrypt(CiphertextBlob=blob)
