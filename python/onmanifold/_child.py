# SPDX-License-Identifier: Apache-2.0
"""The process of om.run: it makes workers, which a process with threads (NumPy, PyTorch, a notebook) must not.

Reads the arguments as JSON from standard input and answers with JSON on standard output. Run as a file, so that nothing but
the library itself is imported."""
import json
import os
import signal
import sys


def main() -> None:
    share = os.path.join(os.path.dirname(os.path.abspath(__file__)), "share")
    if os.path.isdir(share):
        os.environ.setdefault("ONMANIFOLD_SHARE", share)
    import _core

    asked = json.load(sys.stdin)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        answer = {"summary": _core.run_suite(*asked)}
    except ValueError as error:
        answer = {"invalid": str(error)}
    except RuntimeError as error:
        answer = {"failed": str(error)}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
