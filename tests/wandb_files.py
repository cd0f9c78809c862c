"""What an offline run of W&B has left on disk, read back."""

import json
import struct
import time

BLOCK = 32 * 1024


def chunks(content: bytes):
    """(type, data) of a LevelDB log: blocks of 32 KiB of chunks, each behind crc, length and type."""
    at = 7  # W&B's own header
    while at < len(content):
        room = BLOCK - at % BLOCK
        if room < 7:
            at += room
            continue
        _, length, kind = struct.unpack("<IHB", content[at : at + 7])
        yield kind, content[at + 7 : at + 7 + length]
        at += 7 + length


def records(folder, seconds=30):
    """Everything an offline run logged. W&B's own process writes it, and may be at it when `finish` has returned."""
    deadline = time.monotonic() + seconds
    while True:
        found = list(records_so_far(folder))
        if any(record.WhichOneof("record_type") == "exit" for record in found):
            return found
        assert time.monotonic() < deadline, "the run was not closed"
        time.sleep(0.1)


def records_so_far(folder):
    from wandb.proto import wandb_internal_pb2

    (path,) = folder.glob("wandb/offline-run-*/*.wandb")
    data = b""
    for kind, chunk in chunks(path.read_bytes()):
        data += chunk
        if kind in (1, 4):  # whole, or the last of several chunks
            record = wandb_internal_pb2.Record()
            record.ParseFromString(data)
            yield record
            data = b""


def values(items):
    return {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in items}
