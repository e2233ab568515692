"""Hosts: how they are reached, and what is done to procs there."""
