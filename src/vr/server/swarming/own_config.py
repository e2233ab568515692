"""A swarm's own config as a release was made with it: kept with the dispatch, so that a rollback
brings back the intent, too, and the next swarm doesn't deploy the bad config again."""

from __future__ import annotations

import json

from django.core.exceptions import ValidationError

from vr.server.models import Dispatch, DispatchStatus, Ingredient, Release, Swarm
from vr.server.models.proc_settings import ProcSettings
from vr.server.swarming.releases import is_release_of


def snapshot(swarm: Swarm) -> str:
    """What the swarm has of its own, and the names of its ingredients, as JSON."""
    names = sorted(swarm.config_ingredients.values_list("name", flat=True))
    return json.dumps({"settings": swarm.settings(), "ingredients": names})


def bring_back(swarm: Swarm, release: Release) -> str:
    """Give `swarm` the config that `release` was made with, and store it; returns a sentence on
    what came of it. Asks for a transaction around it."""
    succeeded = swarm.dispatches.filter(release=release, status=DispatchStatus.SUCCEEDED)
    source = succeeded.exclude(own_config="").order_by("-id").first()
    kept = _read(source) if source else None
    if kept is None:
        return _unless_same(
            swarm,
            release,
            "What config it was made of is not known, so the swarm's stays as it is: look at it "
            "before you swarm again.",
        )
    settings, names = kept
    for name, value in settings.items():
        setattr(swarm, name, value)
    swarm.save(update_fields=list(settings))
    found = list(Ingredient.objects.filter(name__in=names))
    swarm.config_ingredients.set(found)
    if gone := sorted(set(names) - {one.name for one in found}):
        return (
            f"The swarm's config is again as it was then, but without {', '.join(gone)}: there is "
            "no such ingredient any more."
        )
    return _unless_same(
        swarm,
        release,
        "The swarm's own config is again as it was then; its ingredients have changed since, and "
        "the next swarm takes them as they are now.",
        "The swarm's config is again as it was then.",
    )


def _unless_same(swarm: Swarm, release: Release, otherwise: str, same: str = "") -> str:
    try:
        return same if is_release_of(swarm, release) else otherwise
    except ValidationError:
        return otherwise


def _read(dispatch: Dispatch) -> tuple[dict[str, object], list[str]] | None:
    """The settings and the names of ingredients; None for what no key of ours decrypts."""
    try:
        kept = json.loads(dispatch.own_config)
    except ValueError:
        return None
    known = {field.name for field in ProcSettings._meta.local_fields}
    settings = {name: value for name, value in kept["settings"].items() if name in known}
    return settings, list(kept["ingredients"])
