"""Files moved safely: downloads, archives, locks and atomic writes."""
