"""Labels that people gave to the pictures of a source."""
