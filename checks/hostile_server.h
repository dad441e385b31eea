// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "config/types/asio.h"
#include "config/types/endpoint.h"

namespace lbdp::checks {

/// For tests: a server on loopback that misbehaves on purpose. It lives on the reactor of the code under test and,
/// after a request (or without waiting for one), does what its script says.
class HostileServer {
 public:
  struct Script {
    std::string answer{};      // sent first
    std::string endless{};     // then this, again and again, as fast as it is taken; empty: nothing
    bool dribble = false;      // `answer` goes out one byte every 10 ms, and over again when it ends
    bool close = false;        // close when all is sent; otherwise the connection stays open in silence
    bool reset = false;        // as close, but with a RST
    bool read_request = true;  // wait for the request's empty line first
  };

  explicit HostileServer(asio::io_context& io, Script script)
      : acceptor_(io, {asio::ip::address_v4::loopback(), 0}), script_(std::move(script)) {
    accept();
  }

  void set_script(Script script) { script_ = std::move(script); }
  /// From now on connects are refused.
  void stop_listening() { acceptor_.close(); }
  [[nodiscard]] Endpoint endpoint() const { return endpoint_; }

  size_t connections = 0;
  size_t bytes_sent = 0;
  std::string last_request;

 private:
  struct Peer {
    explicit Peer(asio::ip::tcp::socket s) : socket(std::move(s)), timer(socket.get_executor()) {}
    asio::ip::tcp::socket socket;
    asio::steady_timer timer;
    Script script;
    std::string input;
    size_t dribbled = 0;
  };
  using PeerPtr = std::shared_ptr<Peer>;

  void accept() {
    acceptor_.async_accept([this](const boost::system::error_code& error, asio::ip::tcp::socket socket) {
      if (error) {
        return;
      }
      ++connections;
      auto peer = std::make_shared<Peer>(std::move(socket));
      peer->script = script_;
      accept();
      if (!peer->script.read_request) {
        act(peer);
        return;
      }
      asio::async_read_until(peer->socket, asio::dynamic_buffer(peer->input), "\r\n\r\n", [this, peer](auto e, auto) {
        if (!e) {
          last_request = peer->input;
          act(peer);
        }
      });
    });
  }

  void act(const PeerPtr& peer) {
    if (peer->script.dribble) {
      dribble(peer);
      return;
    }
    asio::async_write(peer->socket, asio::buffer(peer->script.answer), [this, peer](auto error, auto) {
      if (error) {
        return;
      }
      if (!peer->script.endless.empty()) {
        send_endlessly(peer);
      } else {
        finish(peer);
      }
    });
  }

  void send_endlessly(const PeerPtr& peer) {
    asio::async_write(peer->socket, asio::buffer(peer->script.endless), [this, peer](auto error, auto length) {
      bytes_sent += length;
      if (!error) {
        send_endlessly(peer);
      }
    });
  }

  void dribble(const PeerPtr& peer) {
    boost::system::error_code error;
    const auto& text = peer->script.answer;
    peer->socket.write_some(asio::buffer(&text[peer->dribbled++ % text.size()], 1), error);
    if (error) {
      return;
    }
    peer->timer.expires_after(std::chrono::milliseconds(10));
    peer->timer.async_wait([this, peer](auto) { dribble(peer); });
  }

  static void finish(const PeerPtr& peer) {
    if (peer->script.reset) {
      peer->socket.set_option(asio::socket_base::linger(true, 0));
      peer->socket.close();
    } else if (peer->script.close) {
      peer->socket.close();
    } else {
      watch(peer);
    }
  }

  /// Holds the connection open until the other side goes.
  static void watch(const PeerPtr& peer) {
    peer->input.resize(1);
    peer->socket.async_read_some(asio::buffer(peer->input), [peer](auto error, auto) {
      if (!error) {
        watch(peer);
      }
    });
  }

  asio::ip::tcp::acceptor acceptor_;
  Endpoint endpoint_ = *Endpoint::parse("127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()));
  Script script_;
};

}  // namespace lbdp::checks
