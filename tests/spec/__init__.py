"""Readable cases that run as tests."""
