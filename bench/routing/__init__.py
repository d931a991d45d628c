"""Routing benchmarks: instances written by others, and of our own kind, solved by the product's engine and judged."""
