"""A database for each module: some issue stock past every door, and leave books behind that no journey may stand on."""

from tests.journeys.own_database import app, database_url, engine

__all__ = ["app", "database_url", "engine"]
