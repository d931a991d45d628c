"""Benchmarks of travel times: the embedded graph beside a real OSRM server, and routing instances made from roads."""
