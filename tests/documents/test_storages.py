"""The local folder and the S3-compatible store keep the same promises: a file is whole or not there."""

import hashlib
import os
import secrets
import time
import uuid
from types import SimpleNamespace

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError
from moto.server import ThreadedMotoServer

from documents import storage as storages
from documents.inspection import inspect_now
from documents.models import Document, State
from documents.s3 import PART, S3Storage
from documents.services import Refused, Unreadable, open_document
from documents.storage import LocalStorage, Missing
from documents.sweeping import remove_orphans
from tests.documents import samples

SIZES = [0, 1, 20_000, PART - 1, PART, PART + 1, 2 * PART + 5]
LATER = 1e12


@pytest.fixture(scope="module")
def server():
    made = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    made.start()
    host, port = made.get_host_and_port()
    yield f"http://{host}:{port}"
    made.stop()


@pytest.fixture
def bucket(server, monkeypatch):
    """A bucket of this test's own and a client for it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    client = boto3.client(
        "s3", endpoint_url=server, region_name="us-east-1", config=Config(retries={"max_attempts": 1})
    )
    name = f"b-{secrets.token_hex(6)}"
    client.create_bucket(Bucket=name)
    return SimpleNamespace(client=client, name=name, endpoint=server)


def _nothing_there_s3(bucket):
    objects = bucket.client.list_objects_v2(Bucket=bucket.name).get("Contents", [])
    uploads = bucket.client.list_multipart_uploads(Bucket=bucket.name).get("Uploads", [])
    return [one["Key"] for one in objects + uploads]


@pytest.fixture(params=["local", "s3"])
def house(request, tmp_path, monkeypatch):
    """`store`, `left()`: names of all that lies there, finished or not, and `fail(call)`: that call to it fails."""
    if request.param == "local":
        root = tmp_path / "files"

        def fail_local(number):
            calls = ["open", "write", "fsync", "rename"]

            def fail(*arguments, **named):
                raise OSError(5, "Input/output error")

            monkeypatch.setattr(storages.os, calls[number], fail)

        return SimpleNamespace(
            store=LocalStorage(root),
            left=lambda: [path.name for path in root.rglob("*") if path.is_file()],
            fail=fail_local,
            calls=4,
        )
    bucket = request.getfixturevalue("bucket")
    calls = ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "PutObject"]

    def fail_s3(number):
        def fail(**named):
            raise EndpointConnectionError(endpoint_url="nowhere")

        bucket.client.meta.events.register(f"before-send.s3.{calls[number]}", fail)

    return SimpleNamespace(
        store=S3Storage(bucket.client, bucket.name, "vault/"),
        left=lambda: _nothing_there_s3(bucket),
        fail=fail_s3,
        calls=len(calls),
    )


def put(store, data, document=None):
    document = document or uuid.uuid4()
    written = store.begin(document)
    try:
        for at in range(0, len(data), 1 << 20):
            written.write(memoryview(data)[at : at + (1 << 20)])
        written.commit()
    except OSError:
        written.discard()
        raise
    return document


@pytest.mark.parametrize("size", SIZES)
def test_what_was_put_is_read_whole_and_in_parts(house, size):
    data = os.urandom(size)
    document = put(house.store, data)
    file = house.store.open(document)
    assert file.size == size
    assert file.read_at(0, size + 10) == data
    for _ in range(6):
        start = secrets.randbelow(size + 1)
        assert file.read_at(start, 16_400) == data[start : start + 16_400]
    assert file.read_at(size, 10) == b""
    file.close()


def test_before_the_commit_there_is_no_file_and_a_discarded_one_leaves_nothing(house):
    document = uuid.uuid4()
    written = house.store.begin(document)
    written.write(memoryview(bytes(PART + 10)))
    with pytest.raises(Missing):
        house.store.open(document)
    written.discard()
    assert house.left() == []


def test_an_upload_that_is_forgotten_leaves_nothing(house):
    written = house.store.begin(uuid.uuid4())
    written.write(memoryview(bytes(PART + 10)))
    del written
    assert house.left() == []


@pytest.mark.parametrize("size", [1000, PART + 1000], ids=["small", "large"])
@pytest.mark.parametrize("call", range(4))
def test_a_failing_call_leaves_no_half_file(house, call, size):
    house.fail(call)
    document = uuid.uuid4()
    try:
        put(house.store, bytes(size), document)
    except OSError:
        assert house.left() == []
    else:
        # The failing call is not one of those that a file of this size needs.
        assert house.store.open(document).size == size


def test_what_a_dead_writer_left_is_removed_after_its_time(house):
    written = house.store.begin(uuid.uuid4())
    written.write(memoryview(bytes(PART + 10)))
    written._forget.detach()  # as kill -9 does
    if isinstance(house.store, LocalStorage):  # moto says of every upload that it began in 2010
        assert house.store.remove_abandoned(before=time.time() - 3600) == 0
    assert house.store.remove_abandoned(before=LATER) == 1
    assert house.left() == []


def test_a_file_goes_aside_and_comes_back(house):
    document = put(house.store, b"sealed")
    assert list(house.store.documents(before=LATER)) == [document]
    assert list(house.store.documents(before=time.time() - 3600)) == []
    house.store.set_aside(document)
    assert list(house.store.documents(before=LATER)) == []
    assert house.store.aside(before=LATER) == house.store.aside(before=float("inf")) == [document]
    assert house.store.aside(before=time.time() - 3600) == []
    house.store.bring_back(document)
    assert house.store.open(document).read_at(0, 10) == b"sealed"
    house.store.set_aside(document)
    house.store.remove_aside(document)
    assert house.left() == []
    for move in (house.store.set_aside, house.store.bring_back):
        with pytest.raises(FileNotFoundError):
            move(document)


def test_removing_tells_whether_there_was_one(house):
    document = put(house.store, b"sealed")
    assert house.store.delete(document) is True
    assert house.store.delete(document) is False
    with pytest.raises(Missing):
        house.store.open(document)


# ------------------------------------------------------------------------------------------------- S3 alone
@pytest.mark.parametrize("size", [10, PART + 10], ids=["small", "large"])
def test_nothing_is_ever_overwritten(bucket, size):
    store = S3Storage(bucket.client, bucket.name)
    document = put(store, b"a" * size)
    with pytest.raises(FileExistsError):
        put(store, b"b" * size, document)
    assert store.open(document).read_at(0, 1) == b"a"


def test_parts_carry_checksums(bucket):
    sent = []
    bucket.client.meta.events.register(
        "before-send.s3", lambda request, **named: sent.append({k.lower(): v for k, v in request.headers.items()})
    )
    put(S3Storage(bucket.client, bucket.name), bytes(PART + 10))
    parts = [headers for headers in sent if headers.keys() & {"x-amz-checksum-sha256", "x-amz-trailer"}]
    assert len(parts) == 2
    assert any(headers.get("if-none-match") in ("*", b"*") for headers in sent)


def test_a_file_that_was_replaced_while_it_is_read_is_not_mixed(bucket):
    store = S3Storage(bucket.client, bucket.name)
    document = put(store, bytes(3 << 20))
    file = store.open(document)
    file.read_at(0, 10)
    bucket.client.put_object(Bucket=bucket.name, Key=store._key(document), Body=b"x" * (3 << 20))
    with pytest.raises(OSError, match="there already|refused"):
        file.read_at(2 << 20, 10)


@pytest.fixture
def in_s3(bucket, settings):
    settings.S3_BUCKET, settings.S3_PREFIX = bucket.name, "vault/"
    settings.S3_ENDPOINT_URL, settings.S3_REGION = bucket.endpoint, "us-east-1"
    settings.VAULT_STORAGE = "documents.s3.S3Storage"
    storages.storage.cache_clear()
    yield
    storages.storage.cache_clear()


@pytest.mark.django_db
def test_the_life_of_a_document_in_a_bucket(bring, in_s3, bucket, vault, alice):
    data = samples.photo(1200, 800)
    document = bring(data)
    [key] = _nothing_there_s3(bucket)
    assert key == f"vault/{document.pk.hex[:2]}/{document.pk}.kvlt"
    stored = bucket.client.get_object(Bucket=bucket.name, Key=key)["Body"].read()
    assert hashlib.sha256(stored).digest() == bytes(document.ciphertext_digest)
    document = inspect_now(document.pk)
    assert document.state == State.READY
    assert b"".join(open_document(document, by=alice, purpose="test")) == data
    assert remove_orphans(before=LATER) == 0
    bucket.client.put_object(Bucket=bucket.name, Key=key, Body=stored[:-1] + bytes([stored[-1] ^ 1]))
    with pytest.raises(Unreadable):
        open_document(document, by=alice, purpose="test")
    assert vault.files() == []


@pytest.mark.django_db
def test_a_store_that_is_away_refuses_the_file_and_no_row_is_left(bring, in_s3, settings):
    settings.S3_ENDPOINT_URL = "http://127.0.0.1:9"
    storages.storage.cache_clear()
    with pytest.raises(Refused) as refused:
        bring()
    assert refused.value.code == "busy"
    assert not Document.objects.exists()
