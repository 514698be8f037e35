"""A clock that is wrong, for what is recorded meanwhile."""

from contextlib import contextmanager
from datetime import datetime

from audit import record


@contextmanager
def clock(monkeypatch, off):
    """Entries written inside are `off` (a timedelta) away from the true time."""

    class Wrong(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + off

    with monkeypatch.context() as patch:
        patch.setattr(record, "datetime", Wrong)
        yield
