#include "bridge/bridge.h"

#include <poll.h>

#include <algorithm>
#include <iostream>

#include "base/log.h"
#include "control/view.h"

namespace ossloop::bridge {
namespace {

constexpr std::int64_t kMs = 1'000'000;
// A server that does not answer within that is none.
constexpr std::int64_t kConnectNs = 5000 * kMs;
// How long to wait before it is tried again, at first and at most.
constexpr std::int64_t kFirstPauseNs = 250 * kMs, kLongestPauseNs = 4000 * kMs;
// What is still on its way to the card in the end is waited for so long.
constexpr std::int64_t kLastNs = 1000 * kMs;

struct Kind {
  const char* word;
  std::unique_ptr<SoundServer> (*connect)(const ServerRequest& request);
};
constexpr Kind kKinds[] = {{"pulse", connect_pulse}, {"alsa", connect_alsa}};

const Kind& find_kind(const std::string& word) {
  return *std::find_if(std::begin(kKinds), std::end(kKinds),
                       [&](const Kind& kind) { return word == kind.word; });
}

}  // namespace

void wait_for(const WakeEvent& event, std::int64_t deadline_ns) {
  const std::int64_t left_ns = std::clamp<std::int64_t>(deadline_ns - now_ns(), 0, kLongestWaitNs);
  const timespec pause{left_ns / 1'000'000'000, left_ns % 1'000'000'000};
  pollfd waited{event.fd(), POLLIN, 0};
  if (::ppoll(&waited, 1, &pause, nullptr) > 0) event.clear();
}

Bridge::Bridge(const Options& options, int number) : options_(options), number_(number) {}

void Bridge::tell(const std::string& line, bool detail) const {
  if (detail && !options_.verbose) return;
  std::string text = "ossloop-bridge: " + line;
  base::make_one_line(text.data(), text.size());
  std::cerr << text + "\n";
}

void Bridge::wait(std::int64_t deadline_ns) const {
  if (server_ != nullptr) return server_->wait(deadline_ns);
  wait_for(event_, deadline_ns);
}

bool Bridge::connect(const std::string& kind, std::string& why) {
  const std::int64_t deadline_ns = now_ns() + kConnectNs;
  kind_ = kind;
  start_connecting();
  while (server_->state() == SoundServer::State::kConnecting && now_ns() < deadline_ns)
    server_->wait(deadline_ns);
  if (server_->state() == SoundServer::State::kReady) return true;
  why = std::string(server_->name()) + ": " +
        (server_->state() == SoundServer::State::kGone ? server_->why() : "it does not answer");
  server_.reset();
  return false;
}

bool Bridge::find_server(std::string& why) {
  if (options_.to != "auto") return connect(options_.to, why);
  std::string reasons;
  for (const Kind& kind : kKinds) {
    if (connect(kind.word, why)) return true;
    reasons += (reasons.empty() ? "" : "; ") + why;
  }
  why = "there is no sound server and no card: " + reasons;
  return false;
}

bool Bridge::begin(const config::Runtime& runtime, std::string& why) {
  const control::InstanceView view = control::look(runtime, number_);
  const auto clock = config::format_policy_value(view.policy, "clock");
  if (clock != "realtime") {
    why = "instance " + std::to_string(number_) + " has clock=" + clock +
          ", which no card can keep up with; accepted is realtime";
    return false;
  }
  if (options_.in && options_.out && config::format_policy_value(view.policy, "duplex") != "on") {
    why = "--in and --out at once: instance " + std::to_string(number_) +
          " has duplex=off; 'ossloopctl set " + std::to_string(number_) +
          " duplex=on' makes it a headset";
    return false;
  }
  for (const bool plays : {true, false}) {
    if (!(plays ? options_.out : options_.in)) continue;
    passages_.push_back(std::make_unique<Passage>(
        number_, plays, options_.latency_ms, event_,
        [this](const std::string& line, bool detail) { tell(line, detail); }));
    if (!passages_.back()->open(runtime, why)) return false;
  }
  return find_server(why);
}

bool Bridge::is_feedback() const {
  return std::any_of(passages_.begin(), passages_.end(),
                     [](const auto& passage) { return passage->is_feedback(); });
}

void Bridge::start_connecting() {
  server_ = find_kind(kind_).connect(
      {options_.device, options_.out, options_.in, event_, [this] { return is_feedback(); }});
}

// One line when it goes, one when it is back.
void Bridge::mind_server(std::int64_t now_ns) {
  if (server_ != nullptr && server_->state() == SoundServer::State::kConnecting &&
      now_ns > retry_ns_ + kConnectNs) {
    server_.reset();
    retry_ns_ = now_ns + pause_ns_;
  }
  if (server_ != nullptr && server_->state() == SoundServer::State::kGone) {
    if (!std::exchange(away_, true)) {
      tell(std::string(server_->name()) + " is gone (" + server_->why() +
               "): the programs play on unheard",
           false);
      pause_ns_ = kFirstPauseNs;
    }
    for (auto& passage : passages_) passage->leave_card();
    server_.reset();
    retry_ns_ = now_ns + pause_ns_;
    pause_ns_ = std::min(2 * pause_ns_, kLongestPauseNs);
  }
  if (server_ == nullptr && now_ns >= retry_ns_) start_connecting();
  if (away_ && server_ != nullptr && server_->state() == SoundServer::State::kReady) {
    away_ = false;
    tell(std::string(server_->name()) + " is back", false);
  }
}

void Bridge::run(const volatile std::sig_atomic_t& asked_to_stop) {
  while (asked_to_stop == 0) {
    const std::int64_t now = now_ns();
    mind_server(now);
    const bool ready = server_ != nullptr && server_->state() == SoundServer::State::kReady;
    std::int64_t next_ns = now + kLongestWaitNs;
    if (server_ == nullptr) next_ns = std::min(next_ns, retry_ns_);
    for (auto& passage : passages_) {
      passage->step(now, ready ? server_.get() : nullptr);
      next_ns = std::min(next_ns, passage->next_ns());
    }
    wait(next_ns);
  }
  // To the last frame that was taken.
  std::int64_t heard_ns = 0;
  for (const auto& passage : passages_) heard_ns = std::max(heard_ns, passage->finish(now_ns()));
  for (const std::int64_t most_ns = now_ns() + kLastNs; now_ns() < std::min(heard_ns, most_ns);)
    wait(heard_ns);
}

}  // namespace ossloop::bridge
