"""The words in which operations describe themselves: what they take, and all that they answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPMethod
from typing import Any

from vr.server.resources.resource import Resource
from vr.server.resources.shapes import PATH, TEXT, Schema

Part = dict[str, Any]

REFUSALS = {
    400: ("Refused", "Something is wrong with what was sent; `problems` has all of it."),
    401: ("Unknown", "Credentials are missing or wrong."),
    403: ("Forbidden", "The CSRF token is missing or wrong; only sessions need one."),
    404: ("Missing", "There is no such object."),
    409: ("Conflict", "It is busy or in use, or somebody else changed it; nothing was changed."),
    413: ("TooLarge", "The body is too large."),
    500: ("Failed", "A host refused the action, or this is a bug; nothing more is known."),
    503: ("Away", "Redis or a host doesn't answer, so the state of procs is unknown."),
}
"""What any operation may answer: the name of the answer among the components, and its meaning."""

LOCATION = {"Location": {"description": "its path", "schema": PATH, "required": True}}


@dataclass(frozen=True)
class Answer:
    """What an operation answers when it did what was asked; without `schema` the body is empty."""

    meaning: str
    schema: Schema | None = None
    headers: Mapping[str, Part] = field(default_factory=dict)
    content_type: str = "application/json"

    def described(self) -> Part:
        """As a response object of OpenAPI."""
        found: Part = {"description": self.meaning}
        if self.headers:
            found["headers"] = dict(self.headers)
        if self.schema is not None:
            found["content"] = {self.content_type: {"schema": self.schema}}
        return found


def operation(
    method: HTTPMethod,
    answers: Mapping[int, Answer],
    *,
    path: Iterable[Part] = (),
    query: Iterable[Part] = (),
    body: Schema | None = None,
    is_body_needed: bool = True,
    content_type: str = "application/json",
    refusals: Iterable[int] = (),
) -> Part:
    """What ninja is given as `openapi_extra`: all but the operation's name and sentences.

    `refusals` are statuses beyond those that follow from the method and the parameters.
    """
    path = list(path)
    statuses = {400, 401, 500, *refusals}
    if path:
        statuses.add(404)
    if method is not HTTPMethod.GET:
        statuses |= {403, 409}
    found: Part = {"parameters": [*path, *query]}
    if body is not None:
        statuses.add(413)
        content = {content_type: {"schema": body}}
        found["requestBody"] = {"content": content, "required": is_body_needed}
    responses = {status: answer.described() for status, answer in answers.items()}
    for status in statuses - responses.keys():
        responses[status] = {"$ref": f"#/components/responses/{REFUSALS[status][0]}"}
    found["responses"] = {str(status): responses[status] for status in sorted(responses)}
    return found


def key_of(resource: Resource) -> Part:
    """The parameter `key` of a detail address."""
    if resource.finds_by_name:
        schema: Schema = {**TEXT, "minLength": 1, "pattern": "^[^/]+$"}
        told = f"the {resource.noun}'s {resource.label or resource.key}, or its id"
    else:
        schema, told = {"type": "integer", "minimum": 1}, f"the {resource.noun}'s id"
    return _in_path("key", schema, told)


def proc_parameter() -> Part:
    """The parameter `proc`: a proc of the host before it in the address."""
    return _in_path("proc", {**TEXT, "pattern": "^[^/]+$"}, "the proc's whole name")


def _in_path(name: str, schema: Schema, told: str) -> Part:
    return {"name": name, "in": "path", "required": True, "schema": schema, "description": told}
