"""`demo day`: a day of requests played through the public API, beside the same day under nearest first, first come."""
