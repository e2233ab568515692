"""vimage: OS images for stacks, from a base image and a provisioning script."""

from vr.imager.pipeline import ImageResult, ProvisioningFailed, build, shell
from vr.imager.stack import ensure_stack

__all__ = ["ImageResult", "ProvisioningFailed", "build", "ensure_stack", "shell"]
