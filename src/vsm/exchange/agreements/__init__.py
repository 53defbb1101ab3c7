"""Who has promised what to whom: partners, seats, fields, levels, languages, validity, signatures."""
