"""What billing decides: what a line costs the customer, who bears a cost, how a claim moves. No database here."""
