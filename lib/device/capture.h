// The recording half of an open side: the ring's frames into the program's bytes.
//
// All calls with the side's lock held.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "device/port.h"

namespace ossloop::device {

class Capture {
 public:
  explicit Capture(Port& port);

  // Gives as many bytes as are due now. At the end of a stream what the policy
  // `eof` says: -ECONNRESET, 0 bytes, or nothing. Errors: -ENXIO (no server),
  // -EACCES (the loop goes the other way), -ENOMEM, -EIO.
  TransferResult read(std::byte* data, std::size_t bytes, bool progressed, std::int64_t now_ns);

  // Would read() do something at once: give `frames`, or report an end or error?
  bool ready(std::uint64_t frames, std::int64_t now_ns);

  // Frames of the program that read() would give now.
  std::uint64_t available_frames(std::int64_t now_ns);
  // Has sound begun to come in?
  bool streaming(std::int64_t now_ns);

  // A new open: what earlier consumers left is forgotten.
  void attach() { flow_.attach(); }
  // Starts recording: the stream may begin. False if it was started before.
  bool start();
  bool start_together(std::int64_t now_ns);
  void halt(std::int64_t now_ns);
  ConsumerFlow& flow() { return flow_; }
  const ConsumerFlow& flow() const { return flow_; }

 private:
  int prepare(std::int64_t now_ns, ConsumerFlow::View& view);
  int prepare_converter();
  bool knows(std::uint64_t frames) const;
  ConsumerFlow::View look(std::int64_t now_ns);
  void rescue(const ConsumerFlow::View& view);
  bool has_pending() const { return pending_read_ < pending_.size(); }
  std::size_t convert(std::byte* out, std::size_t frames, ConsumerFlow::View& view);
  std::size_t convert_rate(std::byte* out, std::size_t frames, ConsumerFlow::View& view);
  std::size_t produce(std::byte* out, std::size_t frames, ConsumerFlow::View& view);
  void pump(ConsumerFlow::View& view);
  void forget_filter();
  void acknowledge_end(const ConsumerFlow::View& view, TransferResult& step);

  Port& port_;
  ConsumerFlow flow_;
  std::unique_ptr<audio::Converter> converter_;
  std::uint32_t converter_setting_ = 0;
  audio::PcmFormat converter_from_{};
  audio::PcmFormat converter_to_{};
  // Where our filter has read up to. Another process that shares the open and read
  // since has gone on without it.
  std::uint64_t converter_read_ = 0;
  // What the last read left. Without a clock it is there to be read as long as only we
  // read, so that small reads need not look each time how far the producer is. What lies
  // before `known_until_` counts as played: a halt of the producer does not drop it.
  ConsumerFlow::View known_;
  std::uint64_t known_until_ = 0;
  std::uint64_t known_for_ = 0;  // Port::buffer_changes()
  bool tail_done_ = true;        // the converter holds nothing of an ended stream
  // Converted before the program asked for it, because it asked how much there
  // is, or rescued from a killed player's filter; from `pending_read_` on.
  std::vector<std::byte> pending_;
  std::size_t pending_read_ = 0;
  std::uint64_t rescued_stream_ = 0;
};

}  // namespace ossloop::device
