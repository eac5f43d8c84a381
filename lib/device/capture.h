// The recording half of an open side: the ring's frames into the program's bytes, in
// the program's format and as loud as both sides and the mixer say.
//
// All calls with the side's lock held.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "audio/converter.h"
#include "device/port.h"
#include "device/ring_view.h"
#include "stream/levels.h"

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
  int look(std::int64_t now_ns, ConsumerFlow::View& view);
  int follow_section();
  int prepare_converter();
  void follow_levels();
  int map_ring();
  bool knows(std::uint64_t frames) const;
  std::uint64_t to_ring(std::uint64_t frames) const;
  bool has_pending() const { return pending_read_ < pending_.size(); }
  std::size_t convert(std::byte* out, std::size_t frames, ConsumerFlow::View& view);
  std::size_t convert_samples(std::byte* out, std::size_t frames, ConsumerFlow::View& view);
  std::size_t convert_rate(std::byte* out, std::size_t frames, ConsumerFlow::View& view);
  std::size_t produce(std::byte* out, std::size_t frames, ConsumerFlow::View& view);
  int pump(ConsumerFlow::View& view);
  void forget_filter();
  void acknowledge_end(const ConsumerFlow::View& view, TransferResult& step);

  Port& port_;
  ConsumerFlow flow_;
  Section section_;  // in which we read
  RingLimits limits_;
  RingView ring_;  // once there was something to read in it
  std::unique_ptr<audio::Converter> converter_;
  std::uint32_t converter_setting_ = 0;
  audio::PcmFormat converter_from_{};
  audio::PcmFormat converter_to_{};
  Levels levels_;  // what the converter applies
  // Where our filter has read up to. Another process that shares the open and read
  // since has gone on without it.
  std::uint64_t converter_read_ = 0;
  // What the last read left. Without a clock it is there to be read as long as only we
  // read, so that small reads need not look each time how far the producer is. What lies
  // before `known_until_` counts as played: a halt of the producer does not drop it.
  ConsumerFlow::View known_;
  std::uint64_t known_until_ = 0;
  std::uint64_t known_for_ = 0;  // Port::buffer_changes()
  bool tail_done_ = true;        // the converter holds nothing of an ended section
  // Converted before the program asked for it, because it asked how much there
  // is; from `pending_read_` on.
  std::vector<std::byte> pending_;
  std::size_t pending_read_ = 0;
};

}  // namespace ossloop::device
