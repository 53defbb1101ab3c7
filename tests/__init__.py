"""Tests mirror src/."""
