# SPDX-License-Identifier: Apache-2.0
"""Packs what scripts/build-wheel.sh has laid out beside this file; compiles nothing."""
from pathlib import Path

from setuptools import setup
from setuptools.dist import Distribution

HERE = Path(__file__).parent


class CompiledDistribution(Distribution):
    """A wheel of one Python and one machine, though the compiler was CMake's."""

    def has_ext_modules(self):
        return True


setup(
    distclass=CompiledDistribution,
    version=(HERE / "VERSION").read_text(encoding="ascii").strip(),
    packages=["onmanifold"],
    package_data={"onmanifold": [str(path.relative_to(HERE / "onmanifold"))
                                 for path in sorted((HERE / "onmanifold").rglob("*")) if path.is_file()]},
)
