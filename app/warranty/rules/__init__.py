"""The decisions of the warranty wing: dates, cover and verdicts. Plain values in, typed decisions with reasons out."""
