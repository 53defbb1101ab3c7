"""Tests of the fair distribution of seats."""
