"""Quotes, charges, borne cost, recoveries."""
