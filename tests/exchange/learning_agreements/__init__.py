"""Learning agreements: versions, completeness, signatures."""
