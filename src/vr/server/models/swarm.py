"""Swarms: procs of one release, balanced over a squad."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Lower

from vr.server.balancers import our_name_of
from vr.server.models.app import App
from vr.server.models.ingredient import Ingredient
from vr.server.models.names import validate_part, validate_tag
from vr.server.models.proc_settings import ProcSettings
from vr.server.models.release import Release
from vr.server.models.squad import Squad
from vr.server.models.yaml_text import parse_env, parse_mapping
from vr.specs import passing
from vr.specs.names import length_problem
from vr.specs.passing import Passing
from vr.specs.statuses import parse_statuses

POOL = RegexValidator(
    r"^[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?\Z",
    "must be letters, digits, '_' and '-', as it becomes a balancer's pool and a host name",
)

# Pools whose names begin so show versions that are held.
PREVIEW_PREFIX = "held-"

CHECK_PATH = RegexValidator(
    r"^/[!-~]*\Z", "must begin with / and be printable ASCII without blanks, as in /health?deep=1"
)


def validate_statuses(value: str) -> None:
    """Raise ValidationError unless the value lists HTTP statuses."""
    _validated(parse_statuses, value)


def validate_size(value: str) -> None:
    """Raise ValidationError unless the value is a size such as 10M."""
    _validated(passing.check_size, value)


def validate_header_size(value: str) -> None:
    """Raise ValidationError unless headers may be so large."""
    _validated(passing.check_header_size, value)


def _validated(check: Callable[[str], Any], value: str) -> None:
    try:
        check(value)
    except ValueError as error:
        raise ValidationError(str(error)) from None


def largest_size() -> int:
    """The most procs that a swarm may have."""
    largest: int = settings.LARGEST_SWARM
    return largest


class Swarm(ProcSettings):
    """The intent: this proc of this app, at this tag, with this config, so many, there, routed."""

    app = models.ForeignKey(App, on_delete=models.PROTECT, related_name="swarms")
    tag = models.CharField(
        max_length=50,
        validators=[validate_tag],
        help_text="Tag, branch or commit to build, without dashes or slashes.",
    )
    proc_name = models.CharField(
        max_length=50,
        validators=[validate_part],
        help_text="Name of the process in the app's Procfile, such as web.",
    )
    config_name = models.CharField(
        max_length=50,
        validators=[validate_part],
        help_text="Tells deployments of one app apart, such as prod or europe.",
    )
    squad = models.ForeignKey(
        Squad,
        on_delete=models.PROTECT,
        related_name="swarms",
        help_text="The group of hosts to run on.",
    )
    size = models.PositiveIntegerField(
        default=1,
        validators=[MaxValueValidator(largest_size)],
        help_text="How many procs. 0 takes the swarm down.",
    )
    config_ingredients = models.ManyToManyField(
        Ingredient,
        blank=True,
        related_name="swarms",
        verbose_name="Ingredients",
        help_text="Shared config, merged in order of name below the swarm's own.",
    )
    pool = models.CharField(
        max_length=50,
        blank=True,
        default="",
        validators=[POOL],
        help_text="What the balancer calls this group of procs. Empty: not routed.",
    )
    balancer = models.CharField(
        max_length=50,
        blank=True,
        default="",
        help_text="Which balancer routes to the pool. Needed if there is a pool.",
    )
    settle_seconds = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MaxValueValidator(86400)],
        help_text="How long new procs must stay up, routed, before the old ones go; until then "
        "their failure brings the old ones back. 0: not at all. Empty: VR_SETTLE_SECONDS.",
    )
    check_path = models.CharField(
        max_length=200,
        blank=True,
        default="/",
        validators=[CHECK_PATH],
        help_text="The path that a proc named web must answer before it is routed, if its app "
        "has no uptests. Empty: no check.",
    )
    check_statuses = models.CharField(
        max_length=100,
        blank=True,
        default="",
        validators=[validate_statuses],
        help_text="Which HTTP statuses are good there, such as 200-399,401. Empty: all below 500.",
    )
    unroute_after = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
        help_text="After how many failed uptests in a row, between dispatches, a proc leaves its "
        "pool until it passes; the last node that serves stays. Empty: never.",
    )
    read_timeout = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(passing.LONGEST)],
        help_text="For how many seconds an app may be silent within an answer or a WebSocket. "
        "Empty: as the balancer has it.",
    )
    body_size = models.CharField(
        max_length=20,
        blank=True,
        default="",
        validators=[validate_size],
        help_text="The largest request body, such as 10M. Empty: as the balancer has it.",
    )
    header_size = models.CharField(
        max_length=20,
        blank=True,
        default="",
        validators=[validate_header_size],
        help_text="How large the headers of an answer may be, such as 128k. Empty: as the "
        "balancer has it.",
    )
    # Every [balancer, pool] that may hold nodes of this swarm, written before the balancer is:
    # after pool or balancer were changed, the next dispatch cleans the former ones.
    routed_pools = models.JSONField(default=list, editable=False)
    # What the last successful dispatch left running; rollback goes to the one before.
    release = models.ForeignKey(
        Release, null=True, blank=True, on_delete=models.SET_NULL, related_name="swarms"
    )

    class Meta:
        ordering = ["app__name", "config_name", "proc_name"]
        constraints = [
            models.UniqueConstraint(
                fields=["app", "config_name", "squad", "proc_name"],
                name="one_swarm_per_app_config_squad_proc",
                violation_error_message=(
                    "There is a swarm of this app, config name, squad and proc name already."
                ),
            ),
            models.UniqueConstraint(
                Lower("pool"),
                "balancer",
                condition=~models.Q(pool=""),
                name="one_swarm_per_pool",
                violation_error_message="Another swarm has this pool of the balancer.",
            ),
        ]

    def __str__(self) -> str:
        return self.shortname

    @property
    def name(self) -> str:
        """`app-config-proc`: what `vr swarm` matches."""
        return f"{self.app.name}-{self.config_name}-{self.proc_name}"

    @property
    def shortname(self) -> str:
        return f"{self.app.name}-{self.tag}-{self.config_name}-{self.proc_name}"

    @property
    def passing(self) -> Passing:
        """How the balancer is to pass requests on."""
        return Passing(self.read_timeout, self.body_size, self.header_size)

    def compiled_config(self) -> dict[str, Any]:
        """Ingredients in order of name, then the swarm's own; later wins, shallow."""
        return self._compiled("config_yaml", parse_mapping)

    def compiled_env(self) -> dict[str, Any]:
        return self._compiled("env_yaml", parse_env)

    def pool_owner(self) -> Swarm | None:
        """Another swarm that has this one's pool, or is still routed there, if any.

        Pools whose names differ in case only are the same: they are host names, too."""
        own = (self.balancer, self.pool.lower())
        for other in Swarm.objects.exclude(pk=self.pk).select_related("app"):
            theirs = [(other.balancer, other.pool), *other.routed_pools]
            if own in {(balancer, pool.lower()) for balancer, pool in theirs}:
                return other
        return None

    def why_not_its_pool(self) -> str:
        """A sentence on who has this swarm's pool; empty if it may have it."""
        if self.pool.lower().startswith(PREVIEW_PREFIX):
            return (
                f"The pool {self.pool!r} begins with {PREVIEW_PREFIX!r}, as those do that show "
                "held versions. Choose another name."
            )
        other = self.pool_owner() if self.pool else None
        if other is None:
            return ""
        if other.balancer == self.balancer and other.pool.lower() == self.pool.lower():
            return (
                f"The pool {other.pool!r} of {self.balancer} is {other.name}'s; two swarms would "
                "take each other's nodes out of it. Choose another name."
            )
        return (
            f"The pool {self.pool!r} of {self.balancer} still has the nodes of {other.name}, until "
            f"that is dispatched to its new pool: vr swarm {other.name} -"
        )

    def why_not_its_name(self) -> str:
        """A sentence if the pool's host name is the one of Velociraptor's pages; else empty."""
        ours = our_name_of(self.balancer, self.pool) if self.pool else ""
        if not ours:
            return ""
        return (
            f"The pool {self.pool!r} would answer at {ours}, which is Velociraptor's own host "
            "name: browsers would send the app its users' sessions. Choose another name."
        )

    def _compiled(self, field: str, parse: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        # Sorted here, so that ingredients which a list has fetched for all are not asked for again.
        for ingredient in sorted(self.config_ingredients.all(), key=lambda one: one.name):
            merged.update(parse(getattr(ingredient, field)))
        merged.update(parse(getattr(self, field)))
        return merged

    def problems(self) -> dict[str, list[str]]:
        found = super().problems()
        if self.pool and not self.balancer:
            found["balancer"] = [f"The pool {self.pool!r} needs a balancer that routes to it."]
        if sentence := self.why_not_its_pool() or self.why_not_its_name():
            found["pool"] = [sentence]
        app_name = self.app.name if self.app_id else ""
        if problem := length_problem(app_name, self.tag, self.config_name, self.proc_name):
            found["config_name"] = [problem]
        return found
