"""Universities, host organisations and networks, with identifiers, calendars and time zones."""
