// A side's place in its instance: what the playing and the recording half share.
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

class Port {
 public:
  Port(std::shared_ptr<shm::Segment> segment, abi::SideIndex index);

  abi::Segment& contract() const { return segment_->contract(); }
  shm::Segment& segment() const { return *segment_; }
  const std::shared_ptr<shm::Segment>& shared_segment() const { return segment_; }
  abi::SideIndex index() const { return index_; }
  bool server() const { return index_ == abi::kServer; }
  abi::Side& side() const { return contract().side[index_]; }
  abi::Side& peer() const { return contract().side[1 - index_]; }
  std::uint32_t buffer_ms() const { return buffer_ms_; }

  // The program's format as it was at the last refresh(): it stays the same while the
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
  std::shared_ptr<shm::Segment> segment_;
  abi::SideIndex index_;
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
