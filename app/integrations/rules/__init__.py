"""Decisions about deliveries out and tickets in."""
