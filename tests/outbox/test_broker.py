"""The folder that stands in for a broker: whole messages only, each to one worker, none that kills."""

import threading
from queue import Empty

import pytest
from kombu import Connection

from compliance import celery


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "queue"


@pytest.fixture
def channel(folder, tmp_path):
    folder.mkdir()
    assert celery.app
    options = {
        "data_folder_in": str(folder),
        "data_folder_out": str(folder),
        "control_folder": str(tmp_path / "control"),
    }
    with Connection("folder://", transport_options=options) as connection:
        yield connection.channel()


def test_messages_come_in_the_order_they_were_put(channel):
    for number in range(5):
        channel._put("celery", {"number": number})
    assert [channel._get("celery")["number"] for _ in range(5)] == list(range(5))
    with pytest.raises(Empty):
        channel._get("celery")


@pytest.mark.parametrize("cut", [b"", b'{"body": "abc', b"\xff\xfe"])
def test_a_message_that_was_cut_is_dropped_and_the_next_one_comes(cut, channel, folder):
    (folder / "0000_a.celery.msg").write_bytes(cut)
    channel._put("celery", {"number": 1})
    assert channel._get("celery") == {"number": 1}
    assert list(folder.iterdir()) == []


def test_a_message_is_never_seen_half_written(channel, folder):
    seen, stop = [], threading.Event()

    def read():
        while not stop.is_set():
            seen.extend(path.read_bytes()[-1:] for path in folder.glob("*.celery.msg"))

    reader = threading.Thread(target=read)
    reader.start()
    for _message in range(50):
        channel._put("celery", {"text": "x" * 200_000})
    stop.set()
    reader.join()
    assert set(seen) <= {b"}"}


def test_two_workers_never_take_one_message(channel):
    for number in range(200):
        channel._put("celery", number)
    taken = []

    def take():
        try:
            while True:
                taken.append(channel._get("celery"))
        except Empty:
            pass

    workers = [threading.Thread(target=take) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(taken) == list(range(200))
