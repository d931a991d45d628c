"""Pages for the people who work here."""
