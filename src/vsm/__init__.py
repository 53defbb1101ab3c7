"""OpenVSM: run virtual student mobility end to end, and learn what it does."""
