"""Ground: settings, database, errors, clock, events, idempotency, money, ids, texts. Knows no trade."""
