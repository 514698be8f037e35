"""The API is as it was written down; what is written is sound, has an example of everything, and breaks nobody."""

import copy
import importlib.util

import jsonschema_rs
import pytest
from django.core.management import CommandError
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.api import api
from compliance.platform.describing import changes, schemas
from compliance.platform.describing.changes import breaking, changed
from compliance.platform.describing.lint import faults_of
from compliance.platform.describing.types import types_of
from compliance.platform.management import describing

CASE, CUSTOMERS, LIST = "/api/v1/cases/{number}", "/api/v1/customers", "/api/v1/accounts"


@pytest.fixture(scope="module")
def document():
    return describing.describe(api)


def test_it_is_as_it_was_written_down(document):
    found = describing.differences(document)
    assert found == [], "\n".join(
        ["The API changed. Write it down, with the client's types:", describing.REFRESH, *found]
    )


def test_it_has_no_fault(document):
    assert faults_of(document) == []


def test_every_example_fits_its_schema(document):
    """A field whose made-up example does not fit names its own: Field(examples=[...])."""
    for name, operation in schemas.operations(document):
        for part in (operation.get("requestBody", {}), *operation["responses"].values()):
            media = part.get("content", {}).get(schemas.JSON)
            if media is not None:
                whole = {**media["schema"], "components": document["components"]}
                faults = [fault.message for fault in jsonschema_rs.validator_for(whole).iter_errors(media["example"])]
                assert faults == [], f"{name}: {media['example']}"


def test_the_types_of_the_client_are_python(document):
    spec = importlib.util.spec_from_file_location("types_of_the_api", describing.TYPES)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, node in document["components"]["schemas"].items():
        if "properties" in node:
            made = getattr(module, name)
            assert set(made.__annotations__) == set(node["properties"])
            assert made.__required_keys__ == set(node.get("required", ()))
    assert types_of(document) == describing.TYPES.read_text()


def no_operation(document):
    del document["paths"][CASE]["get"]


def no_field(document):
    del document["components"]["schemas"]["CaseOut"]["properties"]["state"]


def another_type(document):
    document["components"]["schemas"]["CaseOut"]["properties"]["opened_at"] = {"type": "integer"}


def null_now(document):
    field = document["components"]["schemas"]["CaseOut"]["properties"]
    field["account"] = {"anyOf": [{"type": "string"}, {"type": "null"}]}


def left_out_now(document):
    document["components"]["schemas"]["CaseOut"]["required"].remove("kind")


def required_now(document):
    document["components"]["schemas"]["CustomerIn"]["required"].append("address")


def new_and_required(document):
    schema = document["components"]["schemas"]["CustomerIn"]
    schema["properties"]["title"] = {"type": "string"}
    schema["required"].append("title")


def shorter(document):
    document["components"]["schemas"]["CustomerIn"]["properties"]["full_name"]["maxLength"] = 20


def fewer_choices(document):
    for one in document["paths"]["/api/v1/cases"]["get"]["parameters"]:
        if one["name"] == "state":
            one["schema"]["anyOf"][0]["enum"] = ["received"]


def no_parameter(document):
    operation = document["paths"][LIST]["get"]
    operation["parameters"] = [one for one in operation["parameters"] if one["name"] != "brand"]


def another_scope(document):
    document["paths"][LIST]["get"]["security"] = [{"Key": ["staff:write"]}]


def another_status(document):
    answers = document["paths"][CUSTOMERS]["post"]["responses"]
    answers["200"] = answers.pop("201")


BREAKS = [
    (no_operation, "is gone"),
    (no_field, "lost /state"),
    (another_type, "/opened_at of the answer was string (date-time) and is integer"),
    (null_now, "/account of the answer may be null now"),
    (left_out_now, "/kind of the answer may be left out now"),
    (required_now, "body /address of the request is required now"),
    (new_and_required, "body /title of the request is required now"),
    (shorter, "body /full_name of the request: maxLength is narrower"),
    (fewer_choices, "takes finished, in_review, need_something no more"),
    (no_parameter, "takes query brand no more"),
    (another_scope, "needs another scope"),
    (another_status, "answers 201 no more"),
]


def test_what_breaks_a_platform_is_found_by_name(document):
    for change, words in BREAKS:
        after = copy.deepcopy(document)
        change(after)
        assert words in "\n".join(breaking(document, after)), change.__name__
        assert changed(document, after), change.__name__
    assert breaking(document, document) == changed(document, document) == []


def test_what_is_added_breaks_nobody(document):
    after = copy.deepcopy(document)
    after["paths"]["/api/v1/more"] = {"get": after["paths"]["/api/v1/ping"]["get"]}
    parts = after["components"]["schemas"]
    parts["CaseOut"]["properties"]["more"] = {"type": "string"}
    parts["CaseOut"]["required"].append("more")
    parts["CustomerIn"]["properties"]["title"] = {"type": "string"}
    parts["CustomerIn"]["properties"]["full_name"]["maxLength"] = 300
    after["paths"][LIST]["get"]["parameters"].append({"name": "x", "in": "query", "schema": {"type": "string"}})
    assert breaking(document, after) == []
    assert len(changed(document, after)) > 4


PLACES = st.recursive(
    st.sampled_from(["string", "integer", "boolean"]),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, min_size=1, max_size=3),
    max_leaves=6,
)


def a_document(shape, required):
    def schema(part):
        if isinstance(part, str):
            return {"type": part}
        names = list(part) if required else []
        return {"type": "object", "required": names, "properties": {name: schema(one) for name, one in part.items()}}

    answer = {"content": {schemas.JSON: {"schema": schema(shape)}}}
    return {"paths": {"/x": {"get": {"responses": {"200": answer}}}}}


@settings(max_examples=100, deadline=None)
@given(PLACES, PLACES, st.booleans())
def test_an_answer_breaks_exactly_where_a_place_went_or_changed_its_type(one, other, required):
    before, after = a_document(one, required), a_document(other, required)
    was, now = (changes.parts(d, d["paths"]["/x"]["get"]["responses"]["200"]["content"][schemas.JSON]["schema"])
                for d in (before, after))  # fmt: skip
    gone = [place for place in was if place not in now or was[place].kind != now[place].kind]
    assert len(breaking(before, after)) == len(gone)


def test_faults_are_found_by_operation(document):
    after = copy.deepcopy(document)
    operation = after["paths"][CASE]["get"]
    operation["summary"], operation["tags"], operation["parameters"] = "Read.", [], []
    operation["operationId"] = "list_cases"
    del operation["responses"]["200"]["content"][schemas.JSON]["example"]
    found = "\n".join(faults_of(after))
    for words in ("summary", "one tag", "parameter number", "stands twice", "no example"):
        assert words in found
    after["components"]["schemas"].pop("Item")
    assert faults_of(after) == ["#/components/schemas/Item: leads nowhere"]


def test_writing_it_down_refuses_what_breaks(document, tmp_path, monkeypatch):
    monkeypatch.setattr(describing, "SNAPSHOT", tmp_path / "openapi.json")
    monkeypatch.setattr(describing, "TYPES", tmp_path / "types.py")
    assert describing.differences(document) == ["nothing was written down yet"]
    describing.write(document, break_it=False)
    assert describing.differences(document) == []
    after = copy.deepcopy(document)
    no_field(after)
    with pytest.raises(CommandError, match="breaks platforms"):
        describing.write(after, break_it=False)
    assert describing.differences(after)[0].startswith("BREAKING")
    with pytest.raises(CommandError, match="give it a version"):  # --break alone is no version
        describing.write(after, break_it=True)
    after["info"]["x-versions"] = [*document["info"]["x-versions"], "2099-01-01"]
    with pytest.raises(CommandError, match="breaks platforms"):
        describing.write(after, break_it=False)
    describing.write(after, break_it=True)
    assert describing.differences(after) == []
