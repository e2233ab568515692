"""Framework plugins: each knows how the apps of one kind are made ready and started."""
