"""What exists: customers, contracts and terms, sites, areas, places, couriers, lanes, parts, models, calendars."""
