"""What a process has loaded and how much memory it takes."""

import ctypes


def blas():
    """The shared library of torch's matrix products, if it can be found."""
    try:
        with open("/proc/self/maps") as maps:
            files = {line.split()[-1] for line in maps if "/" in line}
    except OSError:
        return "unknown"
    for word in ("openblas", "mkl_rt", "mkl_core", "blis", "libblas"):
        for f in sorted(files):
            if word in f:
                return f.rsplit("/", 2)[-2] + "/" + f.rsplit("/", 1)[-1] + core(f)
    return "built in"


def core(file):
    """The kind of processor that a loaded OpenBLAS works for, with a space before it."""
    try:
        name = ctypes.CDLL(file).openblas_get_corename
    except (OSError, AttributeError):
        return ""
    name.restype = ctypes.c_char_p
    return " " + name().decode()


def resident(field):
    """A field of /proc/self/status in bytes, or 0 without it."""
    try:
        with open("/proc/self/status") as status:
            for line in status:
                if line.startswith(field + ":"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0
