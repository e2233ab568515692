"""Stacks and their OS images."""
