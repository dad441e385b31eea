// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/tap.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace lbdp::dataplane {
namespace {

std::string reason(int error) {
  return std::strerror(error);
}  // NOLINT(concurrency-mt-unsafe): glibc's is safe

ifreq request_for(const std::string& name) {
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  return request;
}

Error creation_error(const std::string& name, int error) {
  switch (error) {
    case EBUSY:
    case EEXIST:
      return {"interface " + name + " exists already: the tap that stands in for the DPDK port takes this name, so " +
              "the host must not have it (ip link show dev " + name +
              "); remove or rename it, or set another \"interface\" for the port in the dataplane block"};
    case EPERM:
    case EACCES: return {"interface " + name + ": creating a tap needs root or CAP_NET_ADMIN: " + reason(error)};
    case EINVAL: return {"interface " + name + ": the kernel does not allow this name for an interface"};
    default: return {"interface " + name + ": cannot create the tap: " + reason(error)};
  }
}

}  // namespace

Result<Tap> Tap::create(const std::string& name, const MacAddress& mac, uint16_t mtu) {
  if (name.empty() || name.size() >= IFNAMSIZ || name.find('%') != std::string::npos) {
    return fail("interface \"" + name + "\": an interface's name has 1 to 15 characters, and no %");
  }
  FileDescriptor descriptor(open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (descriptor.get() < 0) {
    return fail("interface " + name + ": cannot open /dev/net/tun: " + reason(errno));
  }
  ifreq request = request_for(name);
  // IFF_TUN_EXCL: never attach to an interface that is there already, not even to a persistent tap.
  const unsigned flags = static_cast<unsigned>(IFF_TAP) | IFF_NO_PI | IFF_TUN_EXCL;
  request.ifr_flags = static_cast<short>(flags);
  if (ioctl(descriptor.get(), TUNSETIFF, &request) != 0) {
    // The kernel says EINVAL for a name that a device of another kind has.
    const int error = errno == EINVAL && if_nametoindex(name.c_str()) != 0 ? EEXIST : errno;
    return tl::unexpected<Error>(creation_error(name, error));
  }
  Tap tap(name, std::move(descriptor));
  if (Result<void> configured = tap.configure(mac, mtu); !configured) {
    return tl::unexpected<Error>(configured.error());
  }
  return tap;
}

Result<void> Tap::configure(const MacAddress& mac, uint16_t mtu) {
  // No offload: the kernel must hand over finished frames, checksums filled in and no longer than the MTU.
  if (ioctl(descriptor_.get(), TUNSETOFFLOAD, 0UL) != 0) {
    return fail("interface " + name_ + ": cannot switch the tap's offloads off: " + reason(errno));
  }
  set_carrier(false);
  const FileDescriptor control(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request = request_for(name_);
  request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
  std::copy(mac.bytes.begin(), mac.bytes.end(), reinterpret_cast<uint8_t*>(request.ifr_hwaddr.sa_data));
  if (ioctl(control.get(), SIOCSIFHWADDR, &request) != 0) {
    return fail("interface " + name_ + ": cannot set the MAC address " + mac.to_string() + ": " + reason(errno));
  }
  request = request_for(name_);
  request.ifr_mtu = mtu;
  if (ioctl(control.get(), SIOCSIFMTU, &request) != 0) {
    return fail("interface " + name_ + ": cannot set the MTU " + std::to_string(mtu) + ": " + reason(errno));
  }
  request = request_for(name_);
  if (ioctl(control.get(), SIOCGIFFLAGS, &request) == 0) {
    request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  }
  if (ioctl(control.get(), SIOCSIFFLAGS, &request) != 0) {
    return fail("interface " + name_ + ": cannot bring it up: " + reason(errno));
  }
  index_ = static_cast<int>(if_nametoindex(name_.c_str()));
  return {};
}

void Tap::set_carrier(bool up) {
  int carrier = up ? 1 : 0;
  // A kernel before 5.0 does not know it: the carrier is then always there.
  (void)ioctl(descriptor_.get(), TUNSETCARRIER, &carrier);
}

}  // namespace lbdp::dataplane
