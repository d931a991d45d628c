"""Promises kept on twenty frozen days: how the product's planning does beside plain rules and a plan that knew the day."""
