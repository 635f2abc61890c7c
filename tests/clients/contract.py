"""Contract: what the drive's API takes and answers, held against its own description (docs/drive-openapi.json).

Owns: the comparison. Does not own: what is asked (test_drive_openapi.py).
Invariant: nothing passes that the description does not name: no status, media type or field.
"""

import re
from dataclasses import dataclass, field

import requests
from jsonschema import Draft202012Validator, FormatChecker

SECONDS_MAX = 60


@dataclass
class Contract:
    document: dict
    user: object
    # The operations that did what they are for.
    done: set = field(default_factory=set)

    def ask(self, method, path, *, token="of the user", into=None, **request):
        """Sends a request for the operation at `path`, as the document writes it; `into` fills the braces."""
        operation = self.document["paths"][path][method]
        if "json" in request:
            self.check(operation["requestBody"]["content"]["application/json"], request["json"], f"{method} {path}: the body")
        named = {(parameter["in"], parameter["name"]) for parameter in operation.get("parameters", [])}
        unnamed = {("query", name) for name in request.get("params", {})} - named
        assert not unnamed, f"{method} {path}: {unnamed} are not described"
        url = self.user.url + re.sub(r"\{(\w+)\}", lambda name: str((into or {})[name[1]]), path)
        headers = request.pop("headers", {})
        if token:
            headers = {"Authorization": f"Bearer {self.user.token if token == 'of the user' else token}"} | headers
        answer = requests.request(
            method, url, headers=headers, verify=str(self.user.ca_file), timeout=SECONDS_MAX, allow_redirects=False, **request
        )
        described = operation["responses"].get(str(answer.status_code))
        if described is None:
            described = operation["responses"]["default"]
        elif answer.status_code < 400 or answer.status_code == 499:
            self.done.add(operation["operationId"])
        self.check_answer(described, answer, f"{method} {path}: {answer.status_code}")
        return answer

    def check_answer(self, described, answer, what):
        if "$ref" in described:
            described = self.document["components"]["responses"][described["$ref"].rsplit("/", 1)[1]]
        content = described.get("content", {})
        media_type = answer.headers.get("Content-Type", "").split(";")[0]
        if media_type != "application/json":
            is_described = media_type in content or "*/*" in content or not media_type
            assert is_described, f"{what}: {media_type} is not described"
            return
        assert media_type in content, f"{what}: JSON is not described: {answer.text}"
        self.check(content[media_type], answer.json(), what)

    def check(self, described, value, what):
        schema = closed(described["schema"]) | {"components": closed_components(self.document)}
        errors = sorted(Draft202012Validator(schema, format_checker=FormatChecker()).iter_errors(value), key=str)
        assert not errors, f"{what}: {value} is not what is described: {errors[0].message}"

    def covers(self, group):
        """Every operation of the group was asked, and did what it is for."""
        operations = [operation for item in self.document["paths"].values() for operation in item.values()]
        missed = {operation["operationId"] for operation in operations if group in operation["tags"]} - self.done
        assert not missed, f"nothing shows that the description of {missed} is right"


def closed_components(document):
    return {"schemas": {name: parts_closed(schema) for name, schema in document["components"]["schemas"].items()}}


def closed(schema):
    """Where a value begins, nothing may stand in it that no part of its schema names."""
    return parts_closed(schema) | {"unevaluatedProperties": False}


def parts_closed(schema):
    schema = dict(schema)
    for key in ("allOf", "oneOf", "anyOf"):
        if key in schema:
            schema[key] = [parts_closed(part) for part in schema[key]]
    if "properties" in schema:
        schema["properties"] = {name: closed(value) for name, value in schema["properties"].items()}
    if "items" in schema:
        schema["items"] = closed(schema["items"])
    return schema
