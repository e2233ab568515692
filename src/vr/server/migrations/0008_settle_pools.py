"""A pool belongs to one swarm, in the database, too."""

from typing import Any

import django.db.models.functions.text
from django.db import migrations, models

_LONGEST = 50


def tell_pools_apart(apps: Any, schema_editor: Any) -> None:
    """Of swarms with one pool the one that was dispatched last keeps it: it has the nodes. The
    others get a pool named after it, as each of their dispatches would evict those nodes."""
    swarms = apps.get_model("server", "Swarm").objects
    dispatches = apps.get_model("server", "Dispatch").objects.filter(status="succeeded")
    taken: set[tuple[str, str]] = set()

    def newest_dispatch(swarm: Any) -> int:
        newest = dispatches.filter(swarm_id=swarm.pk).order_by("-id").first()
        return newest.pk if newest else 0

    for swarm in sorted(swarms.exclude(pool=""), key=lambda one: (-newest_dispatch(one), one.pk)):
        if (swarm.balancer, swarm.pool.lower()) in taken:
            mine = [swarm.balancer, swarm.pool]
            # What the other one keeps must not be cleaned as this one's former pool.
            swarm.routed_pools = [one for one in swarm.routed_pools if list(one) != mine]
            end = f"-{swarm.pk}"
            swarm.pool = swarm.pool[: _LONGEST - len(end)] + end
            swarm.save(update_fields=["pool", "routed_pools"])
        taken.add((swarm.balancer, swarm.pool.lower()))


class Migration(migrations.Migration):
    dependencies = [("server", "0007_builder_repositories")]

    operations = [
        migrations.RunPython(tell_pools_apart, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="swarm",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("pool"),
                models.F("balancer"),
                condition=models.Q(("pool", ""), _negated=True),
                name="one_swarm_per_pool",
                violation_error_message="Another swarm has this pool of the balancer.",
            ),
        ),
    ]
