// SPDX-License-Identifier: BSD-2-Clause
#include "control/control_socket.h"

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <set>
#include <utility>

namespace lbdp::control {
namespace {

using Unix = asio::local::stream_protocol;
using ErrorCode = boost::system::error_code;

/// Removes a socket that nobody listens on any more.
Result<void> clear_path(asio::io_context& io, const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return {};
  if (!S_ISSOCK(info.st_mode)) return fail("control socket " + path + ": there is something else of that name");
  Unix::socket probe(io);
  ErrorCode error;
  probe.connect(Unix::endpoint(path), error);
  if (!error)
    return fail("control socket " + path + ": another lbdp listens there; --control-socket chooses another path");
  if (error != asio::error::connection_refused) return fail("control socket " + path + ": " + error.message());
  ::unlink(path.c_str());
  return {};
}

Result<void> listen_at(Unix::acceptor& acceptor, const std::string& path) {
  std::error_code no_directory;
  const auto directory = std::filesystem::path(path).parent_path();
  if (!directory.empty()) std::filesystem::create_directories(directory, no_directory);
  if (no_directory) {
    return fail("control socket " + path + ": cannot make the directory " + directory.string() + ": " +
                no_directory.message());
  }
  ErrorCode error;
  acceptor.open(Unix(), error);
  const mode_t old_mask = ::umask(0117);  // the socket is never open to others, not even for a moment
  if (!error) acceptor.bind(Unix::endpoint(path), error);
  ::umask(old_mask);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return fail("control socket " + path + ": " + error.message());
  return {};
}

}  // namespace

struct ControlSocket::Server : std::enable_shared_from_this<Server> {
  Server(asio::io_context& context, Handler given_handler, std::string given_too_long, Limits given_limits)
      : io(context),
        acceptor(context),
        pause(context),
        handler(std::move(given_handler)),
        too_long(std::move(given_too_long)),
        limits(given_limits) {}

  void accept();
  void stop();

  asio::io_context& io;
  Unix::acceptor acceptor;
  asio::steady_timer pause;
  Handler handler;
  std::string too_long;
  Limits limits;
  std::string path;
  ino_t inode = 0;
  std::set<std::shared_ptr<Session>> sessions;
  bool stopped = false;
};

/// One client: reads a line, has it answered, writes the answer, and so on.
struct ControlSocket::Session : std::enable_shared_from_this<Session> {
  Session(std::shared_ptr<Server> owner, Unix::socket connected)
      : server(std::move(owner)), socket(std::move(connected)), timer(server->io) {}

  void read();
  void take_line();
  void answer(Answer what);
  void arm_timer();
  void close();

  std::shared_ptr<Server> server;
  Unix::socket socket;
  asio::steady_timer timer;
  std::array<char, 4096> chunk{};
  std::string request;
  std::string out;
};

void ControlSocket::Server::accept() {
  acceptor.async_accept([self = shared_from_this()](const ErrorCode& failed, Unix::socket socket) {
    if (self->stopped) return;
    if (!failed && self->sessions.size() < self->limits.clients) {
      const auto session = std::make_shared<Session>(self, std::move(socket));
      self->sessions.insert(session);
      session->read();
    }
    if (!failed) return self->accept();
    // Out of descriptors, most likely: an accept at once would spin.
    self->pause.expires_after(std::chrono::milliseconds(100));
    self->pause.async_wait([self](const ErrorCode& cancelled) {
      if (!cancelled && !self->stopped) self->accept();
    });
  });
}

void ControlSocket::Server::stop() {
  stopped = true;
  ErrorCode ignored;
  acceptor.close(ignored);
  pause.cancel(ignored);
  for (const auto& session : std::exchange(sessions, {})) session->close();
  struct stat info {};
  const bool still_ours = ::lstat(path.c_str(), &info) == 0 && info.st_ino == inode;
  if (still_ours) ::unlink(path.c_str());
}

void ControlSocket::Session::read() {
  if (request.find('\n') != std::string::npos) return take_line();
  arm_timer();
  socket.async_read_some(asio::buffer(chunk), [self = shared_from_this()](const ErrorCode& failed, size_t length) {
    if (failed) return self->close();
    self->request.append(self->chunk.data(), length);
    self->take_line();
  });
}

void ControlSocket::Session::take_line() {
  const size_t end = request.find('\n');
  if (end == std::string::npos && request.size() <= server->limits.request_bytes) return read();
  if (end == std::string::npos || end > server->limits.request_bytes) return answer({server->too_long, true});
  const std::string line = request.substr(0, end);
  request.erase(0, end + 1);
  ErrorCode ignored;
  timer.cancel(ignored);  // the time that the answer takes is ours, not the client's
  server->handler(line, [self = shared_from_this()](Answer what) { self->answer(std::move(what)); });
}

void ControlSocket::Session::answer(Answer what) {
  if (!socket.is_open()) return;
  out = std::move(what.line);
  out.push_back('\n');
  arm_timer();
  asio::async_write(socket, asio::buffer(out),
                    [self = shared_from_this(), last = what.close](const ErrorCode& failed, size_t) {
                      if (failed || last) return self->close();
                      self->read();
                    });
}

void ControlSocket::Session::arm_timer() {
  timer.expires_after(server->limits.idle);
  timer.async_wait([self = weak_from_this()](const ErrorCode& cancelled) {
    const auto session = self.lock();
    if (!cancelled && session) session->close();
  });
}

void ControlSocket::Session::close() {
  ErrorCode ignored;
  timer.cancel(ignored);
  socket.close(ignored);
  server->sessions.erase(shared_from_this());
}

ControlSocket::ControlSocket(std::shared_ptr<Server> server) : server_(std::move(server)) {}

ControlSocket::~ControlSocket() {
  server_->stop();
}

Result<std::unique_ptr<ControlSocket>> ControlSocket::open(asio::io_context& io, const std::string& path,
                                                           Handler handler, std::string too_long) {
  return open(io, path, std::move(handler), std::move(too_long), Limits{});
}

Result<std::unique_ptr<ControlSocket>> ControlSocket::open(asio::io_context& io, const std::string& path,
                                                           Handler handler, std::string too_long, Limits limits) {
  if (path.size() >= sizeof(sockaddr_un{}.sun_path)) return fail("control socket " + path + ": the path is too long");
  if (auto cleared = clear_path(io, path); !cleared) return tl::unexpected(cleared.error());
  auto server = std::make_shared<Server>(io, std::move(handler), std::move(too_long), limits);
  server->path = path;
  if (auto listening = listen_at(server->acceptor, path); !listening) return tl::unexpected(listening.error());
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0) server->inode = info.st_ino;
  server->accept();
  return std::unique_ptr<ControlSocket>(new ControlSocket(std::move(server)));
}

}  // namespace lbdp::control
