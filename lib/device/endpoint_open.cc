// How an open comes about: by open(), or by a descriptor that came from elsewhere.
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>

#include "base/host.h"
#include "config/policy.h"
#include "device/admission.h"
#include "device/endpoint.h"
#include "device/unsettled_fd.h"
#include "shm/claims.h"
#include "stream/format_word.h"
#include "stream/levels.h"

namespace ossloop::device {
namespace {

using base::sys;
constexpr auto kRelaxed = std::memory_order_relaxed;

// A server that opens is waited for in so many moments.
constexpr int kOpeningMoments = 50;

shm::Node::Claim claim_on(const shm::Node& node) {
  const base::Fd fd(node.reach());
  return fd ? shm::Node::claim_of_other(fd.get()) : shm::Node::Claim::kNone;
}

void wait_a_moment() {
  const timespec moment{0, 1'000'000};
  ::nanosleep(&moment, nullptr);
}

}  // namespace

// The door of a side (shm/node.h), held while an open looks for its place. The descriptor is
// of the device thread's table; where that has none, of the program's, out of the way.
class Endpoint::Door {
 public:
  explicit Door(const OpenRequest& request)
      : node_(request.folder, request.instance, request.side) {}
  ~Door() {
    DeviceThread::instance().run([this] { fd_.reset(); });
  }
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  // 0, -EBUSY, or what the system says.
  int enter() {
    int error = -EBUSY;
    for (int moment = 0; moment < shm::Node::kOpeningMs && error == -EBUSY; ++moment) {
      if (moment > 0) wait_a_moment();
      error = DeviceThread::instance().has_own_descriptors() ? try_in_thread() : try_here();
    }
    return error;
  }

 private:
  int try_in_thread() {
    int error = 0;
    DeviceThread::instance().run([&] {
      if (!fd_) fd_.reset(node_.reach());
      error = fd_ ? shm::Node::take_door(fd_.get()) : fd_.get();
    });
    return error;
  }
  int try_here() {
    constexpr int kOutOfTheWay = 200;
    if (!here_) here_.emplace(node_, true, kOutOfTheWay);
    return here_->get() >= 0 ? shm::Node::take_door(here_->get()) : here_->get();
  }

  const shm::Node node_;
  base::Fd fd_;
  std::optional<UnsettledFd> here_;
};

std::unique_ptr<Endpoint> Endpoint::open(const OpenRequest& request, int& fd, int& error) {
  // Again if the instance was removed between our look and our claim: what we
  // then hold nobody else would ever find.
  for (int attempt = 0; attempt < 8; ++attempt) {
    std::shared_ptr<shm::Segment> segment;
    auto server = shm::Node::Claim::kAnnounced;
    for (int moment = 0; moment < kOpeningMoments; ++moment) {
      DeviceThread::instance().run([&] { segment = find(request, server, error); });
      if (segment == nullptr) return nullptr;
      if (server != shm::Node::Claim::kOpening) break;
      wait_a_moment();
    }
    Door door(request);
    error = door.enter();
    if (error == -ENOENT) continue;
    if (error != 0) return nullptr;
    Admission admission(request, *segment);
    DeviceThread::instance().run([&] { error = admission.find_place(); });
    if (error != 0) {
      // Who has no number left hears of that first.
      const UnsettledFd number(shm::Node(request.folder, request.instance, request.side), true);
      if (number.get() == -EMFILE || number.get() == -ENFILE) error = number.get();
      return nullptr;
    }
    std::unique_ptr<Endpoint> endpoint(new Endpoint(segment, request.folder, request.instance,
                                                    admission.place(), request.access,
                                                    admission.both_ways()));
    // This one in the program's table: it is the lowest free number.
    UnsettledFd node(endpoint->peer_monitor_.own_node(), request.close_on_exec);
    error = node.get() >= 0 ? shm::Node::claim_patiently(node.get()) : node.get();
    if (error == 0 && !endpoint->still_named(node.get())) error = -ENOENT;
    if (error == -ENOENT) continue;
    if (error == 0) error = endpoint->begin(request, server == shm::Node::Claim::kAnnounced);
    if (error == 0) error = endpoint->readiness_.begin(node.get());
    if (error != 0) return nullptr;
    endpoint->each_half([](OpenHalf& half) { half.publish(); });
    shm::Node::announce(node.get());
    fd = node.release();
    endpoint->watch_over();
    return endpoint;
  }
  return nullptr;
}

// Folder, segment and nodes as they are or have to be made; for a client, how the
// server holds its own. In the device thread.
std::shared_ptr<shm::Segment> Endpoint::find(const OpenRequest& request, shm::Node::Claim& server,
                                             int& error) {
  error = request.folder.make();
  if (error != 0) return nullptr;
  auto segment = shm::Segment::open(request.folder, request.instance, request.init, error);
  if (segment == nullptr) return nullptr;
  for (const abi::SideIndex side : {abi::kServer, abi::kClient}) {
    error = shm::Node(request.folder, request.instance, side).make();
    if (error != 0) return nullptr;
  }
  // What killed programs left there.
  if (request.side == abi::kServer) segment->give_back();
  if (request.side == abi::kClient) server = claim_of_server(request, *segment);
  return segment;
}

// One that opens hides one that is there: it is a moment only.
shm::Node::Claim Endpoint::claim_of_server(const OpenRequest& request,
                                           const shm::Segment& segment) {
  using Claim = shm::Node::Claim;
  Claim found = claim_on(shm::Node(request.folder, request.instance, abi::kServer));
  for (const Access way : {kRead, kWrite}) {
    const abi::Half& half = half_of(segment.contract(), abi::kServer, way);
    const shm::Place place = shm::place_of(half, abi::kServer, 0);
    if (found != Claim::kNone || place == shm::Place(abi::kServer)) continue;
    if (!is_open(half.open.load(std::memory_order_acquire))) continue;
    found = claim_on(shm::Node(request.folder, request.instance, place));
  }
  return found;
}

// The program's descriptor was opened by a path: is it the node that the folder has, and
// the segment still the instance's?
bool Endpoint::still_named(int fd) {
  struct stat status {};
  if (sys().fstat(fd, &status) != 0) return false;
  bool named = false;
  DeviceThread::instance().run(
      [&] { named = peer_monitor_.own_node().is(status) && half().segment().current(); });
  return named;
}

// While a client opens, its claim tells nothing of the open that stands there: it may be
// that of a killed one, and this one may find that it comes too early.
void Endpoint::check_client_alive() {
  bool is_opening = true;
  for (int moment = 0; moment < kOpeningMoments && is_opening; ++moment) {
    if (moment > 0) wait_a_moment();
    DeviceThread::instance().run([&] { is_opening = peer_monitor_.peer_is_opening(); });
  }
  DeviceThread::instance().run([&] {
    peer_monitor_.check_peer_alive(sys().now_ns());
    peer_monitor_.drop_descriptors();
  });
}

void Endpoint::forget_killed() {
  each_half([](OpenHalf& half) {
    half.own().open.fetch_and(~std::uint64_t{1}, std::memory_order_acq_rel);
  });
  for (const OpenHalf* half : {&playing_, &recording_}) {
    if (owns(half->way())) half->own().access.store(0, kRelaxed);
  }
}

// With the claim in hand: may this open be? A killed one's open may still stand there, and
// nobody has seen its end: a client that comes now must not begin a stream for it. The same
// of the other side: a server would play to a client that is dead.
int Endpoint::begin(const OpenRequest& request, bool server_there) {
  forget_killed();
  if (request.side == abi::kServer) check_client_alive();
  const bool needs_server =
      config::get<"open", abi::OpenRule>(half().contract().policy) == abi::OpenRule::kServer;
  if (request.side == abi::kClient && needs_server && !(server_there && peer_open())) {
    return request.exclusive ? -ENXIO : -EAGAIN;
  }
  claim_side(request);
  return 0;
}

std::uint32_t Endpoint::place_word() const {
  const abi::Policy& policy = half().contract().policy;
  std::uint32_t word = static_cast<std::uint32_t>(place_.kind);
  if (both_ways_) word |= abi::kBothWays;
  if (config::get<"duplex", abi::Duplex>(policy) == abi::Duplex::kOn) word |= abi::kDuplexOpen;
  if (config::get<"open", abi::OpenRule>(policy) == abi::OpenRule::kAlways)
    word |= abi::kOpenAlways;
  if (config::get<"clients", std::uint32_t>(policy) > 1) word |= abi::kForSeveral;
  return word;
}

// Everything of the side as a new open finds it. Nobody else writes here now:
// the claim is ours.
void Endpoint::claim_side(const OpenRequest& request) {
  // A producer that was killed left its stream open: it ends where it stopped, as loud as
  // it was.
  if (owns(kWrite)) playback_.end();
  if (!half().server()) go_on_or_end();
  audio::PcmFormat format = kServerDefault;
  if (request.mu_law) format = {audio::afmt::kMuLaw, 1, 8000};
  each_half([&](OpenHalf& half) {
    half.claim(access_, place_word());
    half.set_format(format);
    half.set_buffering(default_buffering(format, half.buffer_ms()));
  });
  half().own().nonblock.store(request.nonblock ? 1 : 0, kRelaxed);
  if (owns(kWrite)) playback_.arm(true, 0);
  if (owns(kRead) && (half().server() || (access_ & kRead) != 0)) capture_.attach();
}

bool Endpoint::holds_claim(int fd) { return shm::Node::keeps_claim(fd); }

std::unique_ptr<Endpoint> Endpoint::adopt(const shm::RuntimeDirectory& folder, int instance,
                                          const shm::Place& place, int fd) {
  std::shared_ptr<shm::Segment> segment;
  struct stat status {};
  int error = sys().fstat(fd, &status);
  if (error != 0) return nullptr;
  DeviceThread::instance().run([&] {
    if (!shm::Node(folder, instance, place).is(status)) return;
    segment = shm::Segment::open_existing(folder, instance, error);
  });
  if (segment == nullptr) return nullptr;
  std::uint32_t ways = 0;
  std::uint32_t both = 0;
  for (const Access way : {kRead, kWrite}) {
    const abi::Half& half = half_of(segment->contract(), place.side, way, place.slot);
    if (!is_open(half.open.load(std::memory_order_acquire))) continue;
    if (shm::place_of(half, place.side, place.slot) != place) continue;
    ways |= way;
    both = half.place.load(kRelaxed) & abi::kBothWays;
  }
  if (ways == 0 || !holds_claim(fd)) return nullptr;
  std::unique_ptr<Endpoint> endpoint(
      new Endpoint(segment, folder, instance, place, ways, both != 0 && ways == kReadWrite));
  endpoint->each_half([](OpenHalf& half) { half.adopt(); });
  endpoint->mark_shared();
  // Maps do not outlive an exec of the program that had them.
  if (endpoint->half().own().pump_owner.load(kRelaxed) == static_cast<std::uint32_t>(::getpid())) {
    endpoint->each_half([](OpenHalf& half) {
      half.own().mapped.mapped.store(0, kRelaxed);
      half.own().mapped.running.store(0, kRelaxed);
    });
  }
  endpoint->watch_over();
  return endpoint;
}

// The child of a vfork() only hands the descriptor down, to the program that it becomes.
void Endpoint::watch_over() {
  if (!base::own_process()) return;
  DeviceThread::instance().add(this);
  DeviceThread::instance().run([&] { peer_monitor_.keep_descriptors(); });
}

}  // namespace ossloop::device
