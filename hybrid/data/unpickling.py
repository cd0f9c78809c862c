"""A pickle from a stranger, read without running any of it: numpy arrays and plain containers alone.

A pickle is a program, and `pickle.load` runs whatever it calls. Here it can name `ALLOWED` and nothing else. Not even
numpy's own code is called, since an array's state can lie about its memory (a dtype of Python objects over raw bytes):
what an array consists of is collected, and read as numbers.
"""

import math
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np

from hybrid.errors import UserError

NUMBERS = ("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8")
"""numpy's types that are read"""


def read_pickle(path: Path) -> Any:
    """What the file holds, its numpy arrays and numbers among it; a UserError where it is damaged or holds more."""
    try:
        with open(path, "rb") as file:
            value = Unpickler(file).load()
            if file.read(1):
                raise pickle.UnpicklingError("something follows the end of the pickle")
            return arrays_in(value)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from error
    except MemoryError as error:
        raise UserError(f"{path}: does not fit the memory, or claims more than it holds") from error
    except RecursionError as error:
        raise UserError(f"{path}: its containers lie too deep in each other, or hold themselves") from error
    except Exception as error:  # a damaged pickle can make the unpickler raise anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{path}: is no pickle of numpy arrays and plain containers: {reason}") from error


class Number:
    """What stands for a dtype: the name of a type of numbers, and the order of its bytes."""

    def __init__(self, name: str, align: bool = False, copy: bool = False):
        if name not in NUMBERS:
            raise pickle.UnpicklingError(f"an array of {name!r}; integers and floats are read")
        self.name, self.order = name, "|"

    def __setstate__(self, state: tuple) -> None:
        _, self.order, *compound = state
        if self.order not in ("<", ">", "|", "=") or any(part is not None for part in compound[:3]):
            raise pickle.UnpicklingError("an array of records")

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(self.order + self.name)


class Array:
    """What stands for an array until all of it is known."""

    values: np.ndarray | None = None

    def __setstate__(self, state: tuple) -> None:
        _, shape, number, fortran, data = state
        self.values = as_array(data, number, shape, "F" if fortran else "C")


def as_array(data: bytes, number: Number, shape: tuple[int, ...], order: str = "C") -> np.ndarray:
    """The bytes as numbers; they must be just as many as the shape says."""
    if not isinstance(number, Number) or not isinstance(data, (bytes, bytearray)):
        raise pickle.UnpicklingError("an array of Python objects")
    if any(not isinstance(side, int) or side < 0 for side in shape):
        raise pickle.UnpicklingError(f"an array of shape {shape}")
    if math.prod(shape) * number.dtype.itemsize != len(data):
        raise pickle.UnpicklingError(f"an array of shape {shape} in {len(data)} bytes of {number.name}")
    return np.frombuffer(data, number.dtype).reshape(shape, order=order)


def new_array(kind: type, shape: tuple, code: bytes) -> Array:
    """numpy's `_reconstruct`: an array that is empty until its state comes."""
    return Array()


def from_buffer(data: bytes, number: Number, shape: tuple[int, ...], order: str) -> Array:
    """numpy's `_frombuffer`, of protocol 5."""
    array = Array()
    array.values = as_array(data, number, shape, order)
    return array


def scalar(number: Number, data: bytes) -> Any:
    """A numpy number as a Python one."""
    return as_array(data, number, ()).item()


def latin1(text: str, encoding: str) -> bytes:
    """`_codecs.encode`, which protocols before 3 write bytes with."""
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"text encoded as {encoding!r}")
    return text.encode("latin1")


def no_bytes() -> bytes:
    """`bytes`, which protocols before 3 write none of."""
    return b""


ALLOWED = {
    ("collections", "OrderedDict"): OrderedDict,
    ("_codecs", "encode"): latin1,
    ("__builtin__", "bytes"): no_bytes,
    ("numpy", "ndarray"): Array,
    ("numpy", "dtype"): Number,
}
for core in ("numpy.core", "numpy._core"):  # before and since numpy 2
    ALLOWED |= {
        (f"{core}.multiarray", "_reconstruct"): new_array,
        (f"{core}.multiarray", "scalar"): scalar,
        (f"{core}.numeric", "_frombuffer"): from_buffer,
    }


class Unpickler(pickle.Unpickler):
    """Finds ALLOWED, and refuses any other name with itself as the reason."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which could run code, and which is not run")
        return ALLOWED[module, name]


def arrays_in(value: Any, done: dict[int, Any] | None = None) -> Any:
    """The same containers with numpy arrays in them; nothing but numbers, text and arrays may be left.

    done: what became of each container, which is gone through once however often it is held.
    """
    done = {} if done is None else done
    if isinstance(value, Array):
        if value.values is None:
            raise pickle.UnpicklingError("an array without its numbers")
        return value.values
    if value is None or isinstance(value, (bool, int, float, str, bytes)):
        return value
    if not isinstance(value, (dict, list, tuple)):
        raise pickle.UnpicklingError(f"it holds a {type(value).__name__}")
    if id(value) not in done:
        if isinstance(value, dict):
            done[id(value)] = {key: arrays_in(item, done) for key, item in value.items()}
        else:
            done[id(value)] = [arrays_in(item, done) for item in value]
    return done[id(value)]
