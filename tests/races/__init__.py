"""Concurrency over the real database, in one process."""
