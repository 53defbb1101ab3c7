"""Tests of vsm.standards.open_badges."""
