"""The forms that are more than a model's fields. Rules live in the models' validators."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from django import forms
from django.conf import settings

from vr.server.models import App, Build, Swarm
from vr.server.models.names import validate_tag
from vr.server.web.config_preview import compiled
from vr.server.web.wording import listed
from vr.text.plurals import with_article

_CODE = {"spellcheck": "false", "autocapitalize": "off", "autocomplete": "off", "class": "code"}
_NAME = {"spellcheck": "false", "autocapitalize": "off", "autocomplete": "off"}


class SwarmForm(forms.ModelForm):
    """Every field of a swarm, in the groups of the walkthrough.

    A pool that other swarms use on the same balancer is taken only once that was confirmed.
    """

    GROUPS = (
        ("General", ("app", "tag", "proc_name", "config_name", "squad", "size")),
        (
            "Config",
            (
                "config_yaml",
                "env_yaml",
                "config_ingredients",
                "volumes_yaml",
                "run_as",
                "mem_limit",
                "memsw_limit",
            ),
        ),
        ("Routing", ("pool", "balancer")),
    )

    balancer = forms.ChoiceField(
        required=False, help_text="Which balancer routes to the pool. Needed if there is a pool."
    )
    confirm_pool = forms.BooleanField(required=False, label="Share this pool")

    class Meta:
        model = Swarm
        fields = [
            "app",
            "tag",
            "proc_name",
            "config_name",
            "squad",
            "size",
            "config_yaml",
            "env_yaml",
            "config_ingredients",
            "volumes_yaml",
            "run_as",
            "mem_limit",
            "memsw_limit",
            "pool",
            "balancer",
        ]
        labels = {
            "config_yaml": "Config YAML",
            "env_yaml": "Env YAML",
            "volumes_yaml": "Volumes",
            "mem_limit": "Memory limit",
            "memsw_limit": "Memory + swap",
            "config_ingredients": "Ingredients",
        }
        help_texts = {
            "tag": "Tag, branch or commit to build, without dashes or slashes.",
            "proc_name": "Name of the process in the app's Procfile, such as web.",
            "config_name": "Tells deployments of one app apart, such as prod or europe.",
            "squad": "The group of hosts to run on.",
            "size": "How many procs. 0 takes the swarm down.",
            "volumes_yaml": "Folders of the host to mount: pairs of host folder, mount point.",
            "run_as": "The user account of the app inside its container.",
            "mem_limit": "Such as 256M or 1G. Empty: no limit.",
            "memsw_limit": "Memory and swap together. Empty: no limit.",
            "pool": "What the balancer calls this group of procs. Empty: not routed.",
            "config_ingredients": "Shared config, merged in order of name below the swarm's own.",
        }
        widgets = {
            "tag": forms.TextInput(attrs=_NAME | {"placeholder": "v1"}),
            "proc_name": forms.TextInput(attrs=_NAME | {"placeholder": "web", "list": "procs"}),
            "config_name": forms.TextInput(attrs=_NAME | {"placeholder": "prod"}),
            "config_yaml": forms.Textarea(
                attrs=_CODE | {"rows": 6, "placeholder": "greeting: hello"}
            ),
            "env_yaml": forms.Textarea(attrs=_CODE | {"rows": 6, "placeholder": "LOG_LEVEL: info"}),
            "volumes_yaml": forms.Textarea(
                attrs=_CODE | {"rows": 2, "placeholder": "- [/var/data, /data]"}
            ),
            "config_ingredients": forms.CheckboxSelectMultiple,
            "run_as": forms.TextInput(attrs=_NAME),
            "mem_limit": forms.TextInput(attrs=_NAME | {"placeholder": "512M"}),
            "memsw_limit": forms.TextInput(attrs=_NAME | {"placeholder": "1G"}),
            "pool": forms.TextInput(attrs=_NAME | {"placeholder": "shop"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = dict.fromkeys(settings.BALANCERS)
        current = self.instance.balancer
        if current and current not in names:
            names[current] = None
        balancer = cast(forms.ChoiceField, self.fields["balancer"])
        balancer.choices = [("", "No balancer"), *((name, name) for name in names)]
        if not self.instance.pk:
            balancer.initial = settings.DEFAULT_BALANCER
        _ask_to_choose(self, "app", "squad")
        self.asks_to_share = False

    def groups(self) -> Iterator[tuple[str, list[forms.BoundField]]]:
        """The form's groups with their bound fields, for the template."""
        for title, names in self.GROUPS:
            yield title, [self[name] for name in names]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        pool, balancer = cleaned.get("pool"), cleaned.get("balancer")
        if pool and balancer:
            sharing = Swarm.objects.filter(pool=pool, balancer=balancer).select_related("app")
            others = [swarm.name for swarm in sharing.exclude(pk=self.instance.pk)]
            self.asks_to_share = bool(others)
            if others and not cleaned.get("confirm_pool"):
                self.add_error(
                    "confirm_pool",
                    f"The pool {pool!r} on the balancer {balancer!r} is used by "
                    f"{listed(others)} already; requests would go to both. "
                    "Tick this to share it, or choose another pool.",
                )
        return cleaned

    def previews(self) -> dict[str, str]:
        """The compiled config and environment of what the form holds now, valid or not."""
        chosen = self._chosen_ingredients()
        return {
            "config": compiled(self["config_yaml"].value() or "", [i.config_yaml for i in chosen]),
            "env": compiled(self["env_yaml"].value() or "", [i.env_yaml for i in chosen]),
        }

    def _chosen_ingredients(self) -> list[Any]:
        field = cast(forms.ModelMultipleChoiceField, self.fields["config_ingredients"])
        known = field.queryset.order_by("name") if field.queryset is not None else []
        wanted = {str(getattr(v, "pk", v)) for v in self["config_ingredients"].value() or []}
        return [ingredient for ingredient in known if str(ingredient.pk) in wanted]


class BuildForm(forms.ModelForm):
    """A tag of an app to build."""

    class Meta:
        model = Build
        fields = ["app", "tag"]
        help_texts = {"tag": "Tag, branch or commit, without dashes or slashes."}
        widgets = {"tag": forms.TextInput(attrs=_NAME | {"placeholder": "v1"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _ask_to_choose(self, "app")


class UploadForm(forms.Form):
    """A droplet to be taken as a build."""

    app = forms.ModelChoiceField(App.objects.all())
    tag = forms.CharField(
        required=False,
        max_length=50,
        validators=[validate_tag],
        help_text="The version it becomes. Empty: from its checksum.",
        widget=forms.TextInput(attrs=_NAME | {"placeholder": "v1"}),
    )
    runtime = forms.CharField(
        required=False,
        max_length=64,
        help_text="Empty: what the droplet says.",
        widget=forms.TextInput(attrs=_NAME | {"placeholder": "ruby"}),
    )
    droplet = forms.FileField(help_text="A tar.gz as vstager writes it.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Beside another form with an app and a tag.
        self.auto_id = "id_upload_%s"
        _ask_to_choose(self, "app")


class VersionForm(forms.Form):
    """The version to bring a swarm to."""

    tag = forms.CharField(
        max_length=50, validators=[validate_tag], widget=forms.TextInput(attrs=_NAME)
    )


class SizeForm(forms.Form):
    """The number of procs to bring a swarm to."""

    size = forms.IntegerField(min_value=0, max_value=1000)


def _ask_to_choose(form: forms.BaseForm, *names: str) -> None:
    for name in names:
        choice = cast(forms.ModelChoiceField, form.fields[name])
        choice.empty_label = f"Choose {with_article(name)}"
