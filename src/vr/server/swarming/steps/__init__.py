"""Carrying out the planner's steps, one module per kind. Each may be repeated."""
