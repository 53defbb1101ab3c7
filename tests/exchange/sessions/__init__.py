"""Enrolments, live meetings across time zones, attendance."""
