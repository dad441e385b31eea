# SPDX-License-Identifier: BSD-2-Clause
"""What a measurement ends with when it cannot be made."""


class BenchError(Exception):
    """The measurement cannot be made, or cannot be believed."""
