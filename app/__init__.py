"""Sparelane: warranty and spare-parts logistics. Wings stand side by side, floors go up; tests/test_house.py holds the laws."""
