"""Ticketing systems and webhooks, in and out."""
