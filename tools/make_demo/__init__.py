"""Writes the demo network: `python -m tools.make_demo` rewrites demo/ byte for byte, checks it and sums it up.

Standard library only and no import of app: the demo is an outside witness that the importers are judged by.
"""
