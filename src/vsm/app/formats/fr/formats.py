"""French: the hour follows its day with a word, as in a sentence."""

DATETIME_FORMAT = "j F Y \\à H:i"
