#include "ossloopctl/listener.h"

#include <errno.h>
#include <poll.h>

#include <algorithm>

#include "base/error_text.h"
#include "control/view.h"
#include "ossloopctl/command.h"

namespace ossloop::ctl {
namespace {

using base::sys;
constexpr std::int64_t kMs = 1'000'000;
// Nobody wakes a tap.
constexpr std::int64_t kPauseNs = 5 * kMs;
constexpr std::int64_t kLookForUsersNs = 100 * kMs;

// False: a signal came, or the reader of `pipe` is gone.
bool pause(std::int64_t ns, const sigset_t* blocked, int pipe = -1) {
  const timespec time{ns / 1'000'000'000, ns % 1'000'000'000};
  pollfd entry{pipe, 0, 0};
  return ::ppoll(&entry, 1, &time, blocked) == 0;
}

bool is_open(const control::InstanceView& view) {
  return view.side[abi::kServer].state == control::SideState::kOpen ||
         view.side[abi::kClient].state == control::SideState::kOpen;
}

// Where it is not said: in the place of whoever hears.
abi::SideIndex side_of(const SideChoice& choice, const control::InstanceView& view) {
  if (choice.server || choice.client) return choice.server ? abi::kServer : abi::kClient;
  return view.stream.server_reads ? abi::kServer : abi::kClient;
}

}  // namespace

bool Listener::open(const config::Runtime& runtime, const SideChoice& side, std::string& why) {
  if (!parse_instance(side.instance, number_, why)) return false;
  name_ = "instance " + std::to_string(number_);
  folder_ = control::directory_of(runtime);
  const std::int64_t patience_ns = static_cast<std::int64_t>(side.wait_seconds * 1e9);
  const std::int64_t deadline_ns = sys().now_ns() + patience_ns;
  control::InstanceView view = control::look(runtime, number_);
  // One that is about to open has none yet.
  while (!is_open(view) && (view.in_use() || sys().now_ns() < deadline_ns)) {
    if (!pause(20 * kMs, nullptr)) break;
    view = control::look(runtime, number_);
  }
  if (!view.exists()) {
    why = "there is no " + name_ + "; 'ossloopctl create N' makes one";
    return false;
  }
  if (!view.problem.empty()) {
    why = view.problem;
    return false;
  }
  if (!is_open(view)) {
    why = "nobody uses " + name_ + "; --wait SECONDS waits for a program";
    return false;
  }
  side_ = side_of(side, view);
  return true;
}

bool Listener::set_format(const audio::PcmFormat& format, std::string& why) {
  int error = 0;
  auto segment = shm::Segment::open_existing(folder_, number_, error);
  if (segment == nullptr) {
    why = name_ + ": " + base::error_text(-error);
    return false;
  }
  frame_bytes_ = static_cast<std::size_t>(format.frame_bytes());
  tap_ = std::make_unique<device::Tap>(std::move(segment), folder_, number_, side_, format);
  return true;
}

void Listener::look_for_users(std::int64_t now_ns) {
  if ((!used_ && !follows_) || now_ns - looked_ns_ < kLookForUsersNs) return;
  looked_ns_ = now_ns;
  used_ = tap_->in_use();
  if (used_) told_ = false;
}

bool Listener::wait(const sigset_t& blocked, int pipe, std::string&) {
  for (;;) {
    const std::int64_t now_ns = sys().now_ns();
    look_for_users(now_ns);
    if (used_ ? tap_->ready(now_ns) : !told_) return true;
    if (!pause(kPauseNs, &blocked, pipe)) return false;
  }
}

bool Listener::read(void* data, std::size_t bytes, std::size_t& got, bool& ended,
                    std::string& why) {
  got = 0;
  ended = !used_ && !told_;
  told_ = !used_;
  if (!used_) return true;
  const auto step = tap_->read(static_cast<std::byte*>(data), bytes, sys().now_ns());
  got = step.moved;
  // Its player, or its server, has ended.
  ended = got == 0 && (step.short_return || step.error == -ECONNRESET || step.error == -ENXIO);
  if (got > 0 || ended || step.error == 0) return true;
  why = name_ + ": " + base::error_text(-step.error);
  return false;
}

bool Listener::has_more() { return used_ && tap_->ready(sys().now_ns()); }

std::string Listener::faults() { return std::to_string(tap_->lost_frames()) + " lost"; }

std::string Listener::losses() {
  const std::uint64_t lost = tap_->lost_frames();
  return lost == 0 ? std::string() : ", " + std::to_string(lost) + " frames were lost";
}

}  // namespace ossloop::ctl
