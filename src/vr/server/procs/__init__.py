"""Single procs: whose they are, which port they own, and what is done to them."""
