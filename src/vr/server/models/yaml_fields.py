"""Fields for YAML that users write: encrypted at rest, and checked by kind on the way in."""

from __future__ import annotations

from typing import Any

from vr.server.models.fields import EncryptedTextField
from vr.server.models.yaml_text import validate_config, validate_env, validate_volumes


class YamlField(EncryptedTextField):
    """YAML text, or nothing; `example` is what a form suggests."""

    example = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("blank", True)
        kwargs.setdefault("default", "")
        super().__init__(*args, **kwargs)


class ConfigField(YamlField):
    """The mapping that becomes an app's settings.yaml."""

    default_validators = [validate_config]
    example = "greeting: hello"


class EnvField(YamlField):
    """A mapping of environment variables."""

    default_validators = [validate_env]
    example = "LOG_LEVEL: info"


class VolumesField(YamlField):
    """A list of [host folder, mount point] pairs."""

    default_validators = [validate_volumes]
    example = "- [/var/data, /data]"
