"""Facts of the machine that several rooms need: where programs are, processes, ports."""
