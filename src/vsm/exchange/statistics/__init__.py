"""Counts of what the Exchange does, protected: the only window through which anybody else looks at it."""
