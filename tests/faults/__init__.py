"""Faults on purpose: processes killed, disks filled, clocks set back, data changed. `make faults` runs them all.

One file a fault, each with one function `run`. None of this is collected by pytest; tests/test_faults.py shows with
deliberate mistakes that these checks can fail.
"""
