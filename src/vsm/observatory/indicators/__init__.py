"""What is counted: each indicator with its formula, unit, source and checks, computed as one expression on any engine."""
