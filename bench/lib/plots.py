# SPDX-License-Identifier: BSD-2-Clause
"""Pictures of a report, as SVG. Colours are Okabe and Ito's, which colour-blind readers tell apart."""

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "lbdp"  # the same figures give the same file
from matplotlib import pyplot

STYLES = {  # line's name: label, colour, marker
    "lbdp": ("lbdp", "#0072B2", "o"),
    "l3fwd-em": ("l3fwd, exact match", "#D55E00", "s"),
    "testpmd-mac": ("testpmd, mac", "#009E73", "^"),
    "testpmd-io": ("testpmd, io (the source alone)", "#999999", "v"),
    "established/warm": ("lbdp's worker, warm frames", "#0072B2", "o"),
    "established/cold": ("lbdp's worker, cold frames", "#56B4E9", "D"),
    "mac/warm": ("MAC rewrite only, warm frames", "#009E73", "^"),
    "mac/cold": ("MAC rewrite only, cold frames", "#E69F00", "v"),
}


def short(number):
    for limit, letter in ((1_000_000, "M"), (1_000, "k")):
        if number >= limit:
            return f"{number / limit:g} {letter}"
    return f"{number:g}"


def draw_lines(path, title, note, lines, x_label, y_label, x_log):
    """`lines`: by name, (x, y, lowest y, highest y) points."""
    figure, axes = pyplot.subplots(figsize=(7.2, 4.4), layout="constrained")
    for name, points in lines.items():
        label, colour, marker = STYLES[name]
        points = sorted(points)
        x, y = [p[0] for p in points], [p[1] for p in points]
        spread = [[p[1] - p[2] for p in points], [p[3] - p[1] for p in points]]
        axes.errorbar(x, y, yerr=spread, label=label, color=colour, marker=marker, markersize=5, capsize=3, linewidth=1.6)
    ticks = sorted({p[0] for points in lines.values() for p in points})
    if x_log:
        axes.set_xscale("log")
    axes.set_xticks(ticks, [short(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_ylim(bottom=0)
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.set_title(title, loc="left", fontsize=11)
    axes.grid(axis="y", color="#dddddd")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9)
    figure.supxlabel(note, fontsize=7, color="#555555", x=0.01, ha="left")
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def ns_against_flows(path, report):
    lines = {}
    for row in report["forwarding"]:
        if row["name"] in STYLES:
            lines.setdefault(row["name"], []).append(
                (row["flows"], row["ns_per_packet"], 1e3 / row["mpps_max"], 1e3 / row["mpps_min"]))
    draw_lines(path, "Time of a packet, one worker, net_pcap source", note_of(report), lines, "established UDP flows",
               "ns of CPU a packet (median, range)", x_log=True)


def worker_ns_against_flows(path, report):
    lines = {}
    for row in report["flows"]:
        kind, _, source = (row["step"].split("/") + ["", ""])[:3]
        if f"{kind}/{source}" in STYLES:
            ns = row["ns_per_packet"]
            lines.setdefault(f"{kind}/{source}", []).append(
                (row["flows"], ns, row.get("ns_min", ns), row.get("ns_max", ns)))
    draw_lines(path, "Time of a packet, the worker alone, own source", note_of(report), lines, "established UDP flows",
               "ns of CPU a packet (median, range)", x_log=True)


def workers_against_throughput(path, report):
    lines = {}
    for row in report["workers"]:
        lines.setdefault(row["name"], []).append((row["workers"], row["mpps"], row["mpps_min"], row["mpps_max"]))
    flows = report["workers"][0]["flows"]
    draw_lines(path, f"Throughput, {short(flows)} flows a worker, net_pcap source", note_of(report), lines, "workers",
               "Mpps of CPU time (median, range)", x_log=False)


def note_of(report):
    machine = report["machine"]
    busy = "" if report["idle"] else " · NOT AN IDLE MACHINE"
    return (f"{machine['cpu']} · Linux {machine['kernel']} · DPDK {machine['dpdk']} · lbdp {machine['commit']} · "
            f"{report['rounds']} rounds, no NIC{busy}")


def draw_all(directory, report):
    """The files that were written."""
    pictures = (
        ("forwarding", "ns-against-flows.svg", ns_against_flows),
        ("flows", "worker-ns-against-flows.svg", worker_ns_against_flows),
        ("workers", "workers.svg", workers_against_throughput),
    )
    written = []
    for part, name, draw in pictures:
        if report.get(part):
            draw(directory / name, report)
            written.append(directory / name)
    return written
