"""Settings for programs that render templates beside a running Mizan: imported first, for what it does.

No database, no secret of anybody's: only what the templates need. `test`, since only there Arabic is offered.
"""

import os
import tempfile

import django

os.environ |= {
    "DATABASE_URL": "postgresql://nobody@localhost/none",
    "DJANGO_SETTINGS_MODULE": "compliance.settings",
    "MIZAN_DATA_DIR": tempfile.gettempdir(),
    "MIZAN_ENV": "test",
    "SECRET_KEY": "of no use to anybody, since nothing is signed with it here",
}
django.setup()
