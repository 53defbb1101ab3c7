"""Tests of the Exchange."""
