"""Benchmarks: figures of a run on this machine, each beside its yardstick. Nothing here is a timed test."""
