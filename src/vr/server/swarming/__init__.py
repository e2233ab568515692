"""Planning and carrying out swarms."""
