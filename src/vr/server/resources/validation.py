"""Django's findings on a model, as sentences that begin with the API's names of fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Model


def sentences(error: ValidationError, target: Model, shown: Mapping[str, str]) -> Iterable[str]:
    """Every problem that the validation of `target` found, each beginning with its field's name.

    `shown` maps the model's field names to those of the API.
    """
    for attribute, found in error.error_dict.items():
        key = shown.get(attribute, attribute)
        prefix = "" if attribute == NON_FIELD_ERRORS else f"{key}: "
        for problem in found:
            if problem.code in {"blank", "null"}:
                yield f"{prefix}{_absence(target, attribute)}"
            else:
                yield from (f"{prefix}{_reworded(problem, text)}" for text in problem.messages)


def _absence(target: Model, attribute: str) -> str:
    """What is said of a missing value: the field's own sentence on it, if it has one."""
    for validator in getattr(target._meta.get_field(attribute), "validators", ()):
        try:
            validator("")
        except ValidationError as error:
            return error.messages[0]
        except TypeError:
            # A validator of numbers.
            continue
    return "is missing or empty"


def _reworded(problem: ValidationError, text: str) -> str:
    """Django's sentences for forms, without 'this field' and 'ensure this value'."""
    match problem.code:
        case "min_value":
            return f"must be {(problem.params or {}).get('limit_value')} or more"
        case "max_value":
            return f"must be {(problem.params or {}).get('limit_value')} or less"
        case "unique":
            return "is taken by another one already"
    return text
