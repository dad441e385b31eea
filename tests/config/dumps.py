# SPDX-License-Identifier: BSD-2-Clause
"""What keepalived logs of its configuration under -d, read, and the same facts out of `lbdp --dump-config=json`.

Both become {name of a thing: {keyword: value}} with seconds as floats and flags as booleans, so that they can be compared;
what only one of them tells is not in them."""

import re

# keepalived's label: (lb.conf's keyword, how the text is read).
_ON = {"enabled": True, "disabled": False, "yes": True, "no": False, "true": True, "false": False, "ON": True, "OFF": False}


def _seconds(text):
    number, _, unit = text.partition(" ")
    scale = {"": 1, "s": 1, "sec": 1, "secs": 1, "milli-sec": 1e-3, "us": 1e-6}[unit]
    return round(float(number.removesuffix("s")) * scale, 6)


def _not(text):
    return not _ON[text]


INSTANCE = {
    "VRRP Version": ("version", int),
    "Wantstate": ("state", str),
    "Interface": ("interface", str),
    "Gratuitous ARP delay": ("garp_master_delay", _seconds),
    "Gratuitous ARP repeat": ("garp_master_repeat", int),
    "Gratuitous ARP refresh": ("garp_master_refresh", _seconds),
    "Gratuitous ARP refresh repeat": ("garp_master_refresh_repeat", int),
    "Gratuitous ARP lower priority delay": ("garp_lower_prio_delay", _seconds),
    "Gratuitous ARP lower priority repeat": ("garp_lower_prio_repeat", int),
    "Down timer adverts": ("down_timer_adverts", int),
    "Send advert after receive lower priority advert": ("lower_prio_no_advert", _not),
    "Send advert after receive higher priority advert": ("higher_prio_send_advert", _ON.get),
    "Virtual Router ID": ("virtual_router_id", int),
    "Priority": ("priority", int),
    "Advert interval": ("advert_int", _seconds),
    "Preempt": ("nopreempt", _not),
    "Preempt delay": ("preempt_delay", _seconds),
    "Using smtp notification": ("smtp_alert", _ON.get),
    "Unicast TTL": ("unicast_ttl", int),
}
# Lists: the head of keepalived's, whose lines follow.
LISTS = {
    "Virtual IP": "virtual_ipaddress",
    "Virtual IP Excluded": "virtual_ipaddress_excluded",
    "Unicast Peer": "unicast_peer",
    "Tracked interfaces": "track_interface",
    "Tracked scripts": "track_script",
    "Tracked files": "track_file",
    "Tracked processes": "track_process",
}
# What is not in keepalived's dump when it is so.
INSTANCE_SILENT = {"preempt_delay": 0.0}
SCRIPT = {"Interval": ("interval", _seconds), "Weight": ("weight", int), "Rise": ("rise", int), "Fall": ("fall", int)}
PROCESS = {
    "Min processes": ("quorum", int),
    "Weight": ("weight", int),
    "Terminate delay": ("terminate_delay", _seconds),
    "Fork delay": ("fork_delay", _seconds),
    "Full command": ("full_command", _ON.get),
}
FILE = {"File": ("file", str), "Weight": ("weight", int)}
SERVICE = {
    "lvs_sched": ("lb_algo", str),
    "persistence timeout": ("persistence_timeout", _seconds),
    "protocol": ("protocol", str),
    "One packet scheduling": ("ops", _ON.get),
    "omega": ("omega", _ON.get),
    "Using smtp notification": ("smtp_alert", _ON.get),
    "quorum": ("quorum", int),
    "hysteresis": ("hysteresis", int),
}
SERVICE_SILENT = {"persistence_timeout": 0.0}
SERVER = {
    "Inhibit on failure": ("inhibit_on_failure", _ON.get),
    "Using smtp notification": ("smtp_alert", _ON.get),
    "initial weight": ("weight", int),
    "uthreshold": ("uthreshold", int),
    "lthreshold": ("lthreshold", int),
}
CHECKER = {
    "Alpha": ("alpha", _ON.get),
    "Delay loop": ("delay_loop", _seconds),
    "Warmup": ("warmup", _seconds),
    "Retries": ("retry", int),
    "Delay before retry": ("delay_before_retry", _seconds),
    "Timeout": ("connect_timeout", _seconds),
}


class _Things:
    """Gathers lines of a dump into things."""

    def __init__(self):
        self.things = {}
        self._thing, self._fields, self._list = {}, {}, None

    def begin(self, name, fields, silent=None):
        self._thing, self._fields = dict(silent or {}), fields
        self.things[name] = self._thing

    def end(self):
        self._thing, self._fields, self._list = {}, {}, None

    def begin_list(self, keyword):
        """What follows, up to the next fact, are entries of the list."""
        self._list = self._thing.setdefault(keyword, [])

    def entry(self, text):
        """Takes a line as an entry, if a list has begun. "ADDRESS dev IF ..." and "NAME weight N" are cut behind these."""
        cut = re.match(r"(\S+?),? (?:dev (\S+)|weight (-?\d+)|min_ttl (\d+) max_ttl (\d+))", text)
        if self._list is not None and cut:
            self._list.append(" ".join(word for word in cut.groups() if word is not None))

    def take(self, label, text):
        self._list = None
        if label in self._fields:
            keyword, read = self._fields[label]
            self._thing[keyword] = read(text)


def _facts(log):
    """(label, text) of each line of the dump: "  Priority = 100" and the like."""
    for line in log.splitlines():
        line = re.sub(r"^\w{3} \w{3} [ \d]\d [\d:]{8} \d{4}: ", "", line).strip()
        if line.startswith("----"):
            yield line, ""
            continue
        label, separator, text = line.partition(" = ")
        if not separator:
            label, _, text = line.partition(" is ")
        yield label, text


def instances_of_keepalived(log):
    """Instances, scripts, track files and processes out of the log of `keepalived -P -d`."""
    kinds = {"VRRP Instance": ("vrrp_instance", INSTANCE, INSTANCE_SILENT), "VRRP Script": ("vrrp_script", SCRIPT, None),
             "VRRP Track process": ("vrrp_track_process", PROCESS, None), "Track file": ("track_file", FILE, None)}
    found = _Things()
    for label, text in _facts(log):
        if label.startswith("----"):
            found.end()
        elif label in kinds:
            keyword, fields, silent = kinds[label]
            found.begin(f"{keyword} {text}", fields, silent)
        elif (head := re.match(r"([\w ]+?)(?: \(\d+\)| )?:$", label)) and head[1] in LISTS:
            found.begin_list(LISTS[head[1]])
        elif text:
            found.take(label, text)
        else:
            found.entry(label)
    return found.things


def services_of_keepalived(log):
    """Virtual servers, real servers and checkers out of the log of `keepalived -C -d`."""
    found, service = _Things(), ""
    for label, text in _facts(log):
        if label.startswith("----"):
            found.end()
        elif label == "VS VIP":
            address, port = text.split(", VPORT = ")
            service = f"{address} {port}"
            found.begin(f"virtual_server {service}", SERVICE, SERVICE_SILENT)
        elif label == "RIP":
            address, port = re.match(r"(\S+), RPORT = (\d+)", text).groups()
            found.begin(f"virtual_server {service} real_server {address} {port}", SERVER)
        elif label == "quorum":
            quorum, hysteresis = text.split(", hysteresis = ")
            found.take("quorum", quorum)
            found.take("hysteresis", hysteresis)
        elif label == "connection limit range":
            lower, upper = text.split(" -> ")
            found.take("uthreshold", upper)
            found.take("lthreshold", lower)
        else:
            found.take(label, text)
    return found.things | _checkers_of_keepalived(log)


def _checkers_of_keepalived(log):
    things, where, facts = {}, None, {}
    for label, text in _facts(log.partition("< Health checkers >")[2]):
        head = re.match(r"\[(\S+)\]:\w+:(\d+) -> \[(\S+)\]:\w+:(\d+)$", label)
        if head:
            where, facts = "virtual_server {} {} real_server {} {}".format(*head.groups()), {}
        elif label == "Keepalive method":
            things[f"{where} {text.partition(',')[0]}"] = facts
        elif where and label in CHECKER:
            keyword, read = CHECKER[label]
            facts[keyword] = read(text)
    return things


def _entry_of_lbdp(keyword, entry, instance):
    """An entry of a list as keepalived's is cut."""
    if keyword.startswith("virtual_ipaddress"):
        address = entry["address"].removesuffix("/128" if ":" in entry["address"] else "/32")
        return f"{address} {entry['dev'] or instance['interface']}"
    if keyword == "unicast_peer":
        return f"{entry['address']} {entry['min_ttl']} {entry['max_ttl']}"
    return f"{entry['name']} {entry['weight']}"


def _instance_of_lbdp(block):
    lists = {keyword: [_entry_of_lbdp(keyword, entry, block) for entry in block.get(keyword, [])] for keyword in LISTS.values()}
    return block | lists


def of_lbdp(dump):
    """The same things out of lbdp's dump, a JSON document."""
    things = {f"vrrp_instance {block['name']}": _instance_of_lbdp(block) for block in dump.get("vrrp_instance", [])}
    for keyword in ("vrrp_script", "track_file", "vrrp_track_process"):
        for block in dump.get(keyword, []):
            things[f"{keyword} {block['name']}"] = block
    for service in dump.get("virtual_server", []):
        name = f"virtual_server {service['address']} {service.get('port') or 0}"
        things[name] = service
        for server in service["real_server"]:
            server_name = f"{name} real_server {server['address']} {server.get('port') or 0}"
            things[server_name] = server
            for keyword, blocks in server.items():
                if keyword.isupper() and isinstance(blocks, list):
                    things.update({f"{server_name} {keyword}": block for block in blocks})
    return things


def _plain(value):
    """A weight without its direction; no time as no delay."""
    return value["value"] if isinstance(value, dict) and "value" in value else 0.0 if value is None else value


def differences(keepalived, lbdp, known=()):
    """One line for each thing that lbdp lacks and each value that it has otherwise; one for each of the `known` differences,
    (thing, keyword), that is none."""
    for name, facts in keepalived.items():
        if name not in lbdp:
            yield f"{name}: lbdp has none"
            continue
        for keyword, value in facts.items():
            ours = _plain(lbdp[name].get(keyword, "nothing"))
            if (ours != value) != ((name, keyword) in known):
                yield f"{name}: {keyword}: keepalived has {value!r}, lbdp {ours!r}"
