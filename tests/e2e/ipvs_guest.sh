#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# init of a user-mode-linux guest whose root is this machine's root file system; ipvs_guest.py starts it. It loads
# modules, names its interface eth0, and then does what it is told: for each N from 1 on, it waits for
# $guest_dir/command-N, runs it, and leaves $guest_dir/result-N: the output, and at its end "exit" and the code on a line
# of their own. guest_dir and guest_modules (with commas) come from the kernel's command line.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
exec >"$guest_dir/log" 2>&1

# What a module needs stands behind its colon in modules.dep, the innermost last.
load() {
    local line needed
    line=$(grep "/$1.ko:" "$modules/modules.dep")
    for needed in $(printf '%s\n' ${line#*:} | tac) "${line%%:*}"; do
        [[ " $loaded " != *" $needed "* ]] || continue
        busybox insmod "$modules/$needed"
        loaded+=" $needed"
    done
}

modules=/usr/lib/uml/modules/$(uname -r)
loaded=""
for module in ${guest_modules//,/ }; do load "$module"; done
ip link set lo up
ip link set vec0 name eth0
ip link set eth0 up

# A process costs a tenth of a second here, so there is only one for each command, and none to wait.
exec 9<> <(:)
for ((n = 1; ; ++n)); do
    until [[ -e $guest_dir/command-$n ]]; do read -r -t 0.005 -u 9; done
    (set -e && source "$guest_dir/command-$n") >"$guest_dir/result-$n" 2>&1
    echo "exit $?" >>"$guest_dir/result-$n"
done
