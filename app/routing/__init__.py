"""Who drives which part where and when, and what travel takes."""
