import io
import secrets
import uuid
from types import SimpleNamespace

import pytest
from django.db import connection, connections

from audit import context
from audit.actors import system
from audit.packing import unpack
from audit.perform import perform
from compliance.people.models import Customer, Licensee, Person, User
from documents import storage as storages
from documents.services import receive
from documents.uploads import seal_file
from tests.documents import samples


@pytest.fixture(autouse=True)
def in_context():
    with context.use(context.new("test")) as here:
        yield here


@pytest.fixture(autouse=True)
def vault(tmp_path, monkeypatch):
    """An empty vault of this test's own; `files()` are all files in it, finished or not."""
    root = tmp_path / "vault"
    monkeypatch.setattr(storages.storage(), "root", root)
    return SimpleNamespace(root=root, files=lambda: sorted(path for path in root.rglob("*") if path.is_file()))


def a_customer_of(licensee):
    return Customer.objects.create(person=Person.objects.create(), licensee=licensee, full_name="Işıl Yıldırım")


@pytest.fixture
def licensee(db):
    return Licensee.objects.create(name="Licensee", slug=f"l-{secrets.token_hex(4)}", jurisdiction="TR")


@pytest.fixture
def customer(licensee):
    return a_customer_of(licensee)


@pytest.fixture
def another_customer(licensee):
    return a_customer_of(licensee)


@pytest.fixture
def alice(db):
    return User.objects.create_user(f"ayse-{secrets.token_hex(4)}@example.com", "-", name="Ayşe Yılmaz")


@pytest.fixture
def bring(customer, alice):
    """Hand a file in, as a mail or an import would."""

    def bring(data=None, *, name="front.jpg", declared="", to=customer):
        upload = seal_file(
            customer=to, name=name, declared=declared, stream=io.BytesIO(samples.photo() if data is None else data)
        )
        return receive(customer=to, upload=upload, by=alice)

    return bring


@pytest.fixture
def ready(bring):
    """Hand a file in and say that it passed its inspection, without making one."""

    def ready(data=None, **facts):
        return perform(bring(data, **facts).pass_inspection, by=system(), facts={})

    return ready


@pytest.fixture
def the_system():
    return system()


@pytest.fixture
def entries():
    """The log's entries of one action about an object."""

    def entries(action, about):
        with connection.cursor() as cursor:
            cursor.execute("SELECT entry FROM audit_entry WHERE action = %s AND object_id = %s", [action, str(about)])
            mine = [unpack(bytes(entry)) for (entry,) in cursor.fetchall()]
        return mine

    return entries


@pytest.fixture
def refusals():
    """The same on the connection that survives a rollback."""

    def refusals(action, about):
        with connections["log"].cursor() as cursor:
            cursor.execute("SELECT entry FROM audit_entry WHERE action = %s AND object_id = %s", [action, str(about)])
            return [unpack(bytes(entry)) for (entry,) in cursor.fetchall()]

    return refusals


@pytest.fixture
def no_such_document():
    return uuid.uuid4()
