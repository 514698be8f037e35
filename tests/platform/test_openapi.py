"""The description of the API tells the truth: every operation, its scope, its errors."""

import pytest
from ninja import NinjaAPI, Router

from compliance.api import api as product_api
from compliance.platform.auth import Key
from compliance.platform.openapi import MizanAPI, operations
from compliance.platform.scopes import Scope


@pytest.fixture
def document(api, key):
    answer = api.get("/api/v1/openapi.json", headers=key.headers)
    assert answer.status_code == 200
    return answer.json()


def described(document):
    return {
        (method.upper(), path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_it_is_shown_to_staff_and_keys_only(api, alice, key):
    assert api.get("/api/v1/openapi.json").status_code == 401
    assert api.get("/api/v1/openapi.json", headers=key.headers).json()["openapi"].startswith("3.1")
    api.force_login(alice, backend="compliance.people.access.backend.StaffBackend")
    assert api.get("/api/v1/openapi.json").status_code == 200


def test_every_operation_is_described_with_its_scope_and_the_form_of_errors(document):
    found = described(document)
    assert len(found) == len(operations(product_api)) > 5
    scopes = {scope.value for scope in Scope}
    for (method, path), operation in found.items():
        assert operation["security"][0]["Key"][0] in scopes, f"{method} {path}"
        problem = {"$ref": "#/components/responses/Problem"}
        assert {operation["responses"][status] == problem for status in ("401", "403", "429", "500")} == {True}
        assert "default" not in operation["responses"], f"{method} {path}"
        assert operation["summary"], f"{method} {path}"


def test_every_operation_takes_one_key_and_one_body(document):
    for operation, scope in operations(product_api):
        assert [isinstance(check, Key) for check in operation.auth_callbacks] == [True], operation.operation_id
        assert scope == operation.auth_callbacks[0].scope
        bodies = [model for model in operation.models if model.__ninja_param_source__ == "body"]
        assert sum(len(model.model_fields) for model in bodies) <= 1, operation.operation_id


def test_every_operation_refuses_strangers(api, document):
    for (method, path), _operation in described(document).items():
        answer = api.generic(method, path.replace("{number}", "KYC-26-000001-0"))
        assert answer.status_code == 401, f"{method} {path}"


def test_every_scope_is_used(document):
    used = {operation["security"][0]["Key"][0] for operation in described(document).values()}
    assert {scope.value for scope in Scope} - used == set()


@pytest.mark.parametrize("auth", [None, lambda request: True, [Key(Scope.PING), Key(Scope.CASES_READ)]])
def test_an_operation_without_exactly_one_scope_stops_the_start(auth, monkeypatch):
    router = Router()
    router.get("/open", auth=auth)(lambda request: {})
    monkeypatch.setattr("tests.platform.operations.router", router)
    with pytest.raises(TypeError, match="scope"):
        MizanAPI(title="x", version="bad", routers=("tests.platform.operations.router",))


def test_the_product_has_one_api():
    assert isinstance(product_api, NinjaAPI)
    assert product_api.docs_url is None
