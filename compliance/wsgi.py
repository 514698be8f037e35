"""The web server's entry."""

import os

from django.core.wsgi import get_wsgi_application

from compliance import validated

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "compliance.settings")

application = get_wsgi_application()
validated.or_refuse()
