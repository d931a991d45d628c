"""How long the audit's duties take on a long trail."""
