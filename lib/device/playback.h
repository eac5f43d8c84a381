// The playing half of an open side: the program's bytes into the ring.
//
// All calls with the side's lock held, unless said otherwise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "device/filter_tail.h"
#include "device/port.h"

namespace ossloop::device {

class Playback {
 public:
  explicit Playback(Port& port);

  // Takes as many bytes as there is room for now. Errors: -ENXIO (no server),
  // -EACCES (the loop goes the other way), -ECONNRESET (the consumer of the
  // stream is gone; told once, and not while `progressed` has bytes to report),
  // -ENOMEM, -EIO.
  TransferResult write(const std::byte* data, std::size_t bytes, bool progressed,
                       std::int64_t now_ns);

  // Would write() do something at once: take `frames`, or report an error?
  bool ready(std::uint64_t frames, std::int64_t now_ns);

  std::uint64_t space_frames(std::int64_t now_ns);   // of the program
  std::uint64_t queued_frames(std::int64_t now_ns);  // accepted, in the ring, not yet played
  // Accepted and not yet played: in the ring or still inside the converter.
  std::uint64_t delay_frames(std::int64_t now_ns);

  // Everything played? Then 0; else how long to wait, with `progress` a figure
  // that changes as long as the consumer lives up to its name.
  bool drained(std::int64_t now_ns, TransferResult& step, std::uint64_t& progress);

  // Gives the converter's tail to the ring: the end of this process's sound.
  void finish(std::int64_t now_ns);
  // In a forked child: the filter's tail is the parent's to play, unless we go on
  // with the sound.
  void inherit() { wrote_ = false; }
  // Drops what is queued; the stream goes on.
  void halt(std::int64_t now_ns);
  void arm(bool armed, std::int64_t now_ns) { flow_.arm(armed, now_ns); }
  // What is queued becomes silence.
  void silence(std::int64_t now_ns);
  // Ends the stream for good: the side is being closed. drained() goes on for it.
  void end() {
    ending_ = ending_ || flow_.streaming();
    flow_.end();
  }
  bool streaming() const { return flow_.streaming(); }
  ProducerFlow& flow() { return flow_; }
  const ProducerFlow& flow() const { return flow_; }

 private:
  bool gate(bool progressed, std::int64_t now_ns, TransferResult& step);
  std::int64_t settles_at(std::int64_t now_ns) const;
  int begin(std::int64_t now_ns);
  int prepare_converter(std::int64_t now_ns);
  void look_for_room(std::uint64_t frames, std::int64_t now_ns);
  std::size_t feed(const std::byte* data, std::size_t frames);
  void abandon();

  Port& port_;
  ProducerFlow flow_;
  FilterTail tail_;
  std::unique_ptr<audio::Converter> converter_;
  std::uint64_t converter_stream_ = 0;
  std::uint32_t converter_setting_ = 0;
  audio::PcmFormat converter_from_{};
  audio::PcmFormat converter_to_{};
  // Where our filter's sound ends. Another process that shares the open and wrote
  // since has gone on without it.
  std::uint64_t converter_written_ = 0;
  // What the program's buffer and the ring have room for at least: as long as only we
  // write it grows, so that small writes need not look each time how far the consumer
  // is. In frames of the program and of the loop.
  struct Room {
    std::uint64_t space = 0;
    std::uint64_t ring = 0;
    std::uint64_t stream = 0;
    std::uint64_t buffer_changes = 0;
  } room_;
  bool wrote_ = false;
  bool ending_ = false;
};

}  // namespace ossloop::device
