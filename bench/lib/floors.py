# SPDX-License-Identifier: BSD-2-Clause
"""What the project asks of its fast path: the one place for these numbers.

A figure is named by its key (see results.py). `floor` is what it must reach, `aim` what we are after; for those where
less is better (`lower`) it must not exceed them.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Floor:
    key: str
    floor: float
    aim: float | None = None
    lower: bool = False

    def verdict(self, value):
        """AIM, PASS or BELOW."""
        meets = (lambda limit: value <= limit) if self.lower else (lambda limit: value >= limit)
        if self.aim is not None and meets(self.aim):
            return "AIM"
        return "PASS" if meets(self.floor) else "BELOW"


FLOORS = {
    floor.key: floor
    for floor in (
        # One worker, established UDP flows, net_pcap source: rate over testpmd's mac mode and l3fwd's exact match.
        Floor("forwarding/lbdp/1000/to-mac", 0.60, 0.75),
        Floor("forwarding/lbdp/100000/to-mac", 0.57, 0.68),
        Floor("forwarding/lbdp/1000000/to-mac", 0.57, 0.68),
        Floor("forwarding/lbdp/1000/to-l3fwd", 1.4, 1.9),
        Floor("forwarding/lbdp/100000/to-l3fwd", 1.4, 1.9),
        Floor("forwarding/lbdp/1000000/to-l3fwd", 1.5, 1.9),
        # The worker alone, on its own source: rate over the same program's mac mode.
        Floor("worker/established/10000000/warm/to-mac", 0.42, 0.52),
        Floor("worker/established/10000000/cold/to-mac", 0.42, 0.52),
        Floor("worker/new/per-s", 6e6, 10e6),
        Floor("worker/new-persistent/per-s", 3e6),
        Floor("worker/flood/10000000/to-established", 0.5),
        Floor("worker/publish/full-ms", 20, lower=True),
        Floor("worker/publish/flip-ms", 2, lower=True),
        Floor("worker/memory/ipv4/bytes", 32, 27, lower=True),
        Floor("worker/memory/ipv6/bytes", 64, lower=True),
        # As `lbdp-cli show connections` reads them; list/…/to-quiet is a reader that does nothing else.
        Floor("worker/list/10000000/answering-to-quiet", 0.95),
    )
}
