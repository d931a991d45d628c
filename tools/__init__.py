"""Harnesses that prove the product from outside: real processes, real HTTP, a real database with fsync on."""
