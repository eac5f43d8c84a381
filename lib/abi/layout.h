// The shared-memory contract of one instance.
//
// Everything two processes know of each other stands in this file. A segment is
// a file in the runtime folder; it begins with a Segment and goes on, from
// kRingOffset, with the rings in which the sound lies: one for each writer, made
// when it first writes, and a larger one behind when a format needs it.
//
// In each direction the server has one half of an open and up to kClients clients have
// one each, by slots; an open for both ways holds the halves of both directions. A lane
// joins the server's half to that of a client:
//
//     client to server:  client[0] ── lane[0] ──┐            each client its ring; the
//                        client[1] ── lane[1] ──┼── server   server has a position in
//                        ...                    │            each
//     server to client:  server ── lane[0] ─────┼── client[0]   one ring, lane[0]'s; each
//                                  lane[1]      └── client[1]   client its position in it
//
//   who writes        what
//   the creator       Header, once, before the file gets its name
//   ossloopctl        Policy, at any time; a mixer its eof, underrun, overrun, quality
//   a server's opener what of Policy is not pinned
//   any mixer         Mixer, at any time
//   an open           its halves, the Producer of a lane that it writes to and the Consumer
//                     of each that it reads from
//   who makes a ring  Header::file_end, by compare-and-swap
//   who sees it dead  Half::open of an open whose claim the kernel says is gone:
//                     OPEN -> CLOSED by compare-and-swap on the same serial
//   anyone            Half::waiting, by compare-and-swap, before it advances Half::wake
//   an open's holders Half::lock, by compare-and-swap; the kernel, when one dies
//
// Whoever writes a half holds the lock of its open (device/side_lock.h), so each field
// has one writer at a time. Readers check every value before use: the other process
// may be hostile, and the worst it can do is to spoil its own stream.
//
// The life of a half, with the actor on each edge:
//
//              opener: claims the node's lock, serial + 1, announces the claim
//     CLOSED  ─────────────────────────────────────────────────>  OPEN
//       ^                                                          │
//       └──────────────────────────────────────────────────────────┘
//         last close, or who sees that the lock is gone
//
// A stream's life in one lane:
//
//     idle ── producer: stream + 1, base = written ──> fed ── consumer: anchors
//     the clock ──> running ── producer: pushes End{stream, written}; or its half
//     is CLOSED, which means the same at `written` ──> ended ── consumer: has read
//     up to the end and told its program: acknowledged_stream = stream ──> idle
//
// Positions are frames as the producer wrote them, since the segment was made, and
// only grow. In the order of time:  read <= played <= written,  where `played` is not
// stored: every process computes it from the clock (stream/flow.h). What a frame is,
// and where it lies, says the last Mark that is not behind it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace ossloop::abi {

inline constexpr std::uint64_t kMagic = 0x0031706f6c73736fULL;  // "osslp1"
inline constexpr std::uint32_t kLayoutVersion = 5;
inline constexpr std::uint32_t kRingOffset = 40960;
inline constexpr int kMaxInstances = 16;
// So many clients can be joined to a server in a direction.
inline constexpr std::uint32_t kClients = 8;

template <typename T>
using Atomic = std::atomic<T>;

enum SideIndex : std::uint32_t { kServer = 0, kClient = 1 };
enum DirectionIndex : std::uint32_t { kClientToServer = 0, kServerToClient = 1 };

struct alignas(64) Header {
  Atomic<std::uint64_t> magic;  // release: the last field the creator writes
  Atomic<std::uint32_t> layout_version;
  Atomic<std::uint32_t> instance;
  // Where the next ring may begin, in bytes; less than kRingOffset: at kRingOffset.
  Atomic<std::uint64_t> file_end;
};

// Each word has a row in config/key_table.h. Relaxed: each is looked at anew.
struct alignas(64) Policy {
  Atomic<std::uint32_t> eof;
  Atomic<std::uint32_t> underrun;
  Atomic<std::uint32_t> overrun;
  Atomic<std::uint32_t> clock_mode;
  Atomic<std::uint32_t> clock_factor_milli;
  Atomic<std::int32_t> ppm;
  Atomic<std::uint32_t> quality;
  Atomic<std::uint32_t> dither;
  Atomic<std::uint32_t> tick_ms;
  Atomic<std::uint32_t> buffer_ms;  // fixed at creation: the ring is made for it
  // Those that somebody set for this instance, by config::policy_bit(): a server's
  // open takes the others from the configuration anew.
  Atomic<std::uint32_t> pinned;
  Atomic<std::uint32_t> volume;
  Atomic<std::uint32_t> further[4];  // of the policies that were added since
};

// From `frame` on the sound is of `format` and lies in the ring_bytes bytes of the
// file from ring_offset on, round and round: `frame` itself where `byte` bytes have
// gone by since the ring was made.
struct Mark {
  Atomic<std::uint64_t> frame;
  Atomic<std::uint64_t> format;  // packed: stream/format_word.h
  Atomic<std::uint64_t> ring_offset;
  Atomic<std::uint64_t> ring_bytes;
  Atomic<std::uint64_t> byte;
};
// One of them is in force where the consumer reads.
inline constexpr std::uint32_t kMarks = 16;

struct End {
  Atomic<std::uint64_t> stream;
  Atomic<std::uint64_t> frame;   // the first frame that is not of the stream
  Atomic<std::uint64_t> volume;  // Half::volume of who played it
};
inline constexpr std::uint32_t kEnds = 16;

inline constexpr std::uint64_t kArmed = ~std::uint64_t{0};

struct alignas(64) Producer {
  Atomic<std::uint64_t> written;          // release, after the frames are in the ring
  Atomic<std::uint64_t> stream;           // release, after base and consumer_serial
  Atomic<std::uint64_t> base;             // `written` when the stream began
  Atomic<std::uint64_t> consumer_serial;  // the consumer's open this stream is for
  Atomic<std::uint64_t> hold_from;        // frames from here on wait for the trigger; kArmed: none
  // When armed sound was let go, and when the stream began, CLOCK_MONOTONIC: what the
  // clock is started by. Relaxed, before `hold_from` and `stream`.
  Atomic<std::int64_t> released_ns;
  Atomic<std::int64_t> begun_ns;
  // Frames to drop unheard, asked for by a halt: [skip_from, skip_to).
  Atomic<std::uint64_t> skip_from;
  Atomic<std::uint64_t> skip_to;
  Atomic<std::uint64_t> skips;  // release, counts the requests
  Atomic<std::uint64_t> ends;   // release, counts the Ends pushed
  End end[kEnds];
  Atomic<std::uint64_t> marks;  // release, counts the Marks made, before frames behind one
  Mark mark[kMarks];
  // The stream that has ended, and that its process may still go on with, 0: none; to 0 by
  // whoever sees that the process has gone, or that the time is over. A number of that
  // process. And the streams that one process has gone on with, each with the one before:
  // [from, to). Release; `from` and `to` before `lingers` is 0.
  Atomic<std::uint64_t> lingers;
  Atomic<std::uint64_t> lingerer;
  Atomic<std::uint64_t> continued_from;
  Atomic<std::uint64_t> continued_to;
};

// How the clock has been moved, for people: relaxed.
struct ClockStats {
  // Since the consumer's open.
  Atomic<std::uint64_t> held_frames;     // set back, for a consumer that did not fetch
  Atomic<std::uint64_t> stalled_frames;  // set back, for a producer that did not come
  // Since the clock was started, or got another speed.
  Atomic<std::int64_t> start_ns;
  Atomic<std::int64_t> start_frame;
  Atomic<std::int64_t> moved_frames;  // by all that sets it forth or back
};

struct alignas(64) Consumer {
  Atomic<std::uint64_t> read;     // release, after the frames are copied out
  Atomic<std::uint32_t> running;  // wants sound
  Atomic<std::uint32_t> at_end;   // eof=eof: reads give 0 until the next stream
  Atomic<std::uint64_t> acknowledged_stream;
  Atomic<std::uint64_t> ends_taken;
  Atomic<std::uint64_t> skips_done;
  Atomic<std::uint64_t> marks_taken;  // release, the Marks that are not ahead of `read`
  // The clock; `sequence` is odd while the rest changes.
  Atomic<std::uint32_t> sequence;
  Atomic<std::uint32_t> clock_rate_hz;
  Atomic<std::uint32_t> clock_factor_milli;
  Atomic<std::int32_t> clock_ppm;
  Atomic<std::int64_t> clock_anchor_ns;
  Atomic<std::int64_t> clock_base;     // frame that is due at the anchor
  Atomic<std::uint64_t> clock_stream;  // 0: stopped
  Atomic<std::uint64_t> clock_marks;   // `marks_taken` of the frame at clock_base
  // Counters of the open, for GETERROR and status.
  Atomic<std::uint64_t> silence_frames;
  Atomic<std::uint64_t> underruns;
  Atomic<std::uint64_t> overruns;
  Atomic<std::uint64_t> dropped_frames;
  // Taken out of the ring and still in the filter of the rate conversion.
  Atomic<std::uint64_t> filter_frames;
  // The filter, for another process of the open that goes on with it: the section that it
  // began in, 0 if there is none, where, to which format, and how many frames of that it
  // has given. The ring keeps what is needed of the past.
  Atomic<std::uint64_t> filter_section;
  Atomic<std::uint64_t> filter_begin;
  Atomic<std::uint64_t> filter_format;  // packed: stream/format_word.h
  Atomic<std::uint64_t> filter_given;
  Atomic<std::uint64_t> clipped_samples;  // that the conversion saturated since the open
  ClockStats clock_stats;
  // Who takes the sound where nobody may hear it: stream/lane_reader.h.
  Atomic<std::uint64_t> reader;
  // The stream whose end was passed and is not told as long as its player may go on; 0: none.
  Atomic<std::uint64_t> passed_end;
  // Where the lane lies in the mix of all that the consumer hears, in frames that its
  // program was given since its open (Half::frames): the first of the stream that has
  // joined, and the next one. Relaxed, before `joined_stream` (release); 0: none has.
  Atomic<std::uint64_t> joined_stream;
  Atomic<std::uint64_t> joined_frame;
  Atomic<std::uint64_t> mix_frame;
};

struct alignas(64) Lane {
  Producer producer;
  Consumer consumer;
};

// What a node holds (shm/node.h).
enum class Token : std::uint32_t { kEmpty, kByte, kUnknown, kFull };

// What calls sleep on, by the kernel's futex: operated by shm/wakeup.h.
struct EventCount {
  Atomic<std::uint32_t> value;  // how often they were woken
  unsigned char unused[60];
};

// A half's mapped buffer (mmap); the sound lies in a file of its own (shm/mmap_file.h). With
// the open's lock held, so relaxed.
struct MappedStream {
  Atomic<std::uint32_t> mapped;    // some program has it in its memory
  Atomic<std::uint32_t> running;   // triggered
  Atomic<std::uint64_t> position;  // frames of the program moved since the trigger
  Atomic<std::uint64_t> seen;      // position of the last ...PTR question
  Atomic<std::uint64_t> preroll;   // frames that are still held back from the loop
  // Its clock: that of a card, which no program holds up.
  Atomic<std::int64_t> anchor_ns;
  Atomic<std::int64_t> base;
  Atomic<std::uint32_t> factor_milli;
  Atomic<std::int32_t> ppm;
  Atomic<std::uint32_t> ended;  // a recorded stream's end waits to be told
};

// Which of its place's nodes an open has (shm/names.h); whether both its directions run at
// once; and what the policies `duplex`, `open` and `clients` were when it came: it keeps them.
inline constexpr std::uint32_t kNodeOfHalf = 3, kBothWays = 4, kDuplexOpen = 8, kOpenAlways = 16;
inline constexpr std::uint32_t kForSeveral = 32;

// One direction of a program's open, and what must survive its exec. Of an open for both
// ways the playing half, its main one, holds what the open has but once.
struct alignas(64) Half {
  Atomic<std::uint64_t> open;    // serial << 1 | is open; acq_rel
  Atomic<std::uint32_t> place;   // of the open: kNodeOfHalf and the bits beside it
  Atomic<std::uint32_t> access;  // of the open: 1 read, 2 write, 3 both; 0: not the last one's
  Atomic<std::uint64_t> format;  // the program's own, packed: stream/format_word.h
  Atomic<std::uint32_t> fragment_bytes;
  Atomic<std::uint32_t> fragments;
  Atomic<std::uint32_t> buffer_frames;    // all fragments, in frames of `format`, for the peer
  Atomic<std::uint32_t> fragment_chosen;  // by SETFRAGMENT or POLICY: kept over format changes
  Atomic<std::uint32_t> volume;           // left | right << 8, 0-100
  // Sleepers: how many in the low half, how often they were woken in the high
  // one. A waker sets the count to 0 and advances `wake`.
  Atomic<std::uint64_t> waiting;
  Atomic<std::uint64_t> wake_frame;  // peer position from which waking is worth it
  // In frames of the program since its open (accepted or delivered), and where the
  // counters were last set to 0. Each call writes here: not in a line that the peer reads.
  Atomic<std::uint64_t> frames;
  Atomic<std::uint64_t> zero_frames;
  Atomic<std::uint64_t> seen_frames;    // position of the last ...PTR question
  Atomic<std::uint32_t> partial_bytes;  // of a frame that is not yet whole
  unsigned char partial[64 * 4];
  MappedStream mapped;

  // From here on the main half's.
  Atomic<std::uint32_t> nonblock;  // O_NONBLOCK of the description
  Atomic<std::uint32_t> pid;       // of the opener, for people
  Atomic<std::uint32_t> low_water_bytes;
  Atomic<std::uint32_t> trigger;  // PCM_ENABLE_* bits
  Atomic<std::uint32_t> cooked;
  Atomic<std::uint32_t> polled;  // somebody waits on the node: keep its token true
  // What the node shows, a Token. The owner's, by compare-and-swap; a peer that put a byte
  // in, because something began, stores Token::kUnknown.
  Atomic<std::uint32_t> token;
  Atomic<std::uint32_t> shared;  // more than one process holds the open
  char command[64];
  char song[64];
  char label[16];
  // Who may change the open, among processes that share it (shm/shared_lock.h): the
  // kernel's number of a thread, 0 if nobody.
  Atomic<std::uint32_t> lock;
  // One process at a time moves the sound of mapped buffers: a filter of each would
  // spoil it.
  Atomic<std::uint32_t> pump_owner;  // its pid
  Atomic<std::int64_t> moved_ns;     // CLOCK_MONOTONIC; others take over when it is old
  Atomic<std::int64_t> opened_ns;    // CLOCK_MONOTONIC
  // A server's that plays to several: the slot of the client that it waits for, plus kClients
  // times the number of that choice. Release.
  Atomic<std::uint32_t> waits_for;
  // A server's: so much faster than the policy says its direction's clock runs, to keep
  // step with a card. The open's own; see stream/clock_speed.h.
  Atomic<std::int32_t> trim_ppm;
  // A server's: its recording stops before sound of another format than its own, if it hears
  // only one client, until it has taken that format or this is 0 again. The open's own.
  Atomic<std::uint32_t> stops_at_marks;
  // From which position of its stream on a process moves sound by itself
  // (device/allowance.h), which is not yet counted in `frames`: twice its lower bits, plus 1;
  // 0: none.
  Atomic<std::uint32_t> lent_from;
  Atomic<std::uint32_t> further[2];  // 0, for what is added
  alignas(64) EventCount wake;
};

struct alignas(64) Direction {
  Half server;
  Half client[kClients];
  Lane lane[kClients];
};

enum MixerChannel : std::uint32_t { kMixVolume = 0, kMixPcm = 1, kMixInput = 2 };
inline constexpr std::uint32_t kMixerChannels = 3;

// What the mixer of the instance does to the sound of its client side. Relaxed:
// each is looked at anew.
struct alignas(64) Mixer {
  // By MixerChannel, in steps of half a decibel, left | right << 8: 0 passes bit
  // for bit, 100 is silence.
  Atomic<std::uint32_t> attenuation[kMixerChannels];
  Atomic<std::uint32_t> muted;
  Atomic<std::uint32_t> changes;  // counts them, by whomever
};

struct Segment {
  Header header;
  Policy policy;
  Mixer mixer;
  Direction direction[2];
};

static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);
static_assert(sizeof(std::atomic<std::uint64_t>) == 8 && alignof(std::atomic<std::uint64_t>) == 8);

static_assert(offsetof(Header, layout_version) == 8 && offsetof(Header, file_end) == 16);
static_assert(sizeof(Header) == 64 && sizeof(EventCount) == 64);
static_assert(offsetof(Policy, ppm) == 20 && offsetof(Policy, buffer_ms) == 36);
static_assert(offsetof(Policy, pinned) == 40 && offsetof(Policy, volume) == 44);
static_assert(offsetof(Policy, further) == 48 && sizeof(Policy) == 64);
static_assert(sizeof(End) == 24 && sizeof(Mark) == 40);
static_assert(offsetof(Producer, stream) == 8 && offsetof(Producer, hold_from) == 32);
static_assert(offsetof(Producer, begun_ns) == 48 && offsetof(Producer, skip_from) == 56);
static_assert(offsetof(Producer, ends) == 80 && offsetof(Producer, end) == 88);
static_assert(offsetof(Producer, marks) == 472 && offsetof(Producer, mark) == 480);
static_assert(offsetof(Producer, lingers) == 1120 && sizeof(Producer) == 1152);
static_assert(offsetof(Consumer, acknowledged_stream) == 16);
static_assert(offsetof(Consumer, marks_taken) == 40 && offsetof(Consumer, sequence) == 48);
static_assert(offsetof(Consumer, clock_anchor_ns) == 64 && offsetof(Consumer, clock_stream) == 80);
static_assert(offsetof(Consumer, clock_marks) == 88 && offsetof(Consumer, dropped_frames) == 120);
static_assert(offsetof(Consumer, filter_frames) == 128 &&
              offsetof(Consumer, filter_section) == 136);
static_assert(offsetof(Consumer, filter_given) == 160 &&
              offsetof(Consumer, clipped_samples) == 168);
static_assert(offsetof(Consumer, clock_stats) == 176 && offsetof(Consumer, reader) == 216);
static_assert(offsetof(Consumer, joined_stream) == 232 && offsetof(Consumer, mix_frame) == 248);
static_assert(sizeof(ClockStats) == 40 && sizeof(Consumer) == 256 && sizeof(Lane) == 1408);
static_assert(offsetof(MappedStream, seen) == 16 && offsetof(MappedStream, anchor_ns) == 32);
static_assert(sizeof(MappedStream) == 64);
static_assert(offsetof(Half, format) == 16 && offsetof(Half, buffer_frames) == 32);
static_assert(offsetof(Half, volume) == 40 && offsetof(Half, frames) == 64);
static_assert(offsetof(Half, waiting) == 48 && offsetof(Half, wake_frame) == 56);
static_assert(offsetof(Half, partial) == 92 && offsetof(Half, mapped) == 352);
static_assert(offsetof(Half, nonblock) == 416 && offsetof(Half, token) == 440);
static_assert(offsetof(Half, shared) == 444 && offsetof(Half, command) == 448);
static_assert(offsetof(Half, song) == 512 && offsetof(Half, label) == 576);
static_assert(offsetof(Half, lock) == 592 && offsetof(Half, moved_ns) == 600);
static_assert(offsetof(Half, opened_ns) == 608 && offsetof(Half, waits_for) == 616);
static_assert(offsetof(Half, trim_ppm) == 620 && offsetof(Half, stops_at_marks) == 624);
static_assert(offsetof(Half, wake) == 640);
static_assert(sizeof(Half) == 704);
static_assert(offsetof(Mixer, muted) == 12 && sizeof(Mixer) == 64);
static_assert(offsetof(Direction, client) == 704 && offsetof(Direction, lane) == 6336);
static_assert(sizeof(Direction) == 17600);
static_assert(offsetof(Segment, policy) == 64 && offsetof(Segment, mixer) == 128);
static_assert(offsetof(Segment, direction) == 192);
static_assert(sizeof(Segment) == 35392 && sizeof(Segment) <= kRingOffset);

}  // namespace ossloop::abi
