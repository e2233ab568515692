"""Builds: which one is taken, how one is made, by a worker or by the farm, or out of a droplet."""
