"""Decisions of the journey: states and verbs, commitments, clocks, escalation. Plain values in, decisions out."""
