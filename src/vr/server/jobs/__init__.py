"""Background work: who drives a row, how workers are woken, what nobody drives."""
