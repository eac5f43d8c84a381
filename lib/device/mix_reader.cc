#include "device/mix_reader.h"

#include <algorithm>

#include "config/policy.h"
#include "shm/wakeup.h"
#include "stream/position.h"

namespace ossloop::device {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
// Of its buffer the mix lets so much pass before it goes on without a player that is late.
constexpr std::uint64_t kPatientPart = 4;

}  // namespace

MixReader::MixReader(OpenHalf& half) : half_(half), count_(half.server() ? abi::kClients : 1) {
  for (std::uint32_t i = 0; i < count_; ++i) {
    lanes_[i] = std::make_unique<Lane>(half, half.server() ? i : half.slot());
  }
  set_alone(&first());
  // Another process of the open may have heard several.
  for (std::uint32_t i = 1; i < count_; ++i) several_ = several_ || lanes_[i]->flow().begun();
}

bool MixReader::owes_end() const {
  return any([](const Lane& lane) { return lane.flow().owes_end(); });
}

bool MixReader::underway() const {
  return any([](const Lane& lane) { return lane.flow().running() && lane.flow().underway(); });
}

bool MixReader::clock_runs() const {
  return any([](const Lane& lane) { return lane.flow().clock_runs(); });
}

std::uint64_t MixReader::overruns() const {
  std::uint64_t overruns = 0;
  for (std::uint32_t i = 0; i < count_; ++i) overruns += lanes_[i]->flow().overruns();
  return overruns;
}

std::uint64_t MixReader::lost_frames() const {
  std::uint64_t lost = 0;
  for (std::uint32_t i = 0; i < count_; ++i) lost += lanes_[i]->flow().lost_frames();
  return lost;
}

std::uint64_t MixReader::written() const {
  std::uint64_t written = 0;
  for (std::uint32_t i = 0; i < count_; ++i) written += lanes_[i]->flow().written_by_peer();
  return written;
}

std::uint64_t MixReader::position() const {
  const Lane* lane = waits_for_.load(kRelaxed);
  return lane != nullptr ? lane->flow().written_by_peer() : 0;
}

// Positions of several lanes are not comparable: any progress is worth a wake.
void MixReader::make_up_for_wakes(abi::Half& own) const {
  if (!several_ || seen_written_.load(kRelaxed) != written()) shm::wake_at(own, position());
}

void MixReader::attach() {
  several_ = false;
  cached_until_ = 0;
  each([](Lane& lane) {
    lane.flow().attach();
    lane.view = {};
  });
  set_alone(&first());
}

// The first lane's word is that of all: it is the last one here, and the first to be cleared,
// so that who goes on for a process that was killed in between starts the others too.
void MixReader::start() {
  for (std::uint32_t i = count_; i-- > 0;) lanes_[i]->flow().start();
}

void MixReader::start_together(std::int64_t now_ns) {
  for (std::uint32_t i = count_; i-- > 0;) lanes_[i]->flow().start_together(now_ns);
}

void MixReader::wake_writers() const {
  if (half_.listener() != nullptr) return;
  for (std::uint32_t i = 0; i < count_; ++i) shm::wake(lanes_[i]->flow().producer_half());
}

void MixReader::halt(std::int64_t now_ns) {
  cached_until_ = 0;
  each([&](Lane& lane) {
    lane.view = {};
    lane.reader.halt(now_ns);
  });
  set_alone(&first());
}

void MixReader::stop(std::int64_t now_ns) {
  each([&](Lane& lane) { lane.flow().stop(lane.reader.limits(), now_ns); });
}

// Are so many frames of the ring there without a look at the producer?
bool MixReader::cache_covers(std::uint64_t frames) const {
  const ConsumerFlow::View& view = first().view;
  return view.read == flow().read() && frames <= view.frames &&
         view.read + frames <= cached_until_ && cached_for_ == half_.buffer_changes() &&
         flow().free_clock() && flow().is_waited_for() && !first().reader.has_pending() &&
         half_.own().shared.load(std::memory_order_acquire) == 0;
}

int MixReader::look_for(std::uint64_t frames, std::int64_t now_ns, bool& fresh) {
  StreamReader& reader = first().reader;
  fresh = several_ || reader.follow() != 0 || !cache_covers(reader.to_ring(frames));
  ConsumerFlow::View& view = first().view;
  if (!fresh) {
    view.silence = 0;  // there may be sound by now
    return 0;
  }
  const int error = look(now_ns);
  cached_until_ = view.read + std::min(view.frames, flow().consumer_buffer(reader.limits()));
  cached_for_ = half_.buffer_changes();
  return error;
}

int MixReader::ask(std::int64_t now_ns, bool fills) {
  cached_until_ = 0;  // by another clock less may count as played than a read once knew
  return look(now_ns, fills || half_.own().shared.load(std::memory_order_acquire) == 0);
}

int MixReader::look(std::int64_t now_ns) { return look(now_ns, true); }

int MixReader::look(std::int64_t now_ns, bool fills) {
  turned_ = false;
  if (!several_ && count_ > 1) {
    several_ = config::get<"clients", std::uint32_t>(half_.contract().policy) > 1;
  }
  return several_ ? look_at_all(now_ns, fills) : look_at(first(), now_ns, fills);
}

int MixReader::look_at(Lane& lane, std::int64_t now_ns, bool fills) {
  const std::uint64_t section = lane.reader.section().number;
  const bool ran = lane.flow().clock_runs();
  const int error =
      fills ? lane.reader.look(now_ns, lane.view) : lane.reader.glance(now_ns, lane.view);
  turned_ = turned_ || lane.reader.section().number != section;
  // Who waits for room, and looked when no clock ran, would wait for us to read, and we for it
  // to write.
  if (!ran && lane.flow().clock_runs() && !lane.flow().is_tap())
    shm::wake(lane.flow().producer_half());
  return error;
}

// The last frames of a section may all stay in a filter, and its tail be nothing.
int MixReader::settle(Lane& lane, std::int64_t now_ns) {
  int error = 0;
  for (std::uint32_t marks = 0; marks <= abi::kMarks; ++marks) {
    error = look_at(lane, now_ns, true);
    ConsumerFlow::View& view = lane.view;
    const bool last =
        (view.closing || view.section_ends) && view.read + view.frames >= view.written;
    if (error != 0 || !last || view.end) break;
    if (lane.reader.count(view, 1) != 0 || lane.reader.has_more(view)) break;
  }
  return error;
}

bool MixReader::stopped() const {
  return any([](const Lane& lane) { return lane.reader.stopped(); });
}

int MixReader::look_at_all(std::int64_t now_ns, bool fills) {
  seen_written_.store(written(), kRelaxed);
  std::uint32_t begun = 0;
  each([&](Lane& lane) { begun += lane.flow().begun() ? 1 : 0; });
  each([&](Lane& lane) { lane.reader.may_stop(begun == 1); });
  std::array<int, abi::kClients> errors{};
  for (std::uint32_t i = 0; i < count_; ++i) {
    Lane& lane = *lanes_[i];
    if (lane.flow().begun()) {
      errors[i] = fills ? settle(lane, now_ns) : look_at(lane, now_ns, false);
    } else {
      lane.view = {};
    }
  }
  if (fills) pass_ends(now_ns);
  if (any([](const Lane& lane) { return lane.view.stream != 0; })) flow().not_at_end();
  find_alone();
  for (std::uint32_t i = 0; i < count_; ++i) {
    if (errors[i] == 0) continue;
    if (alone_ == lanes_[i].get()) return errors[i];
    drop(*lanes_[i]);
  }
  if (fills && alone_ == nullptr) join();
  none_joined_ = !any([](const Lane& lane) { return lane.view.streaming && lane.joined(); });
  mind_neighbours();
  return 0;
}

// All but one of the lanes that have come to their end leave, that one too if another goes
// on; each may have a next stream.
void MixReader::pass_ends(std::int64_t now_ns) {
  for (std::uint32_t pass = 0; pass < abi::kEnds; ++pass) {
    Lane* kept = nullptr;
    bool goes_on = false;
    each_begun([&](Lane& lane) {
      goes_on = goes_on || !lane.view.end;
      kept = &lane;
    });
    bool again = false;
    each_begun([&](Lane& lane) {
      if (!lane.view.end || (&lane == kept && !goes_on)) return;
      const bool may_go_on = lane.flow().may_go_on(lane.view.stream);
      lane.reader.end_stream();
      if (may_go_on) {
        lane.flow().pass_end(lane.view);
      } else {
        lane.flow().acknowledge(lane.view, false);
      }
      lane.view = {};
      if (!lane.flow().begun()) return;
      settle(lane, now_ns);
      again = again || lane.view.streaming;
    });
    if (!again) return;
  }
}

void MixReader::find_alone() {
  std::uint32_t begun = 0;
  Lane* only = nullptr;
  each_begun([&](Lane& lane) {
    ++begun;
    only = &lane;
  });
  const bool in_place = begun == 1 && (only->view.end || lead_of(*only, mixed()) == 0);
  set_alone(in_place ? only : nullptr);
}

void MixReader::set_alone(Lane* lane) {
  turned_ = turned_ || alone_ != lane;
  alone_ = lane;
  waits_for_.store(lane, kRelaxed);
}

// What cannot be had of a lane is gone, and so is its place in the mix.
void MixReader::drop(Lane& lane) {
  lane.reader.drop(lane.view);
  if (several_) lane.flow().join(0, 0);
  lane.view.read += lane.view.frames;
  lane.view.frames = lane.view.silence = 0;
}

void MixReader::drop() {
  if (alone_ != nullptr) drop(*alone_);
}

// By a clock, what the others have to give now was before it.
void MixReader::join() {
  const std::uint64_t buffer = half_.buffer_frames();
  const std::uint64_t mixed = this->mixed();
  const bool timed = !flow().free_clock();
  none_joined_ = false;
  const std::uint64_t ahead = timed ? available(buffer) : 0;
  bool heard = false;
  each_begun([&](Lane& lane) {
    if (!lane.joined()) {
      const std::uint64_t there = lane.reader.count(lane.view, timed ? buffer : 1);
      if (there == 0) return;
      lane.flow().join(lane.view.stream, mixed + ahead - std::min(ahead, there));
    }
    heard = heard || lane.view.stream != 0;
  });
  if (!heard) return;
  // Silence that goes on after an end is that of the last lane.
  each_begun([](Lane& lane) {
    if (lane.view.stream != 0) return;
    lane.reader.end_stream();
    lane.flow().stop_clock();
    lane.view = {};
  });
}

void MixReader::mind_neighbours() {
  const std::uint64_t mixed = this->mixed();
  each_begun([&](Lane& lane) {
    ConsumerFlow::Neighbours neighbours;
    if (alone_ == nullptr) {
      const StreamReader& reader = lane.reader;
      neighbours.patience = lane.flow().consumer_buffer(reader.limits()) / kPatientPart;
      neighbours.lead = reader.to_ring(lead_of(lane, mixed));
    }
    lane.flow().mind(neighbours);
  });
}

std::uint64_t MixReader::mixed() const { return half_.own().frames.load(kRelaxed); }

// More than fits in the buffer is garbage.
std::uint64_t MixReader::lead_of(const Lane& lane, std::uint64_t mixed) const {
  if (!lane.joined()) return 0;
  const std::uint64_t lead = distance(lane.flow().mix_frame(), mixed);
  return lead == 0 || lead > half_.buffer_frames() ? 0 : lead;
}

std::uint64_t MixReader::available(std::uint64_t most) {
  const std::uint64_t mixed = this->mixed();
  std::uint64_t least = most;
  std::uint64_t longest = 0;
  bool goes_on = false;
  each_begun([&](Lane& lane) {
    if (!heard(lane)) return;
    std::uint64_t there = lead_of(lane, mixed);
    if (there < most) there += lane.reader.count(lane.view, most - there);
    if (there < most && lane.has_all()) {
      longest = std::max(longest, there);
    } else {
      goes_on = true;
      least = std::min(least, there);
    }
  });
  return goes_on ? least : longest;
}

}  // namespace ossloop::device
