"""Prints the table of tests that `legacy_permutation` must equal; needs numpy and scikit-learn from PyPI."""

import hashlib

import numpy
from sklearn.model_selection import train_test_split

print(f"// numpy {numpy.__version__}")
for seed, length in [(0, 1), (0, 2), (0, 10), (1, 17), (123456789, 12), (4294967295, 8)]:
    print(f"({seed}, &{numpy.random.RandomState(seed).permutation(length).tolist()}),")


def digest(rows):
    return hashlib.sha256(rows.astype("<u4").tobytes()).hexdigest()


print("// length, first rows of train, first rows of test, SHA-256 of both as little-endian 32-bit words")
for length in [10, 11, 257, 36499]:
    train, test = train_test_split(numpy.arange(length), test_size=0.1, random_state=0)
    print(f'({length}, {len(train)}, &{train[:5].tolist()}, {len(test)}, &{test[:2].tolist()}, "{digest(train)}", "{digest(test)}"),')
