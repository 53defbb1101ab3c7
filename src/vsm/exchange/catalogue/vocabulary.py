"""The words that the catalogue's facts are written in. Models, mapping files and facets share them."""

LEVELS = ("short-cycle", "bachelor", "master", "doctorate")
MODES = ("synchronous", "asynchronous", "mixed")
BANDWIDTHS = ("text", "audio", "video")
CEFR = ("A1", "A2", "B1", "B2", "C1", "C2")

# The broad fields of ISCED-F 2013 (UNESCO Institute for Statistics, 2014, appendix I); 99 is "field unknown".
BROAD_FIELDS = ("00", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "99")
