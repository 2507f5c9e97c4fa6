"""Reports: what a hospital or a doctor would file as evidence, with the source of every figure."""
