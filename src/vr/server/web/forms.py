"""The forms that are more than a model's fields. Rules live in the models' validators."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from django import forms
from django.conf import settings

from vr.server.models import App, Build, Swarm
from vr.server.models.names import validate_tag
from vr.server.models.proc_settings import ProcSettings
from vr.server.swarming.manner import Manner
from vr.server.web.config_preview import compiled
from vr.server.web.widgets import NAME, formfield
from vr.specs.limits import LIMITS
from vr.text.plurals import with_article

_RUNS_WITH = [one.name for one in ProcSettings._meta.local_fields if one.name not in LIMITS]
_CHECKS = ("settle_seconds", "check_path", "check_statuses", "unroute_after")
_PASSING = ("read_timeout", "body_size", "header_size")


class SwarmForm(forms.ModelForm):
    """Every field of a swarm, in the groups of the walkthrough."""

    GROUPS = (
        ("General", ("app", "tag", "proc_name", "config_name", "squad", "size")),
        ("Config", (*_RUNS_WITH, "config_ingredients")),
        ("Limits", tuple(LIMITS)),
        ("Routing", ("pool", "balancer", *_CHECKS, *_PASSING)),
    )

    balancer = forms.ChoiceField(
        required=False, help_text=Swarm._meta.get_field("balancer").help_text
    )

    class Meta:
        model = Swarm
        # All that can be edited; GROUPS say in which order.
        exclude = ["release"]
        formfield_callback = formfield
        widgets = {
            "tag": forms.TextInput(attrs=NAME | {"placeholder": "v1"}),
            "proc_name": forms.TextInput(attrs=NAME | {"placeholder": "web", "list": "procs"}),
            "config_name": forms.TextInput(attrs=NAME | {"placeholder": "prod"}),
            "pool": forms.TextInput(attrs=NAME | {"placeholder": "shop"}),
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

    def groups(self) -> Iterator[tuple[str, list[forms.BoundField]]]:
        """The form's groups with their bound fields, for the template."""
        for title, names in self.GROUPS:
            yield title, [self[name] for name in names]

    def previews(self) -> dict[str, str]:
        """The compiled config and environment of what the form holds now, valid or not."""
        chosen = self._chosen_ingredients()
        return {
            "config": compiled(self["config_yaml"].value() or "", [i.config_yaml for i in chosen]),
            "env": compiled(
                self["env_yaml"].value() or "", [i.env_yaml for i in chosen], is_env=True
            ),
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
        widgets = {"tag": forms.TextInput(attrs=NAME | {"placeholder": "v1"})}

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
        widget=forms.TextInput(attrs=NAME | {"placeholder": "v1"}),
    )
    runtime = forms.CharField(
        required=False,
        max_length=64,
        help_text="Empty: what the droplet says.",
        widget=forms.TextInput(attrs=NAME | {"placeholder": "ruby"}),
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
        max_length=50, validators=[validate_tag], widget=forms.TextInput(attrs=NAME)
    )
    hold = forms.BooleanField(
        label="Hold",
        required=False,
        help_text="Deploy and test it, then wait for you to route it.",
    )
    canary = forms.CharField(
        label="Canary",
        required=False,
        max_length=10,
        help_text="First route so many of the new procs beside all old ones: 1, or 25%.",
    )
    batch = forms.IntegerField(
        label="Batch",
        required=False,
        min_value=1,
        help_text="Replace so many procs at a time. Empty: all at once.",
    )

    @property
    def manner(self) -> Manner:
        """How the version is to be brought in, once the form is valid."""
        given = self.cleaned_data
        return Manner(hold=given["hold"], canary=given["canary"].strip(), batch=given["batch"] or 0)


class SizeForm(forms.Form):
    """The number of procs to bring a swarm to."""

    size = Swarm._meta.get_field("size").formfield()


def _ask_to_choose(form: forms.BaseForm, *names: str) -> None:
    for name in names:
        choice = cast(forms.ModelChoiceField, form.fields[name])
        choice.empty_label = f"Choose {with_article(name)}"


class PrepareForm(forms.Form):
    """What signs in on a host, if the server's key isn't let in there yet."""

    password = forms.CharField(
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Leaves the server's key there, and is forgotten. Empty: the key is let in.",
    )
    new_key = forms.BooleanField(
        required=False,
        label="Pin another SSH host key",
        help_text="The machine was installed anew.",
    )
    activates = forms.BooleanField(required=False, label="It gets procs then", initial=True)
