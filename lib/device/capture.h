// The recording half of an open side: when it reads, what it says at the end of a
// stream, and how long it waits.
//
// All calls with the side's lock held.
#pragma once

#include <cstddef>
#include <cstdint>

#include "device/stream_reader.h"

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
  // Has sound begun to come in?
  bool streaming(std::int64_t now_ns);

  // A new open: what earlier consumers left is forgotten.
  void attach() { flow().attach(); }
  // Starts recording: the stream may begin. False if it was started before.
  bool start();
  bool start_together(std::int64_t now_ns);
  void halt(std::int64_t now_ns);
  ConsumerFlow& flow() { return reader_.flow(); }
  const ConsumerFlow& flow() const { return reader_.flow(); }

 private:
  // Once the last stream that went this way was heard to its end.
  bool wrong_way() const { return half_.wrong_way() && !flow().owes_end(); }
  int begin_read(std::uint64_t frames, std::int64_t now_ns, bool& fresh);
  bool cache_covers(std::uint64_t frames) const;
  void fill(std::byte* data, std::size_t bytes, TransferResult& step);
  void acknowledge_end(const ConsumerFlow::View& view, TransferResult& step);

  OpenHalf& half_;
  StreamReader reader_;
  // What the last read left. Without a clock it is there to be read as long as only we
  // read, so that small reads need not look each time how far the producer is. What lies
  // before `cached_until_` counts as played: a halt of the producer does not drop it.
  ConsumerFlow::View cached_;
  std::uint64_t cached_until_ = 0;
  std::uint64_t cached_for_ = 0;  // OpenHalf::buffer_changes()
};

}  // namespace ossloop::device
