# SPDX-License-Identifier: Apache-2.0
"""python3 -m onmanifold: the program, with its commands and exit codes."""
import signal
import sys

from . import _core


def main() -> int:
    # The program decides what Ctrl-C does, as it does without Python.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _core.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
