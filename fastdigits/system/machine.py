"""What this machine is fast at: device, precision, threads, memory."""

import ctypes
import os
import platform
import sys
from typing import Literal

from .errors import InputError

Precision = Literal["auto", "fp32", "bf16", "fp16"]

# glibc's names of what mallopt sets
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
LARGEST_INT = 2**31 - 1


def prepare_machine() -> None:
    """Settings of this process that make training and prediction fast.

    Threads: no more than the cores that this process may use; torch counts the cores of the host, not those of its
    container. OMP_NUM_THREADS has the last word. Memory: see `keep_memory`. Calling it again changes nothing.
    """
    import torch

    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(min(torch.get_num_threads(), usable_cores()))
    keep_memory()


def usable_cores() -> int:
    """Cores, not threads of theirs, that this process may use, in a container too."""
    from joblib import cpu_count

    return cpu_count(only_physical_cores=True)


def keep_memory() -> None:
    """Let glibc keep freed memory for the next batch instead of giving it back to the system.

    A step of training frees and asks for the same blocks of some megabytes again and again. By default each goes back
    to the system and comes again empty, page by page, which took more than half of a small network's time. Other C
    libraries have no such setting and are left alone; FASTDIGITS_KEEP_MEMORY=0 leaves glibc alone too.
    """
    wanted = os.environ.get("FASTDIGITS_KEEP_MEMORY", "1") != "0"
    if wanted and sys.platform == "linux" and platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, LARGEST_INT)


def find_device() -> str:
    """cuda, mps or cpu: the fastest that is here."""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def find_precision(wanted: Precision, device: str) -> str:
    """The precision that `auto` means on this machine; others as they are, if the device can do them.

    bf16 on a CPU pays only where the CPU multiplies it in hardware (AMX or AVX512-BF16); MPS stays with fp32.
    """
    import torch

    if device == "mps" or wanted == "fp32":
        return "fp32"
    if device == "cpu":
        if wanted == "fp16":
            raise InputError("--precision fp16 needs a GPU; accepted here are auto, fp32 and bf16")
        fast = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
        return "bf16" if wanted == "bf16" or fast else "fp32"
    if wanted == "auto":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    return wanted
