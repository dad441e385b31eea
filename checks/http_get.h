// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <memory>
#include <string>

#include "checks/probe.h"

namespace lbdp::checks {

/// The request as keepalived 2.2.7 sends it: HTTP/1.0, User-Agent and Host.
[[nodiscard]] std::string http_request(const HttpUrl& url);

/// "200", "200-299", "200, 301-302".
[[nodiscard]] std::string to_string(const std::vector<HttpUrl::StatusRange>& ranges);

/// HTTP_GET of params.urls[url]: success when the status is a wanted one. connect_timeout is the deadline for
/// everything up to the end of the response's header; no more than the header is read, and at most
/// HttpResponseReader::kHeaderLimit of it.
[[nodiscard]] std::unique_ptr<Probe> start_http_get(asio::io_context& io, const HttpGetParams& params, size_t url,
                                                    OnProbeDone done);

}  // namespace lbdp::checks
