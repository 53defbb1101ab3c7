"""Tests of vsm.standards."""
