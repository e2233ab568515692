"""vrun and vrun_precise: a proc.yaml set up, run, tested, looked into and torn down."""
