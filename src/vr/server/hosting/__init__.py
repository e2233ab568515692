"""Hosts as a whole: how the server signs in there, and how they are prepared and removed."""
