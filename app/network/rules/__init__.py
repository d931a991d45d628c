"""Decisions about the network as plain values: opening hours and shifts. No tables, no clock."""
