"""The web server's entry."""

import os

from django.core.wsgi import get_wsgi_application

from compliance import collecting, validated

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "compliance.settings")
# A page that the database thinks about for longer helps nobody, and holds a thread: it is answered with 503.
os.environ.setdefault("DATABASE_STATEMENT_TIMEOUT", "30s")

application = get_wsgi_application()
validated.or_refuse()
collecting.loaded()
