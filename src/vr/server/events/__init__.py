"""What happens, told: events are rows first and messages second."""
