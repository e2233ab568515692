"""Who asks: a bearer token, HTTP Basic, or the browser's session (docs/reference/http-api.md).

Credentials in a header decide alone: a session cookie beside them counts for nothing, so a
program that keeps cookies needs no CSRF token, and a wrong password is never saved by a cookie.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare, salted_hmac
from ninja.utils import check_csrf

from vr.server.answers import NotAllowed
from vr.server.models import ApiToken


def user_of(request: HttpRequest) -> Any:
    """The active user that a request comes from, None if unknown.

    Raises NotAllowed for a changing request of a session without its CSRF token.
    """
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    match scheme.lower():
        case "":
            return _session_user(request)
        case "bearer":
            return _token_user(credentials.strip())
        case "basic":
            return _basic_user(request, credentials.strip())
    return None


def _session_user(request: HttpRequest) -> Any:
    if not request.user.is_authenticated:
        return None
    if check_csrf(request):
        raise NotAllowed(
            "The CSRF token is missing or wrong.",
            hint=f"Send the value of the cookie {settings.CSRF_COOKIE_NAME} in X-CSRFToken, or use "
            "an API token.",
        )
    return request.user


def _token_user(token: str) -> Any:
    found = (
        ApiToken.objects.filter(digest=ApiToken.digest_of(token), user__is_active=True)
        .select_related("user")
        .first()
    )
    return found.user if found else None


def _basic_user(request: HttpRequest, credentials: str) -> Any:
    try:
        name, colon, password = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    if not colon or "\0" in name:
        return None
    user = User.objects.filter(username=name, is_active=True).first()
    if user and constant_time_compare(_checked.get(user.pk, ""), _fingerprint(user, password)):
        return user
    checked = authenticate(request, username=name, password=password)
    if isinstance(checked, User):
        _checked[checked.pk] = _fingerprint(checked, password)
    return checked


# The published client sends its password with every request, and hashing one takes most of a
# second by design. So the last password that was right is remembered by a keyed digest over it
# and the stored hash: a changed password or a restart forgets it.
_checked: dict[int, str] = {}


def _fingerprint(user: User, password: str) -> str:
    return salted_hmac("vr.basic", f"{user.password}\0{password}", algorithm="sha256").hexdigest()
