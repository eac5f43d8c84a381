// A side's buffer as a program maps it, in one direction: the DMA buffer of a
// sound card, with the device thread as the card.
//
// Between the triggers a position runs round the buffer by the clock. Sound is
// moved up to there and no further: what a program has not yet heard pass it may
// still change. A loop that takes no more (overrun=wait, a server that does not
// read yet) holds the position; without a listener it runs on.
//
// All calls with the side's lock held, unless said otherwise.
#pragma once

#include <cstdint>
#include <functional>

#include "audio/clock.h"
#include "device/open_half.h"
#include "shm/mmap_file.h"
#include "shm/segment.h"

namespace ossloop::device {

struct MapRequest {
  void* address = nullptr;
  std::size_t bytes = 0;
  int protection = 0;
  int flags = 0;
};

class MappedBuffer {
 public:
  MappedBuffer(OpenHalf& half, shm::MapFile file);

  bool mapped() const { return stream_.mapped.load(std::memory_order_relaxed) != 0; }
  bool running() const { return stream_.running.load(std::memory_order_relaxed) != 0; }

  // Maps the buffer for the program. Errors: -EINVAL (longer than the buffer),
  // -ENOMEM, -ENODEV (the runtime folder is out of reach), or what mmap says.
  void* map(const MapRequest& request, int& error);
  // Nobody has it mapped any more.
  void unmap();
  void remove_file() const { file_.remove(); }  // in the device thread

  void start(std::int64_t now_ns);
  void stop() { stream_.running.store(0, std::memory_order_relaxed); }
  void rewind();

  // Moves what is due at `now_ns` to the loop, or from it. `show`: whether the loop
  // may see what is written from now on.
  using Transfer =
      std::function<TransferResult(std::byte* data, std::size_t bytes, bool progressed)>;
  void play(std::int64_t now_ns, std::int64_t tick_ns, const Transfer& write,
            const std::function<void(bool)>& show);
  void record(std::int64_t now_ns, bool free_clock, const Transfer& read);

  // Frames since the trigger; what was moved, and up to where the time is.
  std::uint64_t reached(std::int64_t now_ns) const;
  std::uint64_t buffer_frames() const;
  std::uint64_t fragment_frames() const;
  // Since the last question: has a fragment passed, or a stream ended?
  bool ready(std::int64_t now_ns) const;
  // `reached` at the last question; it becomes `frames` now.
  std::uint64_t exchange_seen(std::uint64_t frames);
  std::uint64_t seen() const { return stream_.seen.load(std::memory_order_relaxed); }
  // The end of a recorded stream, told once and after all its sound was seen.
  bool take_end();
  bool has_memory() const { return memory_.data() != nullptr; }

 private:
  std::uint64_t position() const { return stream_.position.load(std::memory_order_relaxed); }
  std::uint64_t buffer_bytes() const;
  std::size_t file_bytes(bool anew) const;
  int open_file(bool anew, std::size_t bytes);
  audio::Clock clock() const;
  void set_clock(const audio::Clock& clock);
  audio::Clock at_present_speed(std::int64_t now_ns);

  OpenHalf& half_;
  const shm::MapFile file_;
  const bool recorded_;
  abi::MappedStream& stream_;
  shm::Mapping memory_;
};

}  // namespace ossloop::device
