// A lane of an instance, from one writer to one reader, seen by its two roles. Everything here
// works on shared positions and on a time that the caller names; nothing sleeps.
//
//          read ........ played ........ written
//            [ consumer's ][ producer's  ]
//            [  buffer    ][   buffer    ]
//
// `played` moves with the clock: min(due(now), written, read + consumer's buffer).
// The consumer's side owns the clock. It starts it, and sets it back where
// time went by without sound: silence handed out, or a consumer that did not
// fetch (the clock is held, and no burst follows).
//
// All frames are the producer's, as it wrote them. A change of format begins a new
// section (stream/section.h): behind its mark, frames pass at another rate.
#pragma once

#include <cstdint>

#include "abi/layout.h"
#include "abi/policy.h"
#include "audio/clock.h"
#include "stream/end_policy.h"
#include "stream/halves.h"
#include "stream/lane_reader.h"
#include "stream/levels.h"
#include "stream/section.h"

namespace ossloop::device {

class Flow {
 public:
  // `slot`: the client's. `listener`: the consumer is a tap, and these are its words.
  Flow(abi::Segment& segment, abi::DirectionIndex direction, std::uint32_t slot = 0,
       Listener* listener = nullptr);

  abi::Half& producer_half() const { return producer_half_; }
  abi::Half& consumer_half() const { return *consumer_half_.load(std::memory_order_relaxed); }

  bool free_clock() const;
  // Of a server that has gone a client does not hear, if it goes on without one.
  EndPolicy end_policy() const;
  abi::Underrun underrun() const;
  abi::Overrun overrun() const;
  // A half's buffer, in frames of the ring.
  std::uint64_t buffer_of(const abi::Half& half, const RingLimits& ring) const;
  // Whose buffer the consumer's is: the reader that nobody hears takes the producer's.
  const abi::Half& buffering_half() const {
    return lane_reader().is_null() && plays_unheard() ? producer_half_ : consumer_half();
  }
  // What the consumer may have before it, unread. Without a clock a long buffer delays
  // nothing and spares wake-ups: all that the ring has for it, unless its program has
  // chosen a buffer.
  std::uint64_t consumer_buffer(const RingLimits& ring) const;
  // The clock as it stands; `stream` is the one it runs for, 0 when stopped.
  audio::Clock clock(std::uint64_t& stream) const;
  // What acts on the level of the sound.
  Levels levels() const {
    return levels_of(segment_.mixer, direction_, producer_half_, consumer_half());
  }
  // Has the consumer begun to take a stream whose end it has not yet heard of? Then a
  // server's format is frozen.
  bool underway() const;

  // From now on the consumer is the client that a server's producer waits for.
  void follow_waited() { look_at(waited_slot()); }
  LaneReader lane_reader() const { return LaneReader(consumer()); }
  // Does the producer play on where nobody records?
  bool plays_unheard() const;
  // Of several that record what a server plays one is waited for: the others hear the same
  // ring, and lose what they do not fetch in time. So does a tap.
  bool is_tap() const { return listener_ != nullptr || slot_ != waited_slot(); }
  // Did more than one client's open fit in when the server came, or would it now?
  bool of_several() const;

  // Counted since the consumer's open.
  std::uint64_t underruns() const { return consumer().underruns.load(std::memory_order_relaxed); }
  std::uint64_t overruns() const { return consumer().overruns.load(std::memory_order_relaxed); }
  std::uint64_t lost_frames() const {
    return consumer().dropped_frames.load(std::memory_order_relaxed);
  }

  // The producer's last section, and that in which the consumer reads.
  std::uint64_t sections() const { return producer_.marks.load(std::memory_order_acquire); }
  std::uint64_t section_read() const {
    return consumer().marks_taken.load(std::memory_order_acquire);
  }
  Section section(std::uint64_t number) const;

 protected:
  // A clock and the section of the frame from which it counts.
  struct SectionClock {
    audio::Clock clock;
    std::uint64_t stream = 0;
    std::uint64_t section = 0;
  };
  SectionClock section_clock() const;
  template <typename Past>
  audio::Clock follow_marks(const SectionClock& from, Past past) const;
  // The frame that is due at `now_ns`, and when `frame` is, whatever marks lie between.
  std::uint64_t due(const SectionClock& time, std::int64_t now_ns) const;
  std::int64_t due_ns(const SectionClock& time, std::uint64_t frame) const;
  // What the consumer's buffer holds from `first` on.
  std::uint64_t buffered_until(std::uint64_t first, const RingLimits& ring) const;
  // How much of the ring the frames of [from, to) take up, in frames of `ring`.
  std::uint64_t held_frames(const RingLimits& ring, std::uint64_t from, std::uint64_t to) const;

  // Does the client in this slot record what a server plays? Has it ever, since its open?
  bool hears(std::uint32_t slot) const;
  bool has_heard(std::uint32_t slot) const;
  // Which client a server's producer waits for, and a number of that choice.
  std::uint32_t choice() const { return producer_half_.waits_for.load(std::memory_order_acquire); }
  std::uint32_t waited_slot() const;
  const abi::Consumer& waited_for() const {
    return segment_.direction[direction_].lane[waited_slot()].consumer;
  }
  abi::Consumer& consumer() const { return *consumer_.load(std::memory_order_relaxed); }
  std::uint32_t slot() const { return slot_; }
  Listener* listener() const { return listener_; }
  // From now on the consumer is the one of this slot.
  void look_at(std::uint32_t slot);

  abi::Segment& segment_;
  const abi::DirectionIndex direction_;

 private:
  std::uint32_t slot_;
  Listener* const listener_;

 protected:
  abi::Half& producer_half_;
  abi::Producer& producer_;

 private:
  std::atomic<abi::Half*> consumer_half_{nullptr};
  std::atomic<abi::Consumer*> consumer_{nullptr};
};

// The producer's half: called by the side that writes.
class ProducerFlow : public Flow {
 public:
  using Flow::Flow;

  std::uint64_t written() const { return producer_.written.load(std::memory_order_relaxed); }
  // `written` when the stream began.
  std::uint64_t base() const { return producer_.base.load(std::memory_order_relaxed); }
  std::uint64_t read_by_peer() const { return consumer().read.load(std::memory_order_acquire); }
  std::uint64_t stream() const { return producer_.stream.load(std::memory_order_relaxed); }
  bool streaming() const;
  // Does the stream still have the consumer it was begun for, or one that took it over?
  bool consumer_kept() const;
  bool consumer_open() const;
  bool consumer_running() const;
  // The word of the position, and that of the consumer's open as it is while it is kept.
  std::atomic<std::uint64_t>& written_word() const { return producer_.written; }
  std::uint64_t kept_open() const {
    return producer_.consumer_serial.load(std::memory_order_relaxed) << 1 | 1;
  }
  // A server that plays to several waits for the one that has recorded longest; when that
  // hears no more, for the next. True if it is another now.
  bool follow_reader();
  // False while the consumer has 16 ends of earlier streams to hear of.
  bool may_begin() const;
  // The same of changes of format.
  bool may_mark() const;

  void begin(std::int64_t now_ns);
  // What is written from now on belongs to `next`, whose number and frame it gets.
  void mark(Section& next);
  // `lingers`: the process of `lingerer` may go on with the stream.
  void end(std::uint64_t lingerer = 0);
  // Has it ended a stream that it may go on with?
  bool lingers(std::uint64_t lingerer) const;
  // It will not. True if it might have.
  bool end_lingering();
  void publish(std::uint64_t frames);
  // Armed at `now_ns`: frames written while it was not begin to play then.
  void arm(bool armed, std::int64_t now_ns);
  // What is not yet played waits until it is armed.
  void hold(const RingLimits& ring, std::int64_t now_ns);
  // Drops what is not yet played.
  void drop(const RingLimits& ring, std::int64_t now_ns);

  std::uint64_t read(const RingLimits& ring) const;
  std::uint64_t played(const RingLimits& ring, std::int64_t now_ns) const;
  // Frames that a filter of the consumer holds: heard later than they were read.
  std::uint64_t filter_frames() const;
  // Room in the ring itself, in frames.
  std::uint64_t room(const RingLimits& ring, std::int64_t now_ns) const;

  // When to look again for `played` to reach `frame`: a time, and the consumer's
  // position from which a wake is wanted.
  struct Wait {
    std::int64_t deadline_ns;
    std::uint64_t wake_frame;
    // Where neither clock nor buffer makes the peer pause, it is mostly in the
    // midst of more: a short sleep until this position first spares both a wake
    // for every block. The same as wake_frame where that is not so.
    std::uint64_t batch_frame;
  };
  // `batch` more than `frame` is worth waiting a moment for; and by `late` frames the
  // clock may go on before we look, for the consumer's read to wake us: a processor
  // that is awake anyway costs a tenth of one that a timer has to wake.
  Wait wait_for(std::uint64_t frame, const RingLimits& ring, std::int64_t now_ns,
                std::uint64_t batch = 0, std::uint64_t late = 0) const;

 private:
  std::uint64_t last_ended() const;
  std::uint32_t best_reader(std::uint32_t otherwise) const;
};

// The consumer's half: called by the side that reads.
class ConsumerFlow : public Flow {
 public:
  using Flow::Flow;

  // What there is to read.
  struct View {
    std::uint64_t read = 0;     // position of the first frame
    std::uint64_t frames = 0;   // due and in the ring
    std::uint64_t silence = 0;  // due after them and missing
    std::uint64_t written = 0;  // all that the stream has so far
    std::uint64_t stream = 0;   // its number
    bool streaming = false;     // a stream has begun (or silence goes on)
    bool closing = false;       // no more will come
    bool end = false;           // and nothing is left
    bool section_ends = false;  // what follows `written` is of another format
  };

  std::uint64_t read() const { return consumer().read.load(std::memory_order_relaxed); }
  std::uint64_t written_by_peer() const {
    return producer_.written.load(std::memory_order_acquire);
  }
  // Of a stream that has begun the end is still to be told.
  bool owes_end() const {
    return producer_.stream.load(std::memory_order_acquire) >
           consumer().acknowledged_stream.load(std::memory_order_relaxed);
  }
  // Has another stream begun behind this one?
  bool has_next(std::uint64_t stream) const {
    return producer_.stream.load(std::memory_order_acquire) > stream;
  }
  // After the end was told with eof=eof, until the next stream begins.
  bool at_end() const { return end_policy().reads_zero && consumer().at_end.load() != 0; }
  std::atomic<std::uint64_t>& read_word() const { return consumer().read; }
  // Has the producer waited for us, and for nobody else, since the last look?
  bool is_waited_for() const {
    return !is_tap() && (direction_ == abi::kClientToServer || choice() == waited_since_);
  }
  bool running() const {
    return hears_always_ || consumer().running.load(std::memory_order_relaxed) != 0;
  }

  // The reader that nobody hears needs no start.
  void hears_always() { hears_always_ = true; }
  void take_over();  // goes on with the present stream where the reader before stopped
  // A new open: forgets what earlier consumers left; or takes over, where players go on alone.
  void attach();
  void start();
  // The same at `now_ns` together with others: sound that comes at once counts from
  // then.
  void start_together(std::int64_t now_ns);
  // Stops recording and drops what was recorded.
  void stop(const RingLimits& ring, std::int64_t now_ns);

  // Looks, and does what is due: starts the clock, holds it, drops.
  View look(const RingLimits& ring, std::int64_t now_ns);
  void take(std::uint64_t frames);
  void take_silence(std::uint64_t frames);
  // What acts on the level of the sound that was looked at: a stream keeps its player's
  // volume when another has the side.
  Levels levels() const;
  // All of the section is taken: what follows is of the next, and passes at its rate.
  void next_section();
  // A filter, as other processes of the open find it (abi::Consumer). Positions that are
  // passed over unheard, or silence that is put in, move its beginning.
  struct Filter {
    std::uint64_t section = 0;
    std::uint64_t begin = 0;
    std::uint64_t format = 0;
    std::uint64_t given = 0;
    bool operator==(const Filter&) const = default;
  };
  Filter filter() const;
  void begin_filter(const audio::PcmFormat& to);
  void no_filter() { consumer().filter_section.store(0, std::memory_order_relaxed); }
  void filter_gave(std::uint64_t frames);
  // Are the frames from `position` on still in the ring?
  bool keeps(std::uint64_t position, const RingLimits& ring) const;
  // So much of what was taken has not come out of a rate converter.
  void tell_filter(std::uint64_t frames) {
    consumer().filter_frames.store(frames, std::memory_order_relaxed);
  }
  // Given where there was no stream.
  void count_silence(std::uint64_t frames) {
    consumer().silence_frames.fetch_add(frames, std::memory_order_relaxed);
  }
  void count_clipped(std::uint64_t samples) {
    consumer().clipped_samples.fetch_add(samples, std::memory_order_relaxed);
  }
  // In overrun=drop: has the producer overwritten what was just copied?
  bool lapped(const RingLimits& ring) const;
  // May the player go on with the stream that has ended? Then its end is passed, and told
  // when that is over, if no stream went on with it.
  bool may_go_on(std::uint64_t stream) const;
  void pass_end(const View& view);
  bool has_passed_end() const { return consumer().passed_end.load(std::memory_order_relaxed) != 0; }
  bool passed_end_is_due();
  void forget_passed_end() { consumer().passed_end.store(0, std::memory_order_relaxed); }
  // The end that `view` shows was reported, or passed over as the policy says.
  void acknowledge_end(const View& view) {
    acknowledge(view, end_policy().silence);
    told_end();
  }
  // Its two steps. A stream that others go on without ends with its clock, whatever the
  // policy is, and is told to nobody.
  void acknowledge(const View& view, bool clock_goes_on);
  void told_end();
  // No silence goes on after the end.
  void stop_clock();

  bool clock_runs() const { return consumer().clock_stream.load(std::memory_order_relaxed) != 0; }
  // Is there a stream whose end is to come, or silence that goes on after one?
  bool begun() const { return owes_end() || clock_runs(); }
  void not_at_end() {
    if (consumer().at_end.load(std::memory_order_relaxed) != 0) consumer().at_end.store(0);
  }

  // Where the lane lies in the mix of several (abi::Consumer).
  bool joined(std::uint64_t stream) const {
    return consumer().joined_stream.load(std::memory_order_acquire) == stream;
  }
  void join(std::uint64_t stream, std::uint64_t mix_frame);
  std::uint64_t mix_frame() const { return consumer().mix_frame.load(std::memory_order_relaxed); }
  void set_mix_frame(std::uint64_t frame) {
    consumer().mix_frame.store(frame, std::memory_order_relaxed);
  }
  // What its neighbours ask of it, in frames of the ring: to wait no longer than `patience`
  // for a player that is late, and to hold or drop so much earlier as it runs ahead of them.
  struct Neighbours {
    std::uint64_t patience = kPatient;
    std::uint64_t lead = 0;
  };
  static constexpr std::uint64_t kPatient = ~std::uint64_t{0};
  void mind(const Neighbours& neighbours) { neighbours_ = neighbours; }

  // When to look again for `frames`. As a driver does, that wakes a reader once a
  // fragment: one that reads small blocks does not wake for each of them.
  ProducerFlow::Wait wait_for(std::uint64_t frames, std::uint64_t fragment, const View& view,
                              const RingLimits& ring, std::int64_t now_ns) const;

  // Starved for less than this is lateness, not yet an underrun.
  std::uint64_t slack(const RingLimits& ring) const;

 private:
  struct Stream {
    std::uint64_t id = 0;
    std::uint64_t limit = 0;
    bool ended = false;  // at `limit`
    bool over = false;   // wherever
    bool section_ends = false;
  };
  Stream current(const RingLimits& ring);
  void skip_dropped(Stream& stream);
  void lose(std::uint64_t frames);
  std::uint64_t bound_due(const audio::Clock& time, const Stream& stream, const RingLimits& ring,
                          std::int64_t now_ns);
  std::uint64_t fill_up(std::uint64_t due, const Stream& stream, const RingLimits& ring);
  std::int64_t first_frame_ns(std::int64_t now_ns);
  bool reader_begun() const;
  void keep_clock(const Stream& stream, const RingLimits& ring, std::int64_t now_ns);
  void set_clock(const audio::Clock& clock, std::uint64_t stream, std::uint64_t section);
  void start_clock(const audio::Clock& clock, std::uint64_t stream, std::uint64_t section);
  void move_clock(std::int64_t frames);
  void set_read(std::uint64_t position);
  void jump_to(std::uint64_t position);
  void move_filter(std::int64_t frames);
  bool others_hear() const;  // does another client record what the server plays?
  bool may_lap() const;
  bool went_on(std::uint64_t stream) const;
  void listen_in();
  void adopt_nobodys();
  void catch_up(Stream& stream, const RingLimits& ring);
  bool keeps(std::uint64_t position, const RingLimits& ring, std::uint64_t spare_frames) const;
  bool is_clear_of_writer(std::uint64_t position, const RingLimits& ring) const;

  bool hears_always_ = false;
  static constexpr std::uint64_t kTap = ~0ULL;
  std::uint64_t waited_since_ = kTap;  // the choice() by which we are waited for; kTap: by none
  std::uint64_t nobodys_ = 0;  // the server's stream when we came, for one that had gone; 0: none
  const abi::End* end_ = nullptr;  // of the stream that was looked at, if it has one
  bool starving_ = false;          // inside one underrun
  bool dry_ = false;               // silence was the last that was taken
  bool held_ = false;              // inside one overrun
  std::int64_t together_ns_ = 0;   // when a start together was, 0: none
  Neighbours neighbours_;
  bool was_free_ = false;
  std::int64_t waited_ns_ = 0;  // when we last looked for the first frame in vain
};

}  // namespace ossloop::device
