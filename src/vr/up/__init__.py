"""The single-machine stack: one supervisord that runs Velociraptor and its procs."""
