// A side's place in its instance: what the playing and the recording half share.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "abi/layout.h"
#include "audio/converter.h"
#include "audio/pcm_format.h"
#include "shm/ring.h"
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

  // The program's format as it was at the last refresh(). A server's is the
  // loop's. It stays the same while the lock is held, whoever writes to the segment.
  audio::PcmFormat format() const {
    return unpack_format(format_word_.load(std::memory_order_relaxed));
  }
  void refresh();
  // The loop's format changed while we held the lock: `word` is abi::LoopFormat's.
  void take_loop(std::uint64_t word);
  // As it stands in the segment now.
  audio::PcmFormat shared_format() const;
  void set_format(const audio::PcmFormat& format);
  Buffering buffering() const;
  void set_buffering(const Buffering& buffering);
  std::uint64_t buffer_frames() const;  // the program's buffer in its frames
  // Grows whenever the buffer, or the ring, may have become another.
  std::uint64_t buffer_changes() const { return buffer_changes_; }
  std::uint64_t fragment_frames() const;
  // How many frames of the loop a call may wait for at once, so that a processor wakes
  // once for several blocks: so many of the program's, or 0 if they are over in a
  // moment; who chose a short buffer wants a short delay.
  std::uint64_t worth_a_sleep(std::uint64_t frames) const;

  // Maps the ring as the loop's format wants it, that of the last refresh(): what is
  // measured and what is written under one lock are one ring, whoever changes the word
  // meanwhile. 0 or -errno.
  int follow_loop();
  // Once nobody has the instance open. In the device thread.
  void give_back_memory() const;
  const audio::PcmFormat& loop() const { return loop_; }
  const shm::Ring& ring() const { return ring_; }
  const RingLimits& limits() const { return limits_; }

  // From the program's frames to the loop's and back.
  std::uint64_t to_loop_up(std::uint64_t frames) const;
  std::uint64_t to_loop_down(std::uint64_t frames) const;
  std::uint64_t to_program_up(std::uint64_t frames) const;
  std::uint64_t to_program_down(std::uint64_t frames) const;

  // A converter for the present formats and policy; nullptr with error.
  std::unique_ptr<audio::Converter> make_converter(bool to_ring, int& error) const;
  // Tells the contract of samples that were too loud for the format.
  void count_clipped(audio::Converter& converter, bool to_ring) const;
  // As the client's would be that plays `from` with these levels.
  std::unique_ptr<audio::Converter> make_tail_converter(const audio::PcmFormat& from,
                                                        std::uint64_t levels_then,
                                                        int& error) const;
  // Everything that acts on the level now, as stream/levels.h packs it: the stream's
  // own and, on the client's side, the mixer's.
  std::uint64_t levels(bool to_ring) const;
  // Gives the converter the levels as they are now; true if they have changed. Costs
  // a few loads while they stay the same.
  bool follow_levels(audio::Converter& converter, bool to_ring) const;

 private:
  audio::Converter::Options converter_options() const;
  void publish_buffer();

  std::shared_ptr<shm::Segment> segment_;
  abi::SideIndex index_;
  std::uint32_t buffer_ms_;
  std::atomic<std::uint64_t> format_word_{0};
  mutable std::uint64_t applied_levels_[2] = {};
  std::atomic<std::uint64_t> loop_word_{0};
  std::uint64_t buffer_changes_ = 0;
  audio::PcmFormat loop_ = {};
  shm::Mapping mapping_;
  shm::Ring ring_;
  RingLimits limits_;
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
