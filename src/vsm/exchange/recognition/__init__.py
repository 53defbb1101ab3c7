"""Results, grade and credit conversion, transcripts, the home decision."""
