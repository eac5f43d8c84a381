// A stream's frames in the format of the program that records: from section to section
// of the ring, through the conversion, as loud as both sides and the mixer say.
//
// All calls with the side's lock held.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "audio/converter.h"
#include "device/byte_queue.h"
#include "device/open_half.h"
#include "device/ring_view.h"
#include "stream/flow.h"
#include "stream/levels.h"

namespace ossloop::device {

class StreamReader {
 public:
  // Of the lane that the client with this slot has.
  StreamReader(OpenHalf& half, std::uint32_t slot);

  ConsumerFlow& flow() { return flow_; }
  const ConsumerFlow& flow() const { return flow_; }
  const RingLimits& limits() const { return limits_; }
  const Section& section() const { return section_; }
  // From the program's frames to the ring's, rounded up.
  std::uint64_t to_ring(std::uint64_t frames) const;

  // The format, the levels, and what another process has read meanwhile, as they are now.
  // Errors as look().
  int follow();
  // What there is to read now. A section of which all was given gives way to the next.
  // 0, or -errno: -ENOMEM, -ENOSYS (no rate conversion).
  int look(std::int64_t now_ns, ConsumerFlow::View& view) { return look(now_ns, view, true); }
  // The same, but where another process has gone on with the filter it is not filled
  // again only to look: count() leaves its delay out then.
  int glance(std::int64_t now_ns, ConsumerFlow::View& view);
  // Makes sure that the frames of the last look can be read: 0, -EIO, or what the system
  // says.
  int map();
  // Drops what the last look found.
  void drop(const ConsumerFlow::View& view);

  // Gives up to `frames` frames of the program; `view` follows. After map().
  std::size_t give(std::byte* out, std::size_t frames, ConsumerFlow::View& view);
  // Frames of the program that give() has now, converted ahead where nobody can know
  // their number otherwise: no more than the program's buffer, or than `most`.
  std::uint64_t count(ConsumerFlow::View& view, std::uint64_t most = ~std::uint64_t{0});
  // Converted, and not yet given?
  bool has_pending() const { return pending_.size() != 0; }

  // Does give() nothing but copy out of ring()?
  bool only_copies() const;
  const shm::Ring& ring() const { return ring_.ring(); }
  // So many frames were taken by the position's word alone.
  void took_back(std::uint64_t frames, ConsumerFlow::View& view);

  // Whether a section of another format than the program's is waited for to be taken
  // (abi::Half::stops_at_marks); and whether one is now.
  void may_stop(bool may) { may_stop_ = may; }
  bool stopped() const { return stopped_; }

  // Is there something to give that is not in the ring any more?
  bool has_more(const ConsumerFlow::View& view) const { return has_pending() || tail_due(view); }

  // May another process's filter hold the last frames of the section?
  bool others_hold() const;

  // The end of a stream was told: a filter begins anew.
  void end_stream();
  // Nothing that was taken is wanted any more.
  void forget();
  // Recording stops: what is due is dropped, section by section.
  void halt(std::int64_t now_ns);

 private:
  static constexpr std::size_t kAheadFrames = 4096;

  bool tail_due(const ConsumerFlow::View& view) const;
  bool stops_at_next() const;
  int look(std::int64_t now_ns, ConsumerFlow::View& view, bool fills);
  int follow_section(bool fills);
  int prepare_converter();
  void begin_filter();
  bool refill(const ConsumerFlow::Filter& filter);
  std::size_t left_out(std::size_t frames);
  void remember();
  void forget_pending();
  void forget_own();
  void follow_levels();
  std::size_t pending_frames() const;
  std::size_t give_pending(std::byte* out, std::size_t frames, ConsumerFlow::View& view);
  std::size_t convert(std::byte* out, std::size_t frames, ConsumerFlow::View& view);
  std::size_t convert_samples(std::byte* out, std::size_t frames, ConsumerFlow::View& view);
  std::size_t convert_rate(std::byte* out, std::size_t frames, ConsumerFlow::View& view);
  std::size_t ahead_piece(std::size_t frames) const;
  void convert_ahead(std::size_t frames, ConsumerFlow::View& view);
  void took(std::uint64_t frames, ConsumerFlow::View& view);

  OpenHalf& half_;
  ConsumerFlow flow_;
  Section section_;  // in which we read
  RingLimits limits_;
  RingView ring_;  // once there was something to read in it
  std::unique_ptr<audio::Converter> converter_;
  audio::PcmFormat converter_from_{};
  audio::PcmFormat converter_to_{};
  Levels levels_;  // what the converter applies
  // Where we have read up to, and what the filter is told to have given. Another process
  // that shares the open and read since has gone on without ours.
  std::uint64_t read_ = 0;
  ConsumerFlow::Filter filter_;
  bool tail_done_ = true;  // the converter holds nothing of an ended section
  // Of what the converter gives next, so many frames were given by another process.
  std::uint64_t given_before_ = 0;
  // Converted before the program asked for it: because it asked how much there is, or in
  // larger pieces than it reads. The `ahead_` frames of the ring that it was made of count
  // as read when they are given.
  ByteQueue pending_;
  std::uint64_t ahead_ = 0;
  bool converts_ahead_ = false;
  bool may_stop_ = true;
  bool stopped_ = false;
};

}  // namespace ossloop::device
