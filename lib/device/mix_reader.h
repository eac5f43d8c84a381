// What a recorder hears: the streams of all lanes of its direction, each converted for
// itself (device/stream_reader.h), and added.
//
// A lane that has begun joins at the frame of the mix that is next when its first frame can
// be heard, and leaves without a sign when its end was passed, as long as another lane goes
// on. The mix has what all that have joined have: each one's clock sees to it that they come
// at the same pace, and puts silence in for itself alone. With a single lane, and wherever
// only one has begun, its sound passes as if there were no mix.
//
// All calls with the side's lock held, unless said otherwise.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "audio/sum.h"
#include "device/allowance.h"
#include "device/open_half.h"
#include "device/stream_reader.h"
#include "stream/flow.h"

namespace ossloop::device {

class MixReader {
 public:
  explicit MixReader(OpenHalf& half);

  // Words that are the same in all lanes stand in this one; of a client the only one it has.
  ConsumerFlow& flow() { return first().flow(); }
  const ConsumerFlow& flow() const { return first().flow(); }

  // Of all lanes. Without the lock.
  bool owes_end() const;
  bool underway() const;
  bool clock_runs() const;
  std::uint64_t overruns() const;
  std::uint64_t lost_frames() const;
  // The position that a wait for frames is for: of the lane that is heard alone.
  std::uint64_t position() const;
  // Wakes who sleeps on `own` for what a writer has written that was killed before it could.
  void make_up_for_wakes(abi::Half& own) const;

  // A new open's.
  void attach();
  void start();
  void start_together(std::int64_t now_ns);
  void wake_writers() const;
  void halt(std::int64_t now_ns);
  // Stops where nothing is to be heard.
  void stop(std::int64_t now_ns);

  // What there is for a read of so many frames: looks, unless that is known without.
  int look_for(std::uint64_t frames, std::int64_t now_ns, bool& fresh);
  // What there is now: 0, or -errno as StreamReader::look() has it. What cannot be had of a
  // lane among several is dropped, and the others go on.
  int look(std::int64_t now_ns);
  // The same for who only asks how much there is. `fills`: not as StreamReader::glance().
  int ask(std::int64_t now_ns, bool fills);

  // So often a read may find more where there was nothing any more.
  std::uint32_t most_passes() const { return 4 + abi::kMarks * (several_ ? count_ : 1); }

  // Of what the last look found:
  bool streaming() const;
  // Nothing is left, and the end is to be told.
  bool ended() const;
  // Has another stream begun behind what was found?
  bool has_next() const;
  // Does the rest of it, or of a section, lie before us, and nothing else?
  bool rest_is_due() const;
  bool others_hold() const;
  // Does what comes next wait for the program to take its format?
  bool stopped() const;
  // Is there more to give than a look before it had found?
  bool has_more();
  std::uint64_t count();

  // Makes sure that it can be read.
  int map();
  // Up to so many frames.
  std::size_t give(std::byte* out, std::size_t frames);
  // Wakes who waits for the room that was made since the last time.
  void tell_given();
  // Lends what sound is known, if reads do nothing but copy it; what went that way is known no
  // more.
  bool lend(Allowance& allowance);
  void took_back();
  void drop();
  // The end was told, or passed over as the policy says.
  void acknowledge_end();
  // May a player go on with its stream? Then the end is passed, and told when none has
  // (ConsumerFlow::may_go_on).
  bool may_go_on() const;
  void pass_end();
  bool has_passed_end() const;
  bool passed_end_is_due();
  void tell_passed_end();
  // When to look again for so many frames more.
  ProducerFlow::Wait wait_for(std::uint64_t frames, std::uint64_t fragment, std::int64_t now_ns);
  ProducerFlow::Wait wait_for_begin(std::int64_t deadline_ns) const;

 private:
  struct Lane {
    Lane(OpenHalf& half, std::uint32_t slot) : reader(half, slot) {}
    ConsumerFlow& flow() { return reader.flow(); }
    const ConsumerFlow& flow() const { return reader.flow(); }
    // Silence that goes on after the end has joined with the stream.
    bool joined() const { return view.stream == 0 || flow().joined(view.stream); }
    // All that will come has been found: who has less than another holds nobody up.
    bool has_all() const {
      return view.closing && view.read + view.frames >= view.written &&
             !flow().has_next(view.stream);
    }

    StreamReader reader;
    ConsumerFlow::View view;  // of the last look
    bool has_given = false;
  };
  using Lanes = std::array<std::unique_ptr<Lane>, abi::kClients>;

  Lane& first() { return *lanes_[0]; }
  const Lane& first() const { return *lanes_[0]; }
  template <typename Work>
  void each(Work work) {
    for (std::uint32_t i = 0; i < count_; ++i) work(*lanes_[i]);
  }
  template <typename Question>
  bool any(Question question) const {
    for (std::uint32_t i = 0; i < count_; ++i) {
      if (question(*lanes_[i])) return true;
    }
    return false;
  }
  template <typename Work>
  void each_begun(Work work) {
    each([&](Lane& lane) {
      if (lane.view.streaming) work(lane);
    });
  }

  bool cache_covers(std::uint64_t frames) const;
  int look(std::int64_t now_ns, bool fills);
  int look_at(Lane& lane, std::int64_t now_ns, bool fills);
  int settle(Lane& lane, std::int64_t now_ns);
  int look_at_all(std::int64_t now_ns, bool fills);
  void pass_ends(std::int64_t now_ns);
  void find_alone();
  void set_alone(Lane* lane);
  void drop(Lane& lane);
  void join();
  void mind_neighbours();
  bool heard(const Lane& lane) const { return none_joined_ || lane.joined(); }
  // Frames of the mix that the program was given, and how far a lane is ahead of that.
  std::uint64_t mixed() const;
  std::uint64_t lead_of(const Lane& lane, std::uint64_t mixed) const;
  std::uint64_t available(std::uint64_t most);
  std::size_t give_block(std::byte* out, std::size_t frames, std::uint64_t mixed);
  void give_of(Lane& lane, std::byte* out, std::size_t frames, std::uint64_t mixed);
  std::uint64_t written() const;

  OpenHalf& half_;
  const std::uint32_t count_;
  Lanes lanes_;
  // More than one lane may be heard. Once so, it stays.
  std::atomic<bool> several_{false};
  // The only one that has begun; or the only one that there is.
  Lane* alone_ = nullptr;
  bool none_joined_ = false;  // where nobody has filled a filter: all count
  bool turned_ = false;       // the last look has found another section, or lane
  std::atomic<const Lane*> waits_for_{nullptr};
  std::atomic<std::uint64_t> seen_written_{0};
  std::optional<audio::Sum> sum_;
  // What the last read left. Without a clock it is there to be read as long as only we
  // read, so that small reads need not look each time how far the producer is. What lies
  // before `cached_until_` counts as played: a halt of the producer does not drop it.
  std::uint64_t cached_until_ = 0;
  std::uint64_t lent_from_ = 0;
  std::uint64_t cached_for_ = 0;  // OpenHalf::buffer_changes()
};

}  // namespace ossloop::device
