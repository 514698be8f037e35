"""The description of the API as a page: every operation, for whoever works here, with no script but ours."""

import re
import shlex

from django.conf import settings

from compliance.api import api as product_api
from compliance.platform.openapi import operations
from tests.world import a_world


def test_every_operation_is_there_to_read_and_to_try(client, db):
    client.force_login(a_world().alice, backend="compliance.people.access.backend.StaffBackend")
    answer = client.get("/platform/api/")
    assert answer.status_code == 200
    page = answer.content.decode()
    ids = re.findall(r'<details class="api-operation" id="(\w+)"', page)
    assert sorted(ids) == sorted(operation.operation_id for operation, _scope in operations(product_api))
    subjects = answer.context["subjects"]
    for one in (one for subject in subjects for one in subject["operations"]):
        assert one["answers"] and one["scope"] and one["path"].startswith("/api/v1/")
        call = shlex.split(one["curl"])
        assert call[:3] == ["curl", "-X", one["method"]] and call[3].startswith("$MIZAN/api/v1/")
        assert "{" not in call[3], one["id"]
        assert one["can_try"] == (f'data-method="{one["method"]}" data-path="{one["path"]}"' in page)
    assert re.findall(r"<script(?![^>]*\bsrc=\"/static/)[^>]*>", page) == []
    assert re.findall(r"\son\w+=|\sstyle=|javascript:", page) == []
    assert "script-src 'self';" in answer["Content-Security-Policy"]


def test_the_form_sends_no_key_of_real_players():
    """What the script lets pass is what a test licensee's key looks like, and it stores nothing."""
    script = (settings.BASE_DIR / "static" / "js" / "api.js").read_text()
    [pattern] = re.findall(r"const KEY = /(.+)/;", script)
    assert re.fullmatch(pattern, "mzt_1a2b3c4d_Ab-_9") and not re.match(pattern, "mzn_1a2b3c4d_Ab-_9")
    assert "localStorage" not in script and "sessionStorage" not in script and 'credentials: "omit"' in script
