"""Uptests between dispatches: of every proc from time to time, and when somebody asks."""
