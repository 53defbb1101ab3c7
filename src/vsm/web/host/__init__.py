"""Pages for companies and organisations that take students."""
