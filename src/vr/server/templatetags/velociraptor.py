"""The wording of the pages as template tags and filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from vr.server.events.kinds import Kind
from vr.server.web import chips, wording
from vr.text import durations, plurals, terminal

register = template.Library()


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """An icon out of the sprite; without a label it is decoration, hidden from screen readers."""
    sprite = f"{static('vr/icons.svg')}#{name}"
    if label:
        return format_html(
            '<svg class="icon" role="img" aria-label="{}"><use href="{}"/></svg>', label, sprite
        )
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}"/></svg>', sprite)


@register.simple_tag
def ago(then: datetime | None) -> SafeString:
    """The age of a moment, which the page lets grow, with the moment itself as its title."""
    now = timezone.now()
    text = durations.ago(then, now)
    if then is None:
        return format_html("<span>{}</span>", text)
    return format_html(
        '<time data-age="{}" datetime="{}" title="{}">{}</time>',
        _seconds(now - then),
        then.isoformat(),
        then.strftime("%Y-%m-%d %H:%M:%S UTC"),
        text,
    )


@register.simple_tag
def running(since: datetime) -> SafeString:
    """How long something has run by now, which the page lets grow."""
    seconds = _seconds(timezone.now() - since)
    return format_html('<time data-running="{}">{}</time>', seconds, durations.duration(seconds))


def _seconds(age: timedelta) -> float:
    return round(max(0.0, age.total_seconds()), 1)


@register.filter
def duration(seconds: float | None) -> str:
    return durations.duration(seconds)


@register.filter
def counted(count: int, noun: str) -> str:
    return plurals.counted(count, noun)


@register.filter
def took(thing: Any) -> str:
    """How long a dispatch took, from its start to its end; empty while it is open."""
    start = getattr(thing, "started", None) or getattr(thing, "start_time", None)
    end = getattr(thing, "ended", None) or getattr(thing, "end_time", None)
    return durations.duration((end - start).total_seconds()) if start and end else ""


@register.filter
def event_icon(tags: Sequence[str]) -> str:
    """An event's icon by its tags; a dot for a kind that this version doesn't know."""
    kind = Kind.of(tags)
    return kind.icon if kind else "dot"


@register.filter
def event_tone(tags: Sequence[str]) -> str:
    """An event's colour by its tags; idle for a kind that this version doesn't know."""
    kind = Kind.of(tags)
    return kind.tone if kind else "idle"


@register.filter
def page_of(resource_uri: str) -> str:
    return wording.page_of(resource_uri)


@register.filter
def tone(statename: str) -> str:
    return chips.tone_of(statename)


@register.filter
def without_ansi(text: str) -> str:
    return terminal.plain(text)


@register.filter
def without_credentials(url: str) -> str:
    return wording.without_credentials(url)


@register.filter
def masked(mapping: Mapping[str, Any]) -> str:
    return wording.masked(mapping)
