"""Real ticketing systems beside the real server, each in processes of their own."""
