// The playing half of an open side: the program's bytes into the ring, as they are.
//
// All calls with the side's lock held, unless said otherwise.
#pragma once

#include <cstddef>
#include <cstdint>

#include "device/allowance.h"
#include "device/null_reader.h"
#include "device/open_half.h"
#include "device/ring_view.h"

namespace ossloop::device {

class Playback {
 public:
  explicit Playback(OpenHalf& half);

  // Takes as many bytes as there is room for now. Errors: -ENXIO (no server),
  // -EACCES (the loop goes the other way), -ECONNRESET (the consumer of the
  // stream is gone; told once, and not while `progressed` has bytes to report),
  // -ENOSPC, -ENOMEM, -EIO.
  TransferResult write(const std::byte* data, std::size_t bytes, bool progressed,
                       std::int64_t now_ns);

  // Would write() do something at once: take `frames`, or report an error?
  bool ready(std::uint64_t frames, std::int64_t now_ns);

  // Reserves the memory that the present format needs: 0, -ENOSPC, or what the system says.
  int prepare_ring();

  std::uint64_t space_frames(std::int64_t now_ns);   // of the program
  std::uint64_t queued_frames(std::int64_t now_ns);  // accepted, and not yet played
  // Accepted and not yet heard: in the ring, or in the filter of the reader's conversion.
  std::uint64_t delay_frames(std::int64_t now_ns);

  // Everything played? Then 0; else how long to wait, with `progress` a figure
  // that changes as long as the consumer lives up to its name.
  bool drained(std::int64_t now_ns, TransferResult& step, std::uint64_t& progress);

  // Lends what room is known to the calling thread, if calls that write do nothing but copy.
  // False: nothing is lent.
  bool lend(Allowance& allowance);
  // The loan is taken back: what it has moved is of the room that was found.
  void took_back();
  // With the side's lock: counts the frames that went that way.
  void count_lent() const { half_.count_lent(flow_.written()); }

  // Would a write tell an error at once?
  bool tells();
  // What is queued waits, and goes on where it was.
  void pause(bool on, std::int64_t now_ns);
  // Drops what is queued; the stream goes on.
  void halt(std::int64_t now_ns);
  void arm(bool armed, std::int64_t now_ns) { flow_.arm(armed, now_ns); }
  // What is queued becomes silence.
  void silence(std::int64_t now_ns);
  // Ends the stream: the side is being closed. drained() goes on for it. `lingerer` as in
  // ProducerFlow::end.
  void end(std::uint64_t lingerer = 0) {
    ending_ = ending_ || flow_.streaming();
    flow_.end(lingerer);
    ring_.discard(half_.segment());
  }
  bool streaming() const { return flow_.streaming(); }
  ProducerFlow& flow() { return flow_; }
  const ProducerFlow& flow() const { return flow_; }

 private:
  RingLimits limits() const;
  bool follow_reader();  // true: it is another
  bool has_lost_reader();
  bool gate(bool progressed, std::int64_t now_ns, TransferResult& step);
  void look_for_room(std::uint64_t frames, std::int64_t now_ns);
  std::size_t feed(const std::byte* data, std::size_t frames, std::int64_t now_ns);
  void abandon();
  void wake_readers() const;

  OpenHalf& half_;
  ProducerFlow flow_;
  NullReader null_reader_;
  RingView ring_;
  // What the program's buffer and the ring have room for at least: as long as only we
  // write it grows, so that small writes need not look each time how far the consumer
  // is. In frames.
  struct CachedRoom {
    std::uint64_t space = 0;
    std::uint64_t ring = 0;
    std::uint64_t stream = 0;
    std::uint64_t buffer_changes = 0;
  } cached_;
  std::uint64_t lent_from_ = 0;
  bool ending_ = false;
};

}  // namespace ossloop::device
