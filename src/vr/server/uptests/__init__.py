"""Uptests: run against a proc, and understood."""
