"""A packet of slices read again in Python, as slices.js does it."""

import json
import zlib

import numpy as np


def unpack(packet):
    """Header, values (n_voxels,) and labels (X, Y, Z) of a packet."""
    start = 4 + int.from_bytes(packet[:4], "little")
    header = json.loads(packet[4:start])
    values = np.frombuffer(packet, "<f2", header["n_values"], start)
    raw = zlib.decompress(packet[start + values.nbytes :])
    return header, values, np.frombuffer(raw, np.uint16).reshape(header["shape"])
