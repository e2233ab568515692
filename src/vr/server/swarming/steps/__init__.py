"""Carrying out the planner's steps, one module per kind. Each may be repeated, and is handed all
that it needs: it knows nothing of the engine."""
