"""Load: a Locust scenario for the deposit, and the benchmark that `make bench` prints."""
