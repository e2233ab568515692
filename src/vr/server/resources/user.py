"""Users, as far as others may know of them."""

from __future__ import annotations

from django.contrib.auth.models import User

from vr.server.resources.fields import Computed, Moment, Text
from vr.server.resources.resource import Resource
from vr.server.resources.shapes import NULL

USERS = Resource(
    name="user",
    noun="user",
    about="Users, as far as others may know of them.",
    model=User,
    label="username",
    fields=(
        Text(name="username"),
        Text(name="first_name"),
        Text(name="last_name"),
        Moment(name="date_joined"),
        Moment(name="last_login"),
        Computed(name="profile", value=lambda user, _: None, schema=NULL),
    ),
    filters={"username": "username"},
    read_only=True,
)
