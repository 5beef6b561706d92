# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy==2.4.6", "scikit-learn==1.9.0", "scipy==1.17.1"]
# ///
"""The table of cases that the metrics are compared with, as scikit-learn and SciPy compute it.

Run by hand, with the versions above from PyPI:

    python3 -m venv VENV && VENV/bin/pip install numpy==2.4.6 scikit-learn==1.9.0 scipy==1.17.1
    VENV/bin/python crates/ood/tests/sklearn_cases.py            # rewrites sklearn_cases.json beside this file
    VENV/bin/python crates/ood/tests/sklearn_cases.py --check    # exits with 1 if the table is not what it computes
    VENV/bin/python crates/ood/tests/sklearn_cases.py --time FOLDER    # times roc_auc_score on the benchmark's scores

Scores of the large cases are not in the table: both sides draw them from the same generator (SplitMix64). scikit-learn
refuses infinite scores, so an infinite score is replaced by its rank among the finite ones before the call, which every
metric here allows.
"""

import json
import pathlib
import sys
import time

import numpy as np
import scipy.stats
from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

TABLE = pathlib.Path(__file__).with_name("sklearn_cases.json")


def split_mix(seed, count):
    """SplitMix64 (Steele, Lea & Flood 2014)."""
    mask = (1 << 64) - 1
    state, numbers = seed, np.empty(count, dtype=np.uint64)
    for index in range(count):
        state = (state + 0x9E3779B97F4A7C15) & mask
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        numbers[index] = z ^ (z >> 31)
    return numbers


def drawn(seed, count, values, shift):
    """Whole numbers below `values`, moved by `shift`: the fewer values, the more ties."""
    return (split_mix(seed, count) % np.uint64(values)).astype(np.float64) + shift


def finite(inside, outside):
    """The same order with finite numbers: the ranks."""
    both = np.concatenate([inside, outside])
    if np.isfinite(both).all():
        return inside, outside
    ranks = scipy.stats.rankdata(both, method="dense").astype(np.float64)
    return ranks[: len(inside)], ranks[len(inside) :]


def metrics(inside, outside):
    inside, outside = finite(np.asarray(inside, float), np.asarray(outside, float))
    out_positive = np.concatenate([np.zeros(len(inside)), np.ones(len(outside))])
    in_positive = 1 - out_positive
    scores = np.concatenate([inside, outside])

    def area(labels, values):
        precision, recall, _ = precision_recall_curve(labels, values)
        return auc(recall, precision)

    fpr, tpr, _ = roc_curve(out_positive, scores, drop_intermediate=False)
    in_fpr, in_tpr, _ = roc_curve(in_positive, -scores, drop_intermediate=False)
    at_95 = int(np.argmax(in_tpr >= 0.95))
    return {
        "auroc": roc_auc_score(out_positive, scores),
        "aupr-out": area(out_positive, scores),
        "aupr-in": area(in_positive, -scores),
        "ap-out": average_precision_score(out_positive, scores),
        "ap-in": average_precision_score(in_positive, -scores),
        "fpr-in-at-95-out": fpr[int(np.argmax(tpr >= 0.95))],
        "fpr-out-at-95-in": in_fpr[at_95],
        "detection-error": np.min(0.5 * fpr + 0.5 * (1 - tpr)),
        "detection-error-at-95-in": 0.5 * in_fpr[at_95] + 0.5 * (1 - in_tpr[at_95]),
    }


def components(inside, outside):
    """Structural components by midranks (Sun & Xu 2014, algorithm 2)."""
    m, n = len(outside), len(inside)
    together = scipy.stats.rankdata(np.concatenate([outside, inside]))
    v10 = (together[:m] - scipy.stats.rankdata(outside)) / n
    v01 = 1 - (together[m:] - scipy.stats.rankdata(inside)) / m
    return v10, v01


def variance_of_mean(values):
    return np.var(values, ddof=1) / len(values)


def delong(inside, outside):
    v10, v01 = components(*finite(np.asarray(inside, float), np.asarray(outside, float)))
    if min(len(v10), len(v01)) < 2:
        return {}
    return {"standard-error": np.sqrt(variance_of_mean(v10) + variance_of_mean(v01))}


def paired(first, second):
    (v10, v01), (w10, w01) = components(*finite(*first)), components(*finite(*second))
    difference = np.mean(v10) - np.mean(w10)
    z = difference / np.sqrt(variance_of_mean(v10 - w10) + variance_of_mean(v01 - w01))
    return {"difference": difference, "z": z, "p": 2 * scipy.stats.norm.sf(abs(z))}


INFINITY = float("inf")
WRITTEN = {
    "two-by-two": ([1, 2], [2, 3]),
    "perfect": ([1, 2, 3], [4, 5]),
    "inverted": ([4, 5], [1, 2, 3]),
    "constant": ([7, 7, 7], [7, 7]),
    "constant-inside": ([3, 3, 3, 3], [1, 3, 5]),
    "constant-outside": ([1, 2, 3, 4], [3, 3, 3]),
    "single-inside": ([2], [1, 2, 3]),
    "single-outside": ([1, 2, 2, 9], [2]),
    "one-each-tied": ([0], [0]),
    "one-each-ordered": ([0], [1]),
    "two-values": ([0, 0, 0, 1, 1, 0, 1, 0], [1, 1, 0, 1, 1, 1]),
    "negative-zero": ([0.0, -0.0, 1.0], [-0.0, 2.0]),
    "infinite-extremes": ([-INFINITY, 0, INFINITY, 1], [INFINITY, INFINITY, 2, -INFINITY]),
    "all-infinite": ([-INFINITY, INFINITY], [INFINITY, INFINITY, -INFINITY]),
    "float32-ulps": ([8192.0, 8192.001, 8192.002, 8192.0], [8192.001, 8192.002, 8192.002, 8192.003]),
    "huge-and-tiny": ([1e-300, -1e300, 1e-308], [1e300, 1e-300, 5e-324]),
    "nineteen-of-twenty": (list(range(10, 20)), list(range(20))),
}
# name: (seed, n_in, values_in, shift_in, seed, n_out, values_out, shift_out)
DRAWN = {
    "three-values": (1, 50, 3, 0, 2, 70, 3, 1),
    "ten-values-unbalanced": (3, 2000, 10, 0, 4, 37, 10, 2),
    "hundred-values": (5, 5000, 100, 0, 6, 4000, 100, 25),
    "no-difference": (7, 3000, 1000, 0, 8, 3000, 1000, 0),
    "nearly-perfect": (9, 10000, 1000, 0, 10, 10000, 1000, 990),
    "below-chance": (11, 10000, 1 << 40, 1 << 39, 12, 10000, 1 << 40, 0),
    "hundred-thousand": (13, 60000, 1 << 52, 0, 14, 40000, 1 << 52, 1 << 50),
    "hundred-thousand-seven-values": (15, 60000, 7, 0, 16, 40000, 7, 1),
}
# name: (seed, n_in, n_out, values, shift of the first, shift of the second): four sides from four following seeds
PAIRED = {
    "paired-ties": (21, 40, 50, 6, 2, 1),
    "paired-large": (31, 20000, 15000, 1 << 50, 1 << 48, 1 << 47),
    "paired-near": (41, 5000, 5000, 1000, 100, 101),
}


def sides(case):
    seed_in, n_in, values_in, shift_in, seed_out, n_out, values_out, shift_out = case
    return drawn(seed_in, n_in, values_in, shift_in), drawn(seed_out, n_out, values_out, shift_out)


def paired_sides(case):
    seed, n_in, n_out, values, first, second = case
    side = lambda which, count, shift: drawn(seed + which, count, values, shift)
    return (side(0, n_in, 0), side(1, n_out, first)), (side(2, n_in, 0), side(3, n_out, second))


def written_number(value):
    return value if np.isfinite(value) else ("inf" if value > 0 else "-inf")


def table():
    def row(name, case, inside, outside):
        numbers = {key: float(value) for key, value in (metrics(inside, outside) | delong(inside, outside)).items()}
        return {"name": name, **case, "expected": numbers}

    rows = []
    for name, (inside, outside) in WRITTEN.items():
        case = {"inside": [*map(written_number, inside)], "outside": [*map(written_number, outside)]}
        rows.append(row(name, case, inside, outside))
    for name, case in DRAWN.items():
        rows.append(row(name, {"drawn": case}, *sides(case)))
    for name, case in PAIRED.items():
        numbers = {key: float(value) for key, value in paired(*paired_sides(case)).items()}
        rows.append({"name": name, "paired": case, "expected": numbers})
    return "[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n"


def times(folder):
    """Seconds of the fastest of five calls, on the files that the example `million_scores --write FOLDER` left."""
    inside, outside = (np.fromfile(pathlib.Path(folder) / f"{side}.f64", "<f8") for side in ("inside", "outside"))
    labels = np.concatenate([np.zeros(len(inside), np.int8), np.ones(len(outside), np.int8)])
    scores = np.concatenate([inside, outside])
    for name, call in [
        ("roc_auc_score", lambda: roc_auc_score(labels, scores)),
        ("all nine metrics", lambda: metrics(inside, outside)),
    ]:
        seconds = []
        for _ in range(5):
            start = time.perf_counter()
            value = call()
            seconds.append(time.perf_counter() - start)
        value = value["auroc"] if isinstance(value, dict) else value
        print(f"scikit-learn {name}: {len(scores)} scores, {min(seconds):.4f} s, auroc {value!r}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--time"]:
        times(sys.argv[2])
    elif sys.argv[1:] == ["--check"]:
        sys.exit(0 if TABLE.read_text() == table() else 1)
    else:
        TABLE.write_text(table())
