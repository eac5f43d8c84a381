// One half of an open: the program's format and buffer for a way, and its place in the
// instance.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "abi/layout.h"
#include "audio/pcm_format.h"
#include "shm/segment.h"
#include "stream/flow.h"
#include "stream/format_word.h"
#include "stream/fragments.h"

namespace ossloop::device {

class OpenHalf {
 public:
  // `slot`: a client's; a server is joined to all. `listener`: a tap, which has its words there.
  OpenHalf(std::shared_ptr<shm::Segment> segment, abi::SideIndex side, Access way,
           std::uint32_t slot = 0, Listener* listener = nullptr);

  abi::Segment& contract() const { return segment_->contract(); }
  shm::Segment& segment() const { return *segment_; }
  const std::shared_ptr<shm::Segment>& shared_segment() const { return segment_; }
  abi::SideIndex side() const { return side_; }
  bool server() const { return side_ == abi::kServer; }
  Access way() const { return way_; }
  std::uint32_t slot() const { return slot_; }
  abi::DirectionIndex direction() const { return direction_of(side_, way_); }
  abi::Half& own() const { return own_; }
  Listener* listener() const { return listener_; }
  // Those of the other side that it is joined to: a server's are all clients'.
  template <typename Work>
  void each_peer(Work work) const {
    abi::Direction& joined = contract().direction[direction()];
    if (!server()) return work(joined.server);
    for (abi::Half& client : joined.client) work(client);
  }
  bool peer_open() const;
  void wake_peers() const;
  bool has_server() const { return server() || peer_open(); }
  // It came while `duplex` was on.
  bool duplex() const { return has(abi::kDuplexOpen); }
  // With nobody at the other end the open goes on as a card does that is not plugged in: it
  // plays to nobody and records silence, at its pace.
  bool goes_on_alone() const {
    return has(abi::kBothWays | abi::kDuplexOpen | abi::kOpenAlways) && has_nobody();
  }
  // Of an open for both ways at once.
  bool both_ways() const { return has(abi::kBothWays); }
  // A client's: the server is open, but for the other way.
  bool wrong_way() const {
    if (server() || duplex()) return false;
    // Each half once: the server may come or go meanwhile.
    const std::uint32_t ways = open_ways(contract(), abi::kServer);
    return ways != 0 && (ways & (way_ == kRead ? kWrite : kRead)) == 0;
  }

  // A new open's, with the claim in hand: everything as a program finds it. Then seen by
  // all; and closed, if it is still that open.
  void claim(std::uint32_t access, std::uint32_t place = 0);
  void publish();
  void close();
  std::uint64_t serial() const { return serial_; }
  void zero_pointers() const;
  // What a loan moves from `position` of the stream on is counted by whoever has the lock next,
  // also in another process: it is at `position` then.
  void begin_loan(std::uint64_t position) const { own_.lent_from.store(loan_word(position)); }
  void count_lent(std::uint64_t position) const;
  // The open that is there goes on in this process.
  void adopt() { serial_ = serial_of(own_.open.load(std::memory_order_acquire)); }

  std::uint32_t buffer_ms() const { return buffer_ms_; }
  // This open's buffer may be so long in its present format, also where the policy's may not.
  void allow_buffer(std::uint64_t frames);

  // The reader of a lane has gone from the ring of one section to another's, as a writer goes to
  // a larger one for good: its memory is given back, unless somebody else may hear it still.
  void leave_ring(const Section& before, const Section& now) const;

  // The format as it was at the last refresh(): it stays the same while the
  // lock is held, whoever writes to the segment.
  audio::PcmFormat format() const {
    return unpack_format(format_word_.load(std::memory_order_relaxed));
  }
  void refresh();
  // As it stands in the segment now.
  audio::PcmFormat shared_format() const;
  void set_format(const audio::PcmFormat& format);
  Buffering buffering() const;
  void set_buffering(const Buffering& buffering);
  std::uint64_t buffer_frames() const;
  // Grows whenever the buffer may have become another.
  std::uint64_t buffer_changes() const { return buffer_changes_; }
  std::uint64_t fragment_frames() const;
  // So many frames, if a call may wait for as many at once, so that a processor wakes
  // once for several blocks; 0 if they are over in a moment: who chose a short buffer
  // wants a short delay.
  std::uint64_t worth_a_sleep(std::uint64_t frames) const;

 private:
  std::uint32_t usual_buffer_ms() const;
  static std::uint32_t loan_word(std::uint64_t position) {
    return static_cast<std::uint32_t>(position) << 1 | 1;
  }
  bool has(std::uint32_t bits) const {
    return (own_.place.load(std::memory_order_relaxed) & bits) != 0;
  }
  bool has_nobody() const;

  std::shared_ptr<shm::Segment> segment_;
  const abi::SideIndex side_;
  const Access way_;
  const std::uint32_t slot_;
  Listener* const listener_;
  abi::Half& own_;
  std::uint64_t serial_ = 0;
  std::uint32_t buffer_ms_;
  std::atomic<std::uint64_t> format_word_{0};
  std::uint64_t buffer_changes_ = 0;
};

// What one look at a stream gave.
struct TransferResult {
  std::size_t moved = 0;                // bytes
  int error = 0;                        // -errno, unless bytes were moved before
  bool short_return = false;            // return what is there
  bool block_despite_nonblock = false;  // sleep even with O_NONBLOCK
  ProducerFlow::Wait wait{};
};

}  // namespace ossloop::device
