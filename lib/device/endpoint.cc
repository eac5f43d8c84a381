#include "device/endpoint.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>

#include "base/signals.h"
#include "device/loop_format.h"
#include "device/ring_size.h"
#include "device/turn.h"
#include "shm/folder.h"
#include "shm/wakeup.h"

namespace ossloop::device {
namespace {

using base::sys;
constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr std::uint32_t kFullVolume = 100 | 100 << 8;
// A close waits this long for a consumer that fetches nothing.
constexpr std::int64_t kIdlePeerNs = 500'000'000;
constexpr std::uint32_t kPolicyMark = 0x100;

bool no_holder(int, const Endpoint*) { return true; }
Endpoint::HoldsDescriptor holds_descriptor = no_holder;

bool claimed(const shm::Node& node) {
  base::Fd fd(node.open(true));
  return fd && shm::Node::claimed_by_other(fd.get());
}

}  // namespace

void Endpoint::set_holder(HoldsDescriptor holds) { holds_descriptor = holds; }

Endpoint::Endpoint(std::shared_ptr<shm::Segment> segment, const std::string& folder, int instance,
                   abi::SideIndex side)
    : instance_(instance),
      node_(folder, instance, side),
      peer_node_(folder, instance, side == abi::kServer ? abi::kClient : abi::kServer),
      port_(std::move(segment), side),
      playback_(port_),
      capture_(port_) {}

Endpoint::~Endpoint() {
  Timer::instance().remove(this);
  // These numbers belong to the timer thread's table; it closed them, or its end did.
  timer_node_.release();
  timer_peer_.release();
}

std::unique_ptr<Endpoint> Endpoint::open(const OpenRequest& request, int& fd, int& error) {
  if (request.side == abi::kServer && request.access == kReadWrite) {
    error = -EACCES;
    return nullptr;
  }
  // Again if the instance was removed between our look and our claim: what we
  // then hold nobody else would ever find.
  for (int attempt = 0; attempt < 8; ++attempt) {
    std::shared_ptr<shm::Segment> segment;
    bool server_there = true;
    Timer::instance().run([&] { segment = find(request, server_there, error); });
    if (segment == nullptr) return nullptr;
    std::unique_ptr<Endpoint> endpoint(
        new Endpoint(std::move(segment), request.folder, request.instance, request.side));
    // This one in the program's table: it is the lowest free number.
    base::Fd node(endpoint->node_.open(request.close_on_exec));
    error = node ? shm::Node::claim(node.get()) : node.get();
    if (error == -ENOENT) continue;
    if (error == 0 && !(endpoint->node_.is(node.get()) && endpoint->port_.segment().current())) {
      error = -ENOENT;
      continue;
    }
    if (error == 0) error = endpoint->begin(request, server_there);
    if (error != 0) return nullptr;
    shm::Node::set_token(node.get(), false);
    endpoint->publish_open();
    fd = node.release();
    Timer::instance().add(endpoint.get());
    Timer::instance().run([&] { endpoint->keep_descriptors(); });
    return endpoint;
  }
  return nullptr;
}

// Folder, segment and nodes as they are or have to be made; whether a server
// holds its side. In the timer thread.
std::shared_ptr<shm::Segment> Endpoint::find(const OpenRequest& request, bool& server_there,
                                             int& error) {
  error = shm::prepare_folder(request.folder, request.mode, true);
  if (error != 0) return nullptr;
  auto segment = shm::Segment::open(request.folder, request.instance, request.birth, error);
  if (segment == nullptr) return nullptr;
  for (const abi::SideIndex side : {abi::kServer, abi::kClient}) {
    error = shm::Node(request.folder, request.instance, side).make(request.mode);
    if (error != 0) return nullptr;
  }
  if (request.side == abi::kClient) {
    server_there = claimed(shm::Node(request.folder, request.instance, abi::kServer));
  }
  return segment;
}

// With the claim in hand: may this open be, and is there memory for it?
int Endpoint::begin(const OpenRequest& request, bool server_there) {
  if (request.side == abi::kClient &&
      !(server_there && is_open(port_.peer().open.load(std::memory_order_acquire)))) {
    return request.exclusive ? -ENXIO : -EAGAIN;
  }
  claim_side(request);
  int error = 0;
  if (request.side == abi::kServer) {
    const std::size_t ring = ring_bytes(kServerDefault, port_.buffer_ms());
    Timer::instance().run([&] { error = port_.segment().reserve_ring(ring); });
  }
  return error;
}

// Everything of the side as a new open finds it. Nobody else writes here now:
// the claim is ours.
void Endpoint::claim_side(const OpenRequest& request) {
  abi::Side& side = port_.side();
  access_ = request.access;
  for (auto* zero : {&side.low_water_bytes, &side.fragment_chosen, &side.polled, &side.token,
                     &side.shared, &side.partial_bytes}) {
    zero->store(0, kRelaxed);
  }
  for (auto* zero : {&side.frames, &side.stream_frames, &side.zero_frames, &side.seen_frames}) {
    zero->store(0, kRelaxed);
  }
  side.access.store(request.access, kRelaxed);
  side.nonblock.store(request.nonblock ? 1 : 0, kRelaxed);
  side.pid.store(static_cast<std::uint32_t>(::getpid()), kRelaxed);
  side.trigger.store(3, kRelaxed);
  side.cooked.store(1, kRelaxed);
  side.play_volume.store(kFullVolume, kRelaxed);
  side.record_volume.store(kFullVolume, kRelaxed);
  std::snprintf(side.command, sizeof side.command, "%s", program_invocation_short_name);
  std::memset(side.song, 0, sizeof side.song);
  std::memset(side.label, 0, sizeof side.label);
  shm::make_wakeup(side);
  serial_ = serial_of(side.open.load(std::memory_order_acquire)) + 1;

  audio::PcmFormat format = kServerDefault;
  if (request.mu_law) format = {audio::afmt::kMuLaw, 1, 8000};
  if (port_.server()) {
    auto& loop = port_.contract().loop;
    loop.changed_ns.store(sys().now_ns(), kRelaxed);
    loop.word.store(pack(format, 0, static_cast<std::uint16_t>(serial_)), std::memory_order_release);
  }
  port_.set_format(format);
  port_.set_buffering(default_buffering(format, port_.buffer_ms()));
  // A producer that was killed left its stream open: it ends where it stopped.
  playback_.end();
  playback_.arm(true);
  if (port_.server() || (request.access & kRead) != 0) capture_.attach();
}

void Endpoint::publish_open() {
  port_.side().open.store(serial_ << 1 | 1, std::memory_order_release);
  shm::wake(port_.peer());
}

std::unique_ptr<Endpoint> Endpoint::adopt(const std::string& folder, int instance,
                                          abi::SideIndex side, int fd) {
  std::shared_ptr<shm::Segment> segment;
  int error = 0;
  Timer::instance().run([&] { segment = shm::Segment::open_existing(folder, instance, error); });
  if (segment == nullptr) return nullptr;
  const std::uint64_t open = segment->contract().side[side].open.load(std::memory_order_acquire);
  // A descriptor of the claim may claim again; any other description may not.
  if (!is_open(open) || shm::Node::claim(fd) != 0) return nullptr;
  std::unique_ptr<Endpoint> endpoint(new Endpoint(std::move(segment), folder, instance, side));
  endpoint->serial_ = serial_of(open);
  endpoint->access_ =
      std::clamp<std::uint32_t>(endpoint->port_.side().access.load(kRelaxed), kRead, kReadWrite);
  endpoint->port_.side().shared.store(1, std::memory_order_seq_cst);
  Timer::instance().add(endpoint.get());
  Timer::instance().run([&] { endpoint->keep_descriptors(); });
  return endpoint;
}

template <typename Look>
ssize_t Endpoint::transfer(int fd, std::size_t bytes, Look look) {
  std::size_t done = 0;
  std::optional<shm::Sleeper> sleeper;
  for (;;) {
    Step step;
    {
      Turn turn(*this, fd);
      const std::int64_t now_ns = sys().now_ns();
      step = look(done, now_ns);
      // Who polls and finds nothing may have seen a nudge half-way.
      if (step.moved == 0 && nonblock()) port_.side().token.store(abi::kTokenUnknown, kRelaxed);
      show_token(fd);
      if (watch_wanted() > watch_.load(kRelaxed)) Timer::instance().poke();
    }
    done += step.moved;
    if (done == bytes || step.finished) return static_cast<ssize_t>(done);
    if (step.error == 0 && leaving_.load(kRelaxed)) step.error = -EBADF;
    if (step.error == 0 && nonblock() && (done > 0 || !step.always)) step.error = -EAGAIN;
    if (step.error != 0) return done > 0 ? static_cast<ssize_t>(done) : step.error;
    if (!sleeper) {
      // Announced now; whatever changes from here on wakes us.
      sleeper.emplace(port_.side(), step.wait.wake_frame);
      continue;
    }
    const int woken = sleep(*sleeper, step.wait.deadline_ns);
    sleeper.reset();
    if (woken == -EINTR) return done > 0 ? static_cast<ssize_t>(done) : -EINTR;
  }
}

// 0 when it is time to look again, -EINTR when the call has to end.
int Endpoint::sleep(shm::Sleeper& sleeper, std::int64_t deadline_ns) {
  const base::Handlers handlers = base::signal_handlers();
  if (handlers == base::Handlers::kMixed) {
    std::int64_t alarm = alarm_ns_.load();
    while (deadline_ns < alarm && !alarm_ns_.compare_exchange_weak(alarm, deadline_ns)) {
    }
    if (Timer::instance().poke()) return sleeper.sleep() == -EINTR ? -EINTR : 0;
  }
  const int woken = sleeper.sleep_until(deadline_ns);
  // A handler that was installed while we slept is looked at now.
  return woken == -EINTR && base::signal_handlers() != base::Handlers::kRestart ? -EINTR : 0;
}

Endpoint::Watch Endpoint::watch_wanted() const {
  if (!is_open(port_.peer().open.load(std::memory_order_acquire))) {
    return port_.side().polled.load(kRelaxed) != 0 ? Watch::kWaiting : Watch::kIdle;
  }
  if (!playback_.streaming() && !capture_.flow().running()) return Watch::kWaiting;
  return port_.side().polled.load(kRelaxed) != 0 ? Watch::kTicking : Watch::kStreaming;
}

ssize_t Endpoint::read(int fd, std::byte* data, std::size_t bytes, bool progressed) {
  if ((access_ & kRead) == 0) return -EBADF;
  if (bytes == 0) return 0;
  if (data == nullptr) return -EFAULT;
  bool slept_for_start = false;
  return transfer(fd, bytes, [&](std::size_t done, std::int64_t now_ns) {
    const bool was_running = capture_.flow().running();
    Step step = capture_.read(data + done, bytes - done, progressed || done > 0, now_ns);
    // The read that slept until the client started goes on to its first sound.
    slept_for_start = slept_for_start || step.always;
    step.always = slept_for_start;
    if (!was_running && capture_.flow().running()) started();
    return step;
  });
}

ssize_t Endpoint::write(int fd, const std::byte* data, std::size_t bytes, bool progressed) {
  if ((access_ & kWrite) == 0) return -EBADF;
  if (bytes == 0) return 0;
  if (data == nullptr) return -EFAULT;
  return transfer(fd, bytes, [&](std::size_t done, std::int64_t now_ns) {
    const bool was_streaming = playback_.streaming();
    Step step = playback_.write(data + done, bytes - done, progressed || done > 0, now_ns);
    if (!was_streaming && playback_.streaming()) started();
    return step;
  });
}

void Endpoint::started() {
  nudge_peer_.store(true);
  Timer::instance().poke();
}

std::uint32_t Endpoint::live_direction() const {
  if (port_.server() || access_ != kReadWrite) return access_;
  if (!is_open(port_.peer().open.load(std::memory_order_acquire))) return kWrite;
  return port_.peer().access.load(kRelaxed) == kWrite ? kRead : kWrite;
}

std::uint64_t Endpoint::low_water_frames() const {
  const std::uint32_t chosen = port_.side().low_water_bytes.load(kRelaxed);
  if (chosen == 0) return port_.fragment_frames();
  return std::max<std::uint64_t>(chosen / static_cast<std::uint32_t>(port_.format().frame_bytes()), 1);
}

bool Endpoint::ready(std::int64_t now_ns) {
  return live_direction() == kRead ? capture_.ready(low_water_frames(), now_ns)
                                   : playback_.ready(low_water_frames(), now_ns);
}

// The token of a reader means "readable", that of a writer "not writable".
// With the turn held.
void Endpoint::show_token(int fd) {
  abi::Side& side = port_.side();
  if (side.polled.load(kRelaxed) == 0) return;
  const bool token = ready(sys().now_ns()) == (live_direction() == kRead);
  if (holds_descriptor(fd, this)) put_token(fd, token);
}

// A peer that nudges leaves kTokenUnknown behind its byte, whenever it comes.
void Endpoint::put_token(int fd, bool token) {
  abi::Side& side = port_.side();
  const std::uint32_t wanted = token ? 1 : 0;
  for (int attempt = 0; attempt < 3; ++attempt) {
    std::uint32_t seen = side.token.load(kRelaxed);
    if (seen == wanted) return;
    shm::Node::set_token(fd, token);
    if (side.token.compare_exchange_strong(seen, wanted)) return;
  }
}

short Endpoint::prepare_poll(int fd, short events) {
  Turn turn(*this, fd);
  const std::uint32_t direction = live_direction();
  const auto possible = static_cast<short>(direction == kRead ? POLLIN | POLLRDNORM | POLLPRI
                                                              : POLLOUT | POLLWRNORM);
  abi::Side& side = port_.side();
  const bool first = side.polled.exchange(1, std::memory_order_acq_rel) == 0;
  bool started = false;
  if (direction == kRead && (events & (POLLIN | POLLRDNORM)) != 0 &&
      (side.trigger.load(kRelaxed) & kRead) != 0) {
    started = capture_.start();
  }
  show_token(fd);
  if (started) this->started();
  if (first || watch_wanted() > watch_.load(kRelaxed)) Timer::instance().poke();
  return possible;
}

int Endpoint::set_format(int fd, const audio::PcmFormat& wanted) {
  Turn turn(*this, fd);
  if (wanted == port_.format()) return 0;
  abi::Side& side = port_.side();
  if (port_.server()) {
    auto& loop = port_.contract().loop;
    std::uint64_t seen = loop.word.load(std::memory_order_acquire);
    if (frozen_by(seen) != 0) return 0;
    int error = 0;
    const std::size_t ring = ring_bytes(wanted, port_.buffer_ms());
    Timer::instance().run([&] { error = port_.segment().reserve_ring(ring); });
    if (error != 0) return error;
    loop.changed_ns.store(sys().now_ns(), kRelaxed);
    const std::uint64_t next = pack(wanted, 0, server_serial(seen));
    if (!loop.word.compare_exchange_strong(seen, next, std::memory_order_acq_rel)) return 0;
  }
  port_.set_format(wanted);
  side.partial_bytes.store(0, kRelaxed);
  port_.set_buffering(chosen_buffering(wanted));
  return 0;
}

// Fragments that the program chose keep their bytes over a change of format, the
// default keeps its time. Side::fragment_chosen is 0, SETFRAGMENT's word, or
// kPolicyMark with the policy.
Buffering Endpoint::chosen_buffering(const audio::PcmFormat& format) const {
  const std::uint32_t chosen = port_.side().fragment_chosen.load(kRelaxed);
  if (chosen == 0) return default_buffering(format, port_.buffer_ms());
  if ((chosen & kPolicyMark) != 0) {
    return policy_buffering(static_cast<int>(chosen & 0xf), format, port_.buffer_ms());
  }
  return requested_buffering(chosen, format, port_.buffer_ms());
}

void Endpoint::choose_fragment(int fd, std::uint32_t request) {
  Turn turn(*this, fd);
  const std::uint32_t shift = std::clamp<std::uint32_t>(request & 0xffff, 4, 24);
  port_.side().fragment_chosen.store((request & 0x7fff0000) | shift, kRelaxed);
  port_.set_buffering(chosen_buffering(port_.format()));
}

void Endpoint::choose_policy(int fd, int policy) {
  Turn turn(*this, fd);
  port_.side().fragment_chosen.store(kPolicyMark | static_cast<std::uint32_t>(policy), kRelaxed);
  port_.set_buffering(chosen_buffering(port_.format()));
}

void Endpoint::subdivide(int fd, std::uint32_t divisor) {
  Turn turn(*this, fd);
  port_.set_buffering(subdivided(port_.buffering(), divisor, port_.format()));
}

bool Endpoint::transferring() const { return port_.side().frames.load(kRelaxed) != 0; }

Space Endpoint::space(int fd, Access direction) {
  Turn turn(*this, fd);
  const std::int64_t now_ns = sys().now_ns();
  const Buffering parts = port_.buffering();
  const std::uint64_t frames = direction == kRead ? capture_.available_frames(now_ns)
                                                  : playback_.space_frames(now_ns);
  const std::int64_t bytes = static_cast<std::int64_t>(std::min(frames, port_.buffer_frames())) *
                             port_.format().frame_bytes();
  return {bytes / parts.fragment_bytes, parts.fragments, parts.fragment_bytes, bytes};
}

Pointer Endpoint::pointer(int fd, Access direction) {
  Turn turn(*this, fd);
  const std::int64_t now_ns = sys().now_ns();
  abi::Side& side = port_.side();
  Pointer result;
  const std::uint64_t moved = side.frames.load(kRelaxed);
  std::uint64_t position = moved;
  if (direction == kRead) {
    result.queued_frames = std::min(capture_.available_frames(now_ns), port_.buffer_frames());
    position = moved + result.queued_frames;
  } else {
    const std::uint64_t queued = playback_.queued_frames(now_ns);
    position = moved - std::min(moved, queued);
    result.queued_frames = queued + playback_.filter_frames();
  }
  result.frames = position - std::min(position, side.zero_frames.load(kRelaxed));
  const std::uint64_t seen = std::min(side.seen_frames.exchange(result.frames), result.frames);
  const std::uint64_t fragment = port_.fragment_frames();
  const std::uint64_t buffer = port_.buffer_frames();
  result.fragments = result.frames / fragment - seen / fragment;
  // Programs that know only the place in the buffer take a whole round for
  // standing still (ALSA's plugin then waits for ever): show one frame less.
  const bool whole_rounds = result.frames != seen && (result.frames - seen) % buffer == 0;
  result.ptr_bytes = (result.frames - (whole_rounds ? 1 : 0)) % buffer *
                     static_cast<std::uint64_t>(port_.format().frame_bytes());
  return result;
}

std::uint64_t Endpoint::delay_frames(int fd) {
  Turn turn(*this, fd);
  return playback_.queued_frames(sys().now_ns()) + playback_.filter_frames();
}

Errors Endpoint::errors(int fd) {
  Turn turn(*this, fd);
  const std::int64_t now_ns = sys().now_ns();
  // What is overdue is counted when somebody looks.
  if (live_direction() == kRead) capture_.available_frames(now_ns);
  // Of both directions: the counters are kept by the consumer of each.
  const auto& play = port_.contract().direction[port_.server() ? abi::kServerToClient
                                                               : abi::kClientToServer];
  const auto& record = port_.contract().direction[port_.server() ? abi::kClientToServer
                                                                 : abi::kServerToClient];
  const Errors total{play.consumer.underruns.load(kRelaxed), record.consumer.overruns.load(kRelaxed)};
  const Errors before = std::exchange(errors_told_, total);
  // A counter that went back began anew with another consumer.
  auto since = [](std::uint64_t now, std::uint64_t then) { return now < then ? now : now - then; };
  return {since(total.play_underruns, before.play_underruns),
          since(total.record_overruns, before.record_overruns)};
}

void Endpoint::halt(int fd, std::uint32_t directions) {
  {
    Turn turn(*this, fd);
    const std::int64_t now_ns = sys().now_ns();
    if ((directions & access_ & kWrite) != 0) playback_.halt(now_ns);
    if ((directions & access_ & kRead) != 0) capture_.halt(now_ns);
    abi::Side& side = port_.side();
    side.zero_frames.store(side.frames.load(kRelaxed), kRelaxed);
    side.seen_frames.store(0, kRelaxed);
    show_token(fd);
  }
  shm::wake(port_.side());
}

int Endpoint::sync(int fd) {
  if ((access_ & kWrite) == 0) return 0;
  std::optional<shm::Sleeper> sleeper;
  std::uint64_t progress = 0;
  std::int64_t moved_ns = sys().now_ns();
  for (;;) {
    Step step;
    {
      Turn turn(*this, fd);
      const std::int64_t now_ns = sys().now_ns();
      const std::uint64_t before = progress;
      if (playback_.drained(now_ns, step, progress)) return 0;
      if (progress != before) moved_ns = now_ns;
      if (now_ns - moved_ns > kIdlePeerNs || leaving_.load(kRelaxed) != (fd < 0)) return 0;
    }
    if (!sleeper) {
      sleeper.emplace(port_.side(), step.wait.wake_frame);
      continue;
    }
    const int woken = sleep(*sleeper, step.wait.deadline_ns);
    sleeper.reset();
    if (woken == -EINTR) return -EINTR;
  }
}

std::uint32_t Endpoint::trigger() const { return port_.side().trigger.load(kRelaxed) & access_; }

void Endpoint::set_trigger(int fd, std::uint32_t directions) {
  const std::uint32_t before = port_.side().trigger.exchange(directions & kReadWrite);
  const std::uint32_t stopped = before & ~directions;
  if ((stopped & access_) != 0) halt(fd, stopped);
  Turn turn(*this, fd);
  if ((access_ & kWrite) != 0) playback_.arm((directions & kWrite) != 0);
  bool started = false;
  if ((access_ & directions & kRead) != 0 && live_direction() == kRead) started = capture_.start();
  show_token(fd);
  shm::wake(port_.peer());
  if (started) this->started();
}

void Endpoint::set_volume(Access direction, std::uint32_t volume) {
  auto& field = direction == kRead ? port_.side().record_volume : port_.side().play_volume;
  if (field.exchange(volume) != volume) port_.side().setting_serial.fetch_add(1, kRelaxed);
}

bool Endpoint::nonblock() const { return port_.side().nonblock.load(kRelaxed) != 0; }
void Endpoint::set_nonblock(bool on) { port_.side().nonblock.store(on ? 1 : 0, kRelaxed); }

void Endpoint::close_one(const std::function<void()>& close_descriptor) {
  const base::SignalsHeld signals;
  std::lock_guard lock(mutex_);
  close_descriptor();
}

void Endpoint::leave(int fd, const std::function<void()>& close_descriptor) {
  const base::NotCancelled whole;
  leaving_.store(true);
  shm::wake(port_.side());
  {
    Turn turn(*this, fd);
    playback_.finish(sys().now_ns());
    // The consumer hears of the end before it runs dry, or it would take our
    // absence for lateness and put silence in.
    if (port_.side().shared.load(std::memory_order_acquire) == 0) playback_.end();
    close_descriptor();
  }
  // If the claim is free now, nobody else holds the open, and we end it.
  bool last = false;
  Timer::instance().run([&] {
    const base::Fd& node = node_fd(timer_node_, node_);
    last = node && shm::Node::claim(node.get()) == 0;
  });
  // From here on the claim is the timer thread's descriptor: a side that drains
  // is busy.
  abi::Side& side = port_.side();
  if (last && serial_of(side.open.load(std::memory_order_acquire)) == serial_) {
    // Nobody can write any more.
    {
      Turn turn(*this, -1);
      playback_.end();
    }
    shm::wake(port_.peer());
    sync(-1);
    std::uint64_t open = serial_ << 1 | 1;
    side.open.compare_exchange_strong(open, serial_ << 1, std::memory_order_acq_rel);
    shm::wake(port_.peer());
  }
  gone_.store(true);
  Timer::instance().run([&] { drop_descriptors(); });
}

// A program may change its root or its user once it has its devices: then names
// lead nowhere, descriptors do. In the timer thread.
void Endpoint::keep_descriptors() {
  if (!Timer::instance().has_own_descriptors()) return;
  node_fd(timer_node_, node_);
  node_fd(timer_peer_, peer_node_);
  port_.segment().keep_descriptor();
}

void Endpoint::drop_descriptors() {
  timer_node_.reset();
  timer_peer_.reset();
  port_.segment().drop_descriptor();
}

base::Fd& Endpoint::node_fd(base::Fd& cached, const shm::Node& node) {
  if (!cached) cached.reset(node.open(true));
  return cached;
}

// The kernel says who is alive: a side that is open and not claimed is dead.
void Endpoint::witness_peer(std::int64_t now_ns) {
  witnessed_ns_ = now_ns;
  abi::Side& peer = port_.peer();
  std::uint64_t open = peer.open.load(std::memory_order_acquire);
  if (!is_open(open)) return;
  const base::Fd& fd = node_fd(timer_peer_, peer_node_);
  if (!fd || shm::Node::claimed_by_other(fd.get())) return;
  if (peer.open.compare_exchange_strong(open, open & ~std::uint64_t{1})) shm::wake(port_.side());
}

// A peer whose program sits in poll() while nothing ran hears at once that we
// started; its own timer would be slower. A reader finds its sound a moment
// later, a writer can write.
void Endpoint::nudge_peer() {
  abi::Side& peer = port_.peer();
  if (!nudge_peer_.exchange(false) || peer.polled.load(kRelaxed) == 0) return;
  const base::Fd& fd = node_fd(timer_peer_, peer_node_);
  if (!fd) return;
  const bool peer_reads = live_direction() == kWrite;
  shm::Node::set_token(fd.get(), peer_reads);
  peer.token.store(abi::kTokenUnknown);
}

std::int64_t Endpoint::tick(std::int64_t now_ns) {
  if (gone_.load()) return now_ns + 1'000'000'000;
  nudge_peer();
  abi::Side& side = port_.side();
  if (now_ns >= alarm_ns_.load()) {
    alarm_ns_.store(kNoAlarm);
    shm::wake(side);
  }
  // Posts that a killed peer still owed, or that one of another ABI cannot make.
  shm::wake_at(side, live_direction() == kRead ? capture_.flow().written_by_peer()
                                               : playback_.flow().read_by_peer());
  const Watch watch = watch_wanted();
  watch_.store(watch, kRelaxed);
  constexpr std::int64_t kLivenessNs[] = {1'000'000'000, 400'000'000, 100'000'000, 100'000'000};
  const std::int64_t liveness = kLivenessNs[static_cast<int>(watch)];
  if (now_ns - witnessed_ns_ >= liveness - 1'000'000) witness_peer(now_ns);
  std::int64_t next_ns = now_ns + (watch == Watch::kTicking ? tick_ns() : liveness);
  if (side.polled.load(kRelaxed) != 0) show_token_from_timer(now_ns);
  next_ns = std::min(next_ns, alarm_ns_.load());
  // Without a table of its own the thread must not keep numbers of the program.
  if (!Timer::instance().has_own_descriptors()) drop_descriptors();
  return next_ns;
}

void Endpoint::show_token_from_timer(std::int64_t now_ns) {
  std::unique_lock lock(mutex_, std::try_to_lock);
  const base::Fd& fd = node_fd(timer_node_, node_);
  if (!lock.owns_lock() || !fd) return;
  abi::Side& side = port_.side();
  const bool shared = side.shared.load(std::memory_order_acquire) != 0;
  if (shared && shm::Node::take_turn(fd.get(), false) != 0) return;
  const bool token = ready(now_ns) == (live_direction() == kRead);
  put_token(fd.get(), token);
  if (shared) shm::Node::end_turn(fd.get());
}

std::int64_t Endpoint::tick_ns() const {
  const std::int64_t fragment_ns =
      static_cast<std::int64_t>(port_.fragment_frames()) * 1'000'000'000 / port_.format().rate_hz;
  const std::int64_t tick_ms =
      std::clamp<std::int64_t>(port_.contract().policy.tick_ms.load(kRelaxed), 1, 100);
  return std::clamp<std::int64_t>(fragment_ns, 1'000'000, tick_ms * 1'000'000);
}

void Endpoint::before_fork() {
  mutex_.lock();
  port_.side().shared.store(1, std::memory_order_seq_cst);
}

void Endpoint::after_fork(bool child) {
  if (child) {
    timer_node_.release();
    timer_peer_.release();
    port_.segment().forget_descriptor();
    playback_.inherit();
  }
  mutex_.unlock();
}

}  // namespace ossloop::device
