"""Dispatch benchmarks: sourcing many lines at once, and how fast an event becomes a plan in force."""
