"""The Exchange as a source of the Observatory: its pooled and protected counts, taken in as releases like anybody else's."""
