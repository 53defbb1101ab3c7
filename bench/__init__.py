"""Measurements, each beside a peer in the same run: `python -m bench.search`, `python -m bench.pages`."""
