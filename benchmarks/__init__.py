"""Side-by-side measurements: `python -m benchmarks [SECTION ...]`, or `make bench` for all of them."""
