"""What will be studied and what home promises to recognise, in signed versions."""
