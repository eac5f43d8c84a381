// What the recorder does.
#include "free_clock.h"

namespace ossloop::property {

void FreeClockPlay::read(std::size_t bytes) {
  // Asking converts ahead; so do not always ask.
  const bool asks = chance_.one_in(4);
  const auto frame = static_cast<std::size_t>(setup_.recorder.frame_bytes());
  auto& capture = rig_.reader();
  const std::uint64_t available = asks && bytes > 0 ? capture.available_frames(rig_.now) : 0;
  const std::size_t before = recorded_.size();
  if (!read(bytes, std::nullopt)) return;
  hold(recorded_.size() - before >= std::min(bytes, available * frame),
       "read gave less than was told");
}

// Of a frame that was read in part the rest would be lost.
void FreeClockPlay::kill_reader(std::size_t frames) {
  const auto frame = static_cast<std::size_t>(setup_.recorder.frame_bytes());
  if (gap_ || recorded_.size() % frame != 0) return;
  read(frames * frame, Rig::Kill{chance_.up_to(64) - 1, false});
}

bool FreeClockPlay::read(std::size_t bytes, const std::optional<Rig::Kill>& kill) {
  Bytes block(bytes);
  auto& capture = rig_.reader();
  const std::uint64_t told_before = told();
  const bool waited = capture.flow().running();
  const auto eof = config::get<"eof", abi::Eof>(setup_.policy);
  device::TransferResult step;
  const auto call = [&] { step = capture.read(block.data(), bytes, false, rig_.now); };
  if (!rig_.reader_survives(kill, call)) {
    if (told() != told_before && (eof == abi::Eof::kReset || eof == abi::Eof::kEof)) {
      ends_.push_back(recorded_.size());
    }
    gap_ = {recorded_.size(), bytes, ends_.size()};
    return false;
  }
  hold(step.moved <= bytes, "read gave more than was asked");
  recorded_.insert(recorded_.end(), block.begin(),
                   block.begin() + static_cast<std::ptrdiff_t>(step.moved));
  if (server_is_missed(step, told_before, waited)) return true;
  if (step.error != 0) {
    hold(step.error == -ECONNRESET && eof == abi::Eof::kReset, "read: error ", step.error);
    hold(step.moved == 0, "an error with bytes");
    ends_.push_back(recorded_.size());
  } else if (step.short_return && step.moved == 0 && bytes > 0) {
    hold(eof == abi::Eof::kEof, "an end of file that the policy does not have");
    // Told again and again, until the next stream begins.
    ends_.push_back(recorded_.size());
  } else if (step.moved < bytes) {
    const std::int64_t sleep_ns = step.wait.deadline_ns - rig_.now;
    hold(step.short_return || (sleep_ns > 0 && sleep_ns <= 2 * kSecond),
         "a reader would sleep for ", sleep_ns, " ns");
  }
  return true;
}

// A client that records hears so once it has heard the end of what there was: by an error
// of its own if it waited for more.
bool FreeClockPlay::server_is_missed(const device::TransferResult& step, std::uint64_t told_before,
                                     bool waited) {
  const bool server_open = device::open_ways(rig_.contract(), abi::kServer) != 0;
  if (setup_.server_reads || step.error == 0 || server_open) return false;
  if (told() != told_before) return false;
  hold(step.error == (waited ? -ECONNRESET : -ENXIO), "without a server: error ", step.error);
  return true;
}

void FreeClockPlay::halt_recorder() {
  // Of a frame that was read in part the rest would be lost.
  const auto frame = static_cast<std::size_t>(setup_.recorder.frame_bytes());
  if (model_.changes_rate() || recorded_.size() % frame != 0) return;
  auto& capture = rig_.reader();
  auto& flow = capture.flow();
  const std::uint64_t from = flow.read();
  const bool all =
      flow.running() && flow.free_clock() && model_.streams() == 1 && armed_ && !halt_unseen();
  const std::uint64_t written = flow.written_by_peer();
  capture.halt(rig_.now);
  hold(!flow.running(), "it records after a halt");
  hold(!all || flow.read() == written, "a halt left something to be heard");
  model_.dropped(from, flow.read());
}

// By a clock nothing is lost or put in where both sides wait for each other. The
// recorder looks: what it knew to be there counted as played.
void FreeClockPlay::change_clock() {
  const auto& policy = setup_.policy;
  if (model_.changes_rate()) return;  // the filter rounds otherwise
  if (config::get<"underrun", abi::Underrun>(policy) != abi::Underrun::kStall ||
      config::get<"overrun", abi::Overrun>(policy) != abi::Overrun::kWait ||
      config::get<"eof", abi::Eof>(policy) == abi::Eof::kSilence) {
    return;
  }
  auto& mode = rig_.contract().policy.clock_mode;
  const auto next = mode.load() == static_cast<std::uint32_t>(abi::ClockMode::kFree)
                        ? abi::ClockMode::kRealtime
                        : abi::ClockMode::kFree;
  mode.store(static_cast<std::uint32_t>(next));
  rig_.reader().ready(1, rig_.now);
}

void FreeClockPlay::act_as_recorder() {
  switch (chance_.below(10)) {
    case 0:
      rig_.now += static_cast<std::int64_t>(chance_.up_to(1ULL << 40));
      break;
    case 1:
      rig_.reader().ready(chance_.up_to(2000), rig_.now);
      break;
    case 2:
      halt_recorder();
      break;
    case 3:
      change_clock();
      break;
    case 4:
      rig_.change_reader(chance_.one_in(2));
      break;
    case 5:
      set_fragments(false);
      break;
    case 6:
      if (kills_ == Kills::kInCalls) kill_reader(chance_.up_to(1000));
      break;
    default:
      read(chance_.up_to(4000));
      break;
  }
}

std::uint64_t FreeClockPlay::told() { return lane().consumer.acknowledged_stream.load(); }

}  // namespace ossloop::property
