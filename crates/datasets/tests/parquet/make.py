"""Writes the tables of this folder as others write them. Run by hand:

    python3 -m venv /tmp/parquet && /tmp/parquet/bin/pip install pyarrow==26.0.1 pandas==3.1.1 numpy==2.4.6
    /tmp/parquet/bin/python make.py
"""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

rows = 300
table = pa.table({
    "x": pa.array(np.arange(rows) * 0.5, pa.float64()),
    "y": pa.array(np.arange(rows) % 7 - 3, pa.int32()),
    "label": pa.array(np.arange(rows) % 3, pa.int64()),
})
pq.write_table(table, "snappy.parquet", row_group_size=128)
pq.write_table(table, "zstd.parquet", compression="zstd", use_dictionary=False, data_page_version="2.0", row_group_size=128)
pq.write_table(table, "gzip.parquet", compression="gzip")
table.to_pandas().set_index(np.arange(rows) * 2).to_parquet("pandas.parquet")

vectors = np.arange(rows * 4, dtype=np.float32).reshape(rows, 4)
pq.write_table(pa.table({"embedding": pa.array(list(vectors), pa.list_(pa.float32()))}), "lists.parquet")
uneven = [[1.0, 2.0], [3.0], [4.0, 5.0]]
pq.write_table(pa.table({"embedding": pa.array(uneven, pa.list_(pa.float32()))}), "uneven.parquet")
pixels = {f"p{place}": pa.array([place, 255 - place], pa.uint8()) for place in range(4)}
pq.write_table(pa.table(pixels), "pixels.parquet")
pq.write_table(pa.table({"x": pa.array([1.0, None]), "y": pa.array([1.0, 2.0])}), "missing.parquet")
pq.write_table(pa.table({"x": ["a", "b"], "y": [1.0, 2.0]}), "text.parquet")
