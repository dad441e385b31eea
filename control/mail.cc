// SPDX-License-Identifier: BSD-2-Clause
#include "control/mail.h"

#include <spdlog/spdlog.h>

#include <ctime>
#include <deque>
#include <utility>

#include "control/smtp_session.h"

namespace lbdp::control {
namespace {

struct Pending {
  MailText text;
  std::time_t created = 0;
  unsigned attempts = 0;
};

}  // namespace

struct Mailer::Impl : std::enable_shared_from_this<Mailer::Impl> {
  Impl(asio::io_context& io_context, spdlog::logger& logger) : io(io_context), log(logger), retry_timer(io_context) {}

  [[nodiscard]] bool enabled() const { return params.smtp_server.has_value() && !envelope_to.empty(); }
  void send(MailText text);
  void deliver_next();
  void delivered(const SmtpResult& result);
  void not_delivered(const SmtpResult& result);
  void retry_later();
  void retry_now();
  void stop();

  asio::io_context& io;
  spdlog::logger& log;
  MailParams params;
  std::string envelope_from;
  std::vector<std::string> envelope_to;
  std::deque<Pending> queue;  // the front is being delivered while there is a session
  std::shared_ptr<SmtpSession> session;
  asio::steady_timer retry_timer;
  bool waiting_to_retry = false;
  bool overflow_logged = false;
  MailStatus counters;
};

void Mailer::Impl::send(MailText text) {
  if (!enabled()) {
    return;
  }
  if (queue.size() >= kMaxPending) {
    ++counters.overflowed;
    if (!std::exchange(overflow_logged, true)) {
      log.error("mail: {} messages are waiting for {}: new ones are dropped until it takes some", queue.size(),
                params.smtp_server->to_string());
    }
    return;
  }
  queue.push_back({.text = std::move(text), .created = std::time(nullptr)});
  deliver_next();
}

void Mailer::Impl::deliver_next() {
  if (session || waiting_to_retry || queue.empty()) {
    return;
  }
  if (!enabled()) {  // a reload took the server away
    counters.failed += queue.size();
    log.warn("mail: {} waiting messages dropped: there is no mail server any more", queue.size());
    queue.clear();
    return;
  }
  auto& mail = queue.front();
  ++mail.attempts;
  SmtpMessage message{.server = *params.smtp_server,
                      .helo_name = params.helo_name,
                      .from = envelope_from,
                      .to = envelope_to,
                      .data = smtp_data(params.from, params.to, mail.text, mail.created),
                      .step_timeout = params.smtp_connect_timeout};
  session = std::make_shared<SmtpSession>(io, std::move(message), [weak = weak_from_this()](const SmtpResult& result) {
    if (const auto self = weak.lock()) {
      self->delivered(result);
    }
  });
  session->start();
}

void Mailer::Impl::delivered(const SmtpResult& result) {
  session.reset();
  for (const auto& refusal : result.refused) {
    log.warn("mail: '{}' not sent to one recipient: {}", queue.front().text.subject, refusal);
  }
  if (result.sent) {
    ++counters.sent;
    log.info("SMTP alert successfully sent. ('{}')", queue.front().text.subject);
    queue.pop_front();
    overflow_logged = false;
    deliver_next();
  } else {
    not_delivered(result);
  }
}

void Mailer::Impl::not_delivered(const SmtpResult& result) {
  counters.last_error = result.error;
  auto& mail = queue.front();
  const bool give_up = result.permanent || mail.attempts >= kAttempts;
  if (give_up) {
    ++counters.failed;
    log.error("mail: '{}' given up after {} of {} attempts: {}", mail.text.subject, mail.attempts, kAttempts,
              result.error);
    queue.pop_front();
  } else if (mail.attempts == 1) {
    log.warn("mail: '{}' not sent yet: {}", mail.text.subject, result.error);
  }
  if (result.permanent) {
    deliver_next();
  } else {
    retry_later();
  }
}

/// The server is in trouble: what waits behind would meet the same.
void Mailer::Impl::retry_later() {
  if (queue.empty() || !enabled()) {
    deliver_next();
    return;
  }
  waiting_to_retry = true;
  retry_timer.expires_after(params.retry_after);
  retry_timer.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (!error && self) {
      self->waiting_to_retry = false;
      self->deliver_next();
    }
  });
}

void Mailer::Impl::stop() {
  retry_timer.cancel();
  if (session) {
    session->cancel();
  }
  if (!queue.empty()) {
    log.warn("mail: {} messages were still waiting and are dropped", queue.size());
  }
}

Mailer::Mailer(asio::io_context& io, spdlog::logger& log) : impl_(std::make_shared<Impl>(io, log)) {}

Mailer::~Mailer() {
  impl_->stop();
}

void Mailer::configure(MailParams params) {
  impl_->params = std::move(params);
  if (impl_->params.helo_name.empty()) {
    boost::system::error_code error;
    impl_->params.helo_name = asio::ip::host_name(error);
  }
  impl_->envelope_from = envelope_address(impl_->params.from);
  impl_->envelope_to.clear();
  for (const auto& to : impl_->params.to) {
    if (auto address = envelope_address(to); !address.empty()) {
      impl_->envelope_to.push_back(std::move(address));
    } else {
      impl_->log.error("mail: '{}' is not an address to write to: left out", to);
    }
  }
  impl_->retry_now();
}

/// New parameters may well mend what failed with the old ones: no waiting.
void Mailer::Impl::retry_now() {
  if (std::exchange(waiting_to_retry, false)) {
    retry_timer.cancel();
    deliver_next();
  }
}

bool Mailer::enabled() const {
  return impl_->enabled();
}

void Mailer::send(MailText text) {
  impl_->send(std::move(text));
}

MailStatus Mailer::status() const {
  auto status = impl_->counters;
  status.pending = impl_->queue.size();
  return status;
}

}  // namespace lbdp::control
