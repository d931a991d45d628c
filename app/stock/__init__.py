"""What lies where, what it cost, who holds it; never oversold."""
