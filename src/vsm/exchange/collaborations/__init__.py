"""Collaborative online learning between classes: partner wishes, matching, exchange plans, rosters, tasks, check-ins."""
