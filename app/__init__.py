"""Sparelane: warranty and spare-parts logistics. Wings side by side, floors going up; tests/test_house.py is the law."""
