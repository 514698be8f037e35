import pytest

from audit import context
from compliance.outbox import kinds, services


@pytest.fixture
def in_context():
    with context.use(context.new("test")) as here:
        yield here


class Handler:
    """Remembers the rows it was given; `fails_with` makes it raise."""

    def __init__(self):
        self.rows = []
        self.fails_with = None

    def __call__(self, row):
        self.rows.append(row.pk)
        if self.fails_with is not None:
            raise self.fails_with


@pytest.fixture
def handler(monkeypatch):
    handler = Handler()
    monkeypatch.setitem(kinds._handlers, "test.greet", handler)
    return handler


@pytest.fixture(autouse=True)
def fresh_broker(monkeypatch):
    monkeypatch.setattr(services.broker, "quiet_until", 0.0)


@pytest.fixture
def sent(monkeypatch):
    """Names and ids of the tasks that were handed to the broker."""
    sent = []

    def send_task(name, kwargs, **options):
        sent.append((name, kwargs))

    monkeypatch.setattr("compliance.outbox.services.current_app.send_task", send_task)
    return sent
