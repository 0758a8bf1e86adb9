"""Tables of pixels, csv and parquet, whatever stands in their columns; only this room uses them."""
