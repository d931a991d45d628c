"""What stock decides: the ledger's arithmetic, which pieces serve, what may stand in for what. No database here."""
