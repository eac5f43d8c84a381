// The recording half of an open side: when it reads, what it says at the end of a
// stream, and how long it waits.
//
// All calls with the side's lock held.
#pragma once

#include <cstddef>
#include <cstdint>

#include "device/mix_reader.h"
#include "shm/wakeup.h"

namespace ossloop::device {

class Capture {
 public:
  explicit Capture(OpenHalf& half) : half_(half), reader_(half) {}

  // Gives as many bytes as are due now. At the end of a stream what the policy
  // `eof` says: -ECONNRESET, 0 bytes, or nothing. Errors: -ENXIO (no server),
  // -EACCES (the loop goes the other way), -ENOMEM, -EIO.
  TransferResult read(std::byte* data, std::size_t bytes, bool progressed, std::int64_t now_ns);

  // Would read() do something at once: give `frames`, or report an end or error?
  bool ready(std::uint64_t frames, std::int64_t now_ns);

  // Frames of the program that read() would give now.
  std::uint64_t available_frames(std::int64_t now_ns);
  // The same, but where another process reads it may leave out a filter's delay.
  std::uint64_t passed_frames(std::int64_t now_ns);
  // Would a read tell an end or an error, or give the last frames before one?
  bool tells(std::int64_t now_ns);
  // Frames that came and were not fetched in time.
  std::uint64_t lost_frames() const { return reader_.lost_frames(); }
  // Has sound begun to come in?
  bool streaming(std::int64_t now_ns);

  // Has all of a stream been heard, and its end not yet passed?
  bool ended(std::int64_t now_ns);

  // Is there no stream, and silence instead?
  bool idles() const { return half_.goes_on_alone() && flow().running() && !owes_end(); }

  // A new open: what earlier consumers left is forgotten.
  void attach() { reader_.attach(); }
  // Starts recording: the stream may begin. False if it was started before.
  bool start();
  bool start_together(std::int64_t now_ns);
  void halt(std::int64_t now_ns);

  // Of the first lane, whose words are those of all where they are the recorder's own.
  ConsumerFlow& flow() { return reader_.flow(); }
  const ConsumerFlow& flow() const { return reader_.flow(); }
  // Of all lanes. Without the lock.
  bool owes_end() const { return reader_.owes_end(); }
  bool underway() const { return reader_.underway(); }
  // With the lock, of what the last look found: see StreamReader::stopped.
  bool stopped() const { return reader_.stopped(); }
  bool clock_runs() const { return reader_.clock_runs(); }
  std::uint64_t overruns() const { return reader_.overruns(); }
  // An end was passed that is told when its player does not go on.
  bool has_passed_end() const { return reader_.has_passed_end(); }
  // See MixReader.
  std::uint64_t position() const { return reader_.position(); }
  // As Playback has them, of what sound is known.
  bool lend(Allowance& allowance);
  void took_back() { reader_.took_back(); }
  void count_lent() const { half_.count_lent(flow().read()); }
  // Without the lock.
  void wake_writer() const { shm::wake_at(flow().producer_half(), flow().read()); }
  void make_up_for_wakes() const { reader_.make_up_for_wakes(half_.own()); }

 private:
  // Once the last stream that went this way was heard to its end.
  bool wrong_way() const { return half_.wrong_way() && !owes_end(); }
  template <typename Give>
  void fill(std::byte* data, std::size_t bytes, TransferResult& step, Give give);
  void fill(std::byte* data, std::size_t bytes, TransferResult& step);
  void tell_end(TransferResult& step) const;
  bool tells_passed_end(bool progressed, TransferResult& step);
  std::uint64_t silence_due(std::int64_t now_ns);
  TransferResult read_silence(std::byte* data, std::size_t bytes, std::int64_t now_ns);

  OpenHalf& half_;
  MixReader reader_;
  // Where nobody plays and the open goes on alone: since when, with what clock, and how many
  // frames of silence were given.
  audio::Clock silence_clock_{};
  std::uint64_t silence_given_ = 0;
  bool silent_ = false;
};

}  // namespace ossloop::device
