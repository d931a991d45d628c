"""How quick the service is over HTTP, each figure as a ratio to a bare yardstick measured in turns with it."""
