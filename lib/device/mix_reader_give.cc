// What a read gives of the mix, and how it waits for more.
#include <algorithm>
#include <utility>

#include "device/mix_reader.h"
#include "shm/wakeup.h"
#include "stream/position.h"

namespace ossloop::device {
namespace {

// Any progress of any writer.
constexpr std::uint64_t kAnyFrame = 0;

}  // namespace

bool MixReader::streaming() const {
  return any([](const Lane& lane) { return lane.view.streaming; });
}

bool MixReader::ended() const {
  return streaming() && !any([](const Lane& lane) {
           return lane.view.streaming && (!lane.view.end || lane.reader.has_more(lane.view));
         });
}

bool MixReader::has_next() const {
  return any([](const Lane& lane) {
    return lane.view.streaming && lane.flow().has_next(lane.view.stream);
  });
}

bool MixReader::rest_is_due() const {
  const auto due = [](const Lane& lane) {
    const ConsumerFlow::View& view = lane.view;
    return (view.closing || view.section_ends) && view.read + view.frames >= view.written;
  };
  if (alone_ != nullptr) return due(*alone_);
  // What is behind that is looked at once it is read.
  const auto holds_up = [&](const Lane& lane) {
    return due(lane) && (lane.view.section_ends || lane.flow().has_next(lane.view.stream));
  };
  return any(holds_up) || !any([&](const Lane& lane) { return lane.view.streaming && !due(lane); });
}

bool MixReader::others_hold() const {
  return any([](const Lane& lane) { return lane.view.streaming && lane.reader.others_hold(); });
}

bool MixReader::has_more() {
  if (alone_ == nullptr) return available(1) > 0;
  const ConsumerFlow::View& view = alone_->view;
  return alone_->reader.has_more(view) ||
         (turned_ && (view.frames > 0 || (several_ && view.silence > 0)));
}

std::uint64_t MixReader::count() {
  return alone_ != nullptr ? alone_->reader.count(alone_->view) : available(half_.buffer_frames());
}

int MixReader::map() {
  if (alone_ != nullptr) return alone_->view.frames > 0 ? alone_->reader.map() : 0;
  each_begun([&](Lane& lane) {
    if (lane.view.frames > 0 && lane.reader.map() != 0) drop(lane);
  });
  return 0;
}

std::size_t MixReader::give(std::byte* out, std::size_t frames) {
  if (alone_ != nullptr) {
    Lane& lane = *alone_;
    const std::size_t given = lane.reader.give(out, frames, lane.view);
    if (given == 0) return 0;
    lane.has_given = true;
    if (!lane.joined()) lane.flow().join(lane.view.stream, mixed());
    return given;
  }
  const audio::PcmFormat format = half_.format();
  if (!sum_ || sum_->format() != format) sum_.emplace(format);
  const auto frame_bytes = static_cast<std::size_t>(format.frame_bytes());
  const auto there = static_cast<std::size_t>(available(frames));
  const std::uint64_t mixed = this->mixed();
  std::size_t given = 0;
  while (given < there) {
    given += give_block(out + given * frame_bytes, there - given, mixed + given);
  }
  return given;
}

// Up to where another lane comes in, or one has given its last.
std::size_t MixReader::give_block(std::byte* out, std::size_t frames, std::uint64_t mixed) {
  std::uint64_t block = std::min(frames, sum_->block_frames());
  std::array<Lane*, abi::kClients> sounding{};
  std::size_t count = 0;
  each_begun([&](Lane& lane) {
    if (!heard(lane)) return;
    const std::uint64_t lead = lead_of(lane, mixed);
    const std::uint64_t there = lead > 0 ? lead : lane.reader.count(lane.view, block);
    if (there == 0) return;
    block = std::min(block, there);
    if (lead == 0) sounding[count++] = &lane;
  });
  const auto given = static_cast<std::size_t>(block);
  if (count == 1) {
    give_of(*sounding[0], out, given, mixed);
    return given;
  }
  for (std::size_t i = 0; i < count; ++i) {
    give_of(*sounding[i], sum_->room(), given, mixed);
    sum_->add(given);
  }
  if (const std::uint64_t clipped = sum_->take(out, given); clipped != 0) {
    flow().count_clipped(clipped);
  }
  return given;
}

// What was overwritten meanwhile is silence.
void MixReader::give_of(Lane& lane, std::byte* out, std::size_t frames, std::uint64_t mixed) {
  const std::size_t given = lane.reader.give(out, frames, lane.view);
  if (given < frames) {
    const audio::PcmFormat& format = sum_->format();
    const auto frame_bytes = static_cast<std::size_t>(format.frame_bytes());
    audio::fill_silence(format, out + given * frame_bytes, frames - given);
  }
  lane.flow().set_mix_frame(mixed + frames);
  lane.has_given = true;
}

void MixReader::tell_given() {
  const std::uint32_t count = several_ ? count_ : 1;
  for (std::uint32_t i = 0; i < count; ++i) {
    Lane& lane = *lanes_[i];
    if (std::exchange(lane.has_given, false) && !lane.flow().is_tap())
      shm::wake_at(lane.flow().producer_half(), lane.flow().read());
  }
}

// Of a lane that is all there is to hear: several are added, and may come at each look.
bool MixReader::lend(Allowance& allowance) {
  Lane& lane = first();
  const abi::Half& own = half_.own();
  Allowance::Terms terms(flow().read_word(), flow().producer_half());
  terms.keeps(own.shared, 0U);
  terms.keeps(own.volume);
  terms.keeps(flow().producer_half().volume);
  terms.keeps(flow().producer_half().waits_for);
  terms.keeps(half_.contract().mixer.changes);
  terms.keeps(half_.contract().policy.clock_mode);
  const bool alone = !several_ && alone_ == &lane && lane.joined() && half_.listener() == nullptr;
  if (!alone || !cache_covers(1) || !lane.reader.only_copies()) return false;
  lent_from_ = terms.begin();
  half_.begin_loan(lent_from_);
  const std::uint64_t end = std::min(cached_until_, lane.view.read + lane.view.frames);
  return allowance.lend(terms, lane.reader.ring(), end);
}

void MixReader::took_back() { first().reader.took_back(flow().read() - lent_from_, first().view); }

void MixReader::acknowledge_end() {
  each_begun([](Lane& lane) {
    // The filter first: who goes on for a process that was killed between is told the end.
    lane.reader.end_stream();
    lane.flow().acknowledge(lane.view, lane.flow().end_policy().silence);
  });
  each([](Lane& lane) { lane.flow().told_end(); });
}

bool MixReader::may_go_on() const {
  return any([](const Lane& lane) {
    return lane.view.streaming && lane.flow().may_go_on(lane.view.stream);
  });
}

void MixReader::pass_end() {
  each_begun([](Lane& lane) {
    lane.reader.end_stream();
    lane.flow().pass_end(lane.view);
    lane.view = {};
  });
}

bool MixReader::has_passed_end() const {
  if (!several_) return flow().has_passed_end();
  return any([](const Lane& lane) { return lane.flow().has_passed_end(); });
}

// As long as one may go on nobody is told. Where several play, another that begins goes on
// for all.
bool MixReader::passed_end_is_due() {
  bool due = false;
  bool waits = false;
  bool goes_on = false;
  each([&](Lane& lane) {
    goes_on = goes_on || (several_ && lane.flow().begun());
    if (!lane.flow().has_passed_end()) return;
    const bool over = lane.flow().passed_end_is_due();
    due = due || over;
    waits = waits || (!over && lane.flow().has_passed_end());
  });
  if (goes_on) each([](Lane& lane) { lane.flow().forget_passed_end(); });
  return due && !waits && !goes_on;
}

void MixReader::tell_passed_end() {
  each([](Lane& lane) {
    lane.flow().forget_passed_end();
    lane.flow().told_end();
  });
}

// A mix has so much when its last lane has: what is in the ring comes by the clock, and
// nobody need wake us for it.
ProducerFlow::Wait MixReader::wait_for(std::uint64_t frames, std::uint64_t fragment,
                                       std::int64_t now_ns) {
  const auto wait_of = [&](Lane& lane, const ConsumerFlow::View& view, std::uint64_t wanted) {
    const StreamReader& reader = lane.reader;
    return lane.flow().wait_for(reader.to_ring(wanted), reader.to_ring(fragment), view,
                                reader.limits(), now_ns);
  };
  if (alone_ != nullptr && (!several_ || alone_->joined())) {
    return wait_of(*alone_, alone_->view, frames);
  }
  const ProducerFlow::Wait for_any{now_ns + kLookAgainNs, kAnyFrame, kAnyFrame};
  if (flow().free_clock()) return for_any;
  const std::uint64_t mixed = this->mixed();
  const std::int64_t soon_ns = now_ns + 100'000;
  std::int64_t due_ns = soon_ns;
  std::int64_t late_ns = 0;
  each_begun([&](Lane& lane) {
    if (!heard(lane)) return;
    const std::uint64_t lead = lead_of(lane, mixed);
    const std::uint64_t wanted = frames - std::min(lead, frames);
    const std::uint64_t there = wanted == 0 ? 0 : lane.reader.count(lane.view, wanted);
    if (there >= wanted) return;
    // A filter may hold what was due.
    ConsumerFlow::View rest = lane.view;
    rest.read += rest.frames;
    const auto wait = wait_of(lane, rest, wanted - there);
    std::int64_t& latest_ns = wait.wake_frame == kNobody ? due_ns : late_ns;
    latest_ns = std::max(latest_ns, wait.deadline_ns);
  });
  if (late_ns == 0 || due_ns > soon_ns) return {due_ns, kNobody, kNobody};
  return {late_ns, kAnyFrame, kAnyFrame};
}

ProducerFlow::Wait MixReader::wait_for_begin(std::int64_t deadline_ns) const {
  const std::uint64_t frame = several_ ? kAnyFrame : flow().read() + 1;
  return {deadline_ns, frame, frame};
}

}  // namespace ossloop::device
