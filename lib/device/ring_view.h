// The ring of a stream's section, as this process has it mapped.
#pragma once

#include <cstdint>

#include "shm/ring.h"
#include "shm/segment.h"
#include "stream/flow.h"

namespace ossloop::device {

class RingView {
 public:
  // The reader's way: maps the ring of `section`. 0, -EIO where there is none, or what the
  // system says. What was mapped before stays then.
  int follow(const shm::Segment& segment, const Section& section, std::uint32_t buffer_ms);
  // The writer's: a ring for `format`, that of `last` if it is large enough, else a new
  // one. section() is where to write then; its number is 0 as long as it has no mark, which
  // ProducerFlow::mark() gives it. 0, -ENOSPC, or what the system says.
  int prepare(const shm::Segment& segment, const Section& last, const audio::PcmFormat& format,
              std::uint64_t written, std::uint32_t buffer_ms);
  // Gives back the memory of a ring that has no mark.
  void discard(const shm::Segment& segment);
  // The mark was made.
  void marked(const Section& section);

  bool mapped() const { return static_cast<bool>(ring_); }
  const Section& section() const { return section_; }
  const audio::PcmFormat& format() const { return section_.format; }
  const shm::Ring& ring() const { return ring_; }
  // The same memory for another section that lies in it.
  shm::Ring ring_of(const Section& section) const;
  const RingLimits& limits() const { return limits_; }

 private:
  bool maps(const Section& section) const;
  void use(const Section& section, std::uint32_t buffer_ms);

  Section section_;
  std::uint64_t unmarked_ = 0;  // where a ring begins that prepare() made and nobody knows of
  shm::Mapping mapping_;
  shm::Ring ring_;
  RingLimits limits_;
};

}  // namespace ossloop::device
