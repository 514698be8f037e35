"""Worlds that a module makes once: what is written is gone when the module, or a single question to it, is over."""

from contextlib import ExitStack, contextmanager
from unittest import mock

from django.db import transaction
from django.template.backends.django import Template
from django.test import override_settings
from django.utils.safestring import SafeString

from audit import context
from tests.database import ALIASES

QUICK = override_settings(PASSWORD_HASHERS=["tests.hashing.QuickArgon2"])


@contextmanager
def for_the_module(blocker):
    """`with for_the_module(django_db_blocker):` in a fixture of a module that asks for `django_db_setup` too."""
    with blocker.unblock(), QUICK, context.use(context.new("test")), undone():
        yield


@contextmanager
def undone():
    """What is done inside did not happen. As in a TestCase, acts that commit by themselves may be done in it."""
    with ExitStack() as stack:
        for alias in ALIASES:
            block = transaction.atomic(using=alias)
            block._from_testcase = True
            stack.enter_context(block)
        try:
            yield
        finally:
            for alias in ALIASES:
                transaction.set_rollback(True, using=alias)


def undrawn():
    """Views answer, and no page is drawn: for those who ask thousands of times who is let in."""
    return mock.patch.object(Template, "render", lambda self, context=None, request=None: SafeString(""))
