"""Best known costs of published instances, by the digest of a file's numbers: a renamed file is known all the same.

Vidal et al. 2013 and later for MDVRPTW; exact methods' values for Solomon's sets with distances cut to one decimal.
"""

KNOWN = {
    "79c1d9b5a6d0db9c": 1074.12,  # pr01
    "3124836cfb37a415": 2373.65,  # pr03
    "8f472c5bd4c1299b": 1418.22,  # pr07
    "113edaba0ebbbf7a": 1464.5,  # pr12
    "b5395bf132ea33d2": 2195.33,  # pr14
    "9d9e195e30beb347": 1114.2,  # RC108
    "aabbf7327f375c91": 783.5,  # RC204
    "4448090d0db4f6d7": 948.6,  # R112
}
