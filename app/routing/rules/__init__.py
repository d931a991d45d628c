"""Decisions of dispatch as plain values: problems, plans, their judge, insertion, sources, lanes. No solver."""
