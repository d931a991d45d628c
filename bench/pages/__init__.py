"""How long the heaviest pages take the server."""
