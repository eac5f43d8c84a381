// One open of one side, as this process holds it: a half to play, a half to record, or both.
//
// States (the word Half::open of each is the truth):
//
//   opened ── first read/write, poll for input, trigger ──> running
//   running ── the peer's end is told, halt ──> opened
//   any ── last descriptor of this process closed ──> leaving ── nobody else
//   holds the open: drained, End pushed, CLOSED; else: just forgotten here
//
// Any call from any thread. A call takes the side's lock (a mutex in the process
// and, if several processes share the open, a lock of the kernel), looks, moves
// what it can, gives the lock back, and only then sleeps.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/mutex.h"
#include "config/policy.h"
#include "device/allowance.h"
#include "device/blocking_wait.h"
#include "device/capture.h"
#include "device/device_thread.h"
#include "device/loudness.h"
#include "device/mapped_buffer.h"
#include "device/open_half.h"
#include "device/peer_monitor.h"
#include "device/playback.h"
#include "device/readiness.h"
#include "shm/wakeup.h"

namespace ossloop::device {

struct OpenRequest {
  shm::RuntimeDirectory folder;
  int instance = 0;
  abi::SideIndex side = abi::kClient;
  std::uint32_t access = kReadWrite;
  bool nonblock = false;
  bool exclusive = false;  // O_EXCL
  bool close_on_exec = false;
  bool mu_law = false;    // /dev/audio
  shm::SegmentInit init;  // of the segment, if it must be made
  // A server's: what the configuration says of an instance that was made before.
  std::optional<config::InstancePolicy> configured;
};

struct Space {
  std::int64_t fragments, fragments_total, fragment_bytes, bytes;
};
struct Pointer {
  std::uint64_t frames = 0;         // since the counters were set to 0
  std::uint64_t fragments = 0;      // since the last question
  std::uint64_t ptr_bytes = 0;      // in the buffer
  std::uint64_t queued_frames = 0;  // between the program and the loop, without filters
};
// Since the last question.
struct Errors {
  std::uint64_t play_underruns = 0, record_overruns = 0;
};

// Where a stream is at one moment. See ossloop_look in oss/soundcard.h.
struct Look {
  std::uint64_t queued_frames = 0, delay_frames = 0;
  std::int64_t at_ns = 0;
  std::uint64_t lost = 0;
  bool tells = false;
};

class Endpoint final : public DeviceThreadClient {
 public:
  // Opens and claims. nullptr with error: -EACCES (server for both directions without
  // duplex), -EBUSY, -EAGAIN or -ENXIO (no server), -ENOSPC, or what the system says.
  // `fd` is the program's descriptor.
  static std::unique_ptr<Endpoint> open(const OpenRequest& request, int& fd, int& error);
  // Finds the open behind a descriptor that came from elsewhere (exec, a
  // message). nullptr if the node is not claimed or its segment is gone.
  static std::unique_ptr<Endpoint> adopt(const shm::RuntimeDirectory& folder, int instance,
                                         const shm::Place& place, int fd);
  ~Endpoint() override;

  // Is `fd` a descriptor of the open that has its side?
  static bool holds_claim(int fd);

  // `progressed`: the call has moved bytes before (a vector's earlier pieces), so
  // what may be told only once is left for the next call.
  ssize_t read(int fd, std::byte* data, std::size_t bytes, bool progressed = false);
  ssize_t write(int fd, const std::byte* data, std::size_t bytes, bool progressed = false);

  // Somebody is about to wait on the node for `events` (POLLIN, POLLOUT): starts
  // recording, makes the token true. Returns those that the node is to be asked for: a byte
  // may stand for room. What came of it is told by poll_now().
  short prepare_poll(int fd, short events);
  // After a wait: the events that are true now. The peer wakes who polls before there
  // is what was polled for, and a loop may have turned round.
  short poll_now(int fd);
  // Somebody will hear of changes only (EPOLLET, SIGIO): each fragment is one.
  void want_edges(int fd);

  // The program's format.
  audio::PcmFormat format() const { return half().shared_format(); }
  int set_format(int fd, const audio::PcmFormat& wanted);

  Buffering buffering() const { return half().buffering(); }
  std::uint64_t buffer_frames() const { return half().buffer_frames(); }
  std::uint32_t buffer_ms() const { return half().buffer_ms(); }
  // SETFRAGMENT's word, POLICY's number (0-10) or SUBDIVIDE's divisor; kept over
  // changes of format.
  void choose_fragment(int fd, std::uint32_t request);
  void choose_policy(int fd, int policy);
  void subdivide(int fd, std::uint32_t divisor);
  void choose_buffer(int fd, std::uint64_t fragment_frames, std::uint64_t buffer_frames);
  void set_low_water(std::uint32_t bytes);
  bool transferring() const;  // has sound been moved since the open?

  // 0, or -errno where there is no memory to play from: -ENOSPC.
  int space(int fd, Access direction, Space& space);
  Pointer pointer(int fd, Access direction);
  std::uint64_t delay_frames(int fd);
  Errors errors(int fd);
  // `wanted`: so many frames may still be queued for playback, or shall be recorded.
  Look look(int fd, Access direction, std::uint64_t wanted);

  // mmap: PROT_WRITE is the buffer to play from, PROT_READ alone that to record
  // into; `direction` says which. nullptr with error: -EACCES (not open for it, or
  // the loop goes the other way), or what MappedBuffer says.
  void* map(int fd, const MapRequest& request, Access& direction, int& error);
  // The program has no map of this direction any more.
  void unmap(Access direction);
  // -ECONNRESET once, when a stream that was recorded into a mapped buffer ended
  // and the policy is to tell so; else 0.
  int mapped_end(int fd, Access direction);

  void halt(int fd, std::uint32_t directions);
  // Waits until everything is played. 0, -EINTR, or -EBADF: it was closed meanwhile.
  int sync(int fd);
  // What is queued to be played waits, and goes on where it was.
  void pause(int fd, bool on);
  std::uint32_t trigger() const;
  // 0, or -errno as space() says it.
  int set_trigger(int fd, std::uint32_t directions);
  // The stream's own level, left | right << 8, 0 to 100. Locked levels stay as they
  // are.
  std::uint32_t volume(Access direction) const;
  void set_volume(Access direction, std::uint32_t volume);
  bool levels_locked() const;

  // Around a start together with other opens (device/sync_group.h): nothing moves
  // until the release, whose moment is that of all of them.
  void hold(int fd, std::uint32_t directions);
  void release(int fd, std::uint32_t directions, std::int64_t now_ns);

  // See device/loudness.h. A server hears all its clients.
  void peaks(int fd, Access direction, std::uint16_t (&peaks)[kPeakChannels]);
  // What is queued to be played becomes silence.
  void silence(int fd);

  bool nonblock() const;
  void set_nonblock(bool on);
  std::uint32_t access() const { return access_; }
  // It plays and records at once.
  bool both_ways() const { return both_ways_; }
  // What the program calls its stream and itself, and its choice of COOKEDMODE.
  abi::Half& told() const { return half().own(); }
  const std::shared_ptr<shm::Segment>& segment() const { return half().shared_segment(); }
  int instance() const { return instance_; }
  abi::SideIndex side() const { return half().side(); }
  const shm::Place& place() const { return place_; }
  std::uint64_t serial() const { return half().serial(); }
  // The direction the loop lends this side now: kRead or kWrite, 0 if unknown.
  std::uint32_t live_direction() const;
  // Does the loop lend this side that direction now? Both to who is open for both at once.
  bool live(Access way) const { return both_ways_ ? true : live_direction() == way; }

  // The last descriptor of this process. Closes `fd`, and if no other process
  // holds the open, drains and ends it. From the moment at which it waits for that, the
  // device thread sees to it that it is done, also where a signal handler leaves the wait
  // for good; and it may be gone afterwards (base::kept_has_gone()).
  void leave(int fd, const std::function<void()>& close_descriptor);

  // What calls without a lock may move, in each way: in memory that stays. And what such a call
  // leaves to one that has its signals held: to wake who waits for what it moved.
  void lend_by(Allowance& played, Allowance& recorded);
  void wake_who_waits(Access way);

  // Nothing of it has still to be done: destroyed before, it ends a stream that lingers.
  bool settled() const { return !draining_.load() && !lingering_.load(); }
  // The process ends: no stream of it waits for another open.
  static void process_ends();
  void stop_lingering();
  // For a process without a device thread: does what is due of that.
  void settle();

  // One descriptor of several: closes it where no token is being moved.
  void close_one(const std::function<void()>& close_descriptor);

  std::int64_t tick(std::int64_t now_ns) override;

  // Around fork(): the child gets a side at rest.
  void before_fork();
  void after_fork(bool child);

  // Whether `fd` is still this open: asked before a token is moved.
  using HoldsDescriptor = bool (*)(int fd, const Endpoint* endpoint);
  static void set_holder(HoldsDescriptor holds);

 private:
  class SideLock;
  class Door;
  // Who takes it takes back what was lent.
  class SideMutex {
   public:
    explicit SideMutex(Endpoint& endpoint) : endpoint_(endpoint) {}
    void lock() {
      mutex_.lock();
      endpoint_.take_back();
    }
    bool try_lock() {
      if (!mutex_.try_lock()) return false;
      endpoint_.take_back();
      return true;
    }
    void unlock() { mutex_.unlock(); }
    void unlock_in_child() { mutex_.unlock_in_child(); }

   private:
    Endpoint& endpoint_;
    base::Mutex mutex_;
  };
  Endpoint(const std::shared_ptr<shm::Segment>& segment, const shm::RuntimeDirectory& folder,
           int instance, const shm::Place& place, std::uint32_t access, bool both_ways);
  static std::shared_ptr<shm::Segment> find(const OpenRequest& request, shm::Node::Claim& server,
                                            int& error);
  static shm::Node::Claim claim_of_server(const OpenRequest& request, const shm::Segment& segment);
  // The main half (abi::Half), and all that the open has.
  const OpenHalf& half() const { return half((access_ & kWrite) != 0 ? kWrite : kRead); }
  const OpenHalf& half(Access way) const { return way == kRead ? recording_ : playing_; }
  // Is the half ours to begin anew? Where two opens share a place, each has its own.
  bool owns(Access way) const {
    return place_.kind == shm::NodeKind::kWhole || (access_ & way) != 0;
  }
  template <typename Work>
  void each_half(Work work) {
    if ((access_ & kWrite) != 0) work(playing_);
    if ((access_ & kRead) != 0) work(recording_);
  }
  bool holds(int fd) const;
  void wake_own();
  void wake_peers();
  void mark_shared();
  bool peer_open() const;
  bool still_named(int fd);
  void check_client_alive();
  int begin(const OpenRequest& request, bool server_there);
  std::uint32_t place_word() const;
  void claim_side(const OpenRequest& request);
  void watch_over();
  void forget_killed();
  bool frozen() const;
  void look_at_playback(std::uint64_t wanted, std::int64_t now_ns, Look& look);
  void look_at_recording(std::uint64_t wanted, std::int64_t now_ns, Look& look);
  Buffering chosen_buffering(const audio::PcmFormat& format) const;
  void set_buffering(const Buffering& buffering);
  void choose_buffering(std::uint32_t chosen);
  int sleep(shm::Sleeper& sleeper, std::int64_t deadline_ns, bool open_ended);
  template <typename Look, typename Position>
  ssize_t transfer(int fd, OpenHalf& half, std::size_t bytes, Look look, Position position);
  // In the midst of a stream, and as fast as both programs go: such a call needs no
  // time. A beginning does.
  bool without_clock() const {
    return playback_.flow().free_clock() && (playback_.streaming() || capture_.flow().running()) &&
           seen_ns_.load(std::memory_order_relaxed) != 0;
  }
  void look_without_thread(std::int64_t now_ns);
  void lend(Access way);
  Allowance* allowance_for(Access way) const {
    return way == kWrite ? lent_played_ : lent_recorded_;
  }
  void take_back();
  // By this open's ways: the other half of its place may be another open's.
  void count_lent() const {
    if ((access_ & kWrite) != 0) playback_.count_lent();
    if ((access_ & kRead) != 0) capture_.count_lent();
  }
  std::uint64_t lingerer() const;
  void go_on_or_end();
  bool begin_lingering();
  bool lingering_is_over(std::int64_t now_ns);
  bool drain_is_over(std::int64_t now_ns);
  void finish(bool last);
  bool ready(Access way, std::int64_t now_ns);
  std::uint32_t ready_ways(std::int64_t now_ns);
  void show_readiness(int fd, std::int64_t now_ns);
  void show_both_ways(int fd, std::int64_t now_ns);
  std::uint64_t passed_fragments(std::int64_t now_ns);
  std::uint64_t passed_fragments(Access way, std::int64_t now_ns);
  std::uint64_t low_water_frames() const;
  void show_readiness(int fd);
  bool work_from_thread(std::int64_t now_ns);
  MappedBuffer& buffer(Access direction) { return direction == kRead ? recorded_ : played_; }
  const MappedBuffer& buffer(Access way) const { return way == kRead ? recorded_ : played_; }
  bool has_mapped(Access way) const { return (access_ & way) != 0 && buffer(way).mapped(); }
  bool runs_mapped(Access way) const { return has_mapped(way) && buffer(way).running(); }
  bool any_mapped() const { return has_mapped(kRead) || has_mapped(kWrite); }
  bool any_running() const { return runs_mapped(kRead) || runs_mapped(kWrite); }
  void start_mapped(std::uint32_t directions, std::int64_t now_ns);
  bool mapped_moves() const;
  bool takes_the_moving(std::int64_t now_ns);
  void move_mapped(std::int64_t now_ns);
  Pointer mapped_pointer(Access direction, std::int64_t now_ns);
  void stop(std::uint32_t directions, std::int64_t now_ns);
  void started();
  std::int64_t tick_ns() const;

  const int instance_;
  const shm::Place place_;
  const std::uint32_t access_;
  const bool both_ways_;
  OpenHalf playing_;
  OpenHalf recording_;
  PeerMonitor peer_monitor_;
  Readiness readiness_;
  Playback playback_;
  Capture capture_;
  MappedBuffer recorded_;
  MappedBuffer played_;
  Errors errors_told_;
  std::uint32_t shown_direction_ = 0;  // as what the token was last shown
  bool shown_idle_ = false;            // for both ways: as neither
  SideMutex mutex_{*this};
  Allowance *lent_played_ = nullptr, *lent_recorded_ = nullptr;  // or to be lent
  std::uint32_t lent_ = 0;                                       // which of them are
  std::atomic<bool> leaving_{false};
  std::atomic<bool> draining_{false};  // `leave` waits, or has been left
  std::atomic<bool> finishing_{false};
  std::atomic<bool> gone_{false};
  // Closed, and its stream may be gone on with by another open of this process.
  std::atomic<bool> lingering_{false};
  std::atomic<std::int64_t> linger_until_ns_{0};
  // How closely the device thread watches; a call that finds more going on
  // notifies it.
  enum class Watch : int { kIdle, kWaiting, kStreaming, kTicking };
  bool goes_on_without_peer() const;
  Watch watch_wanted() const;
  std::atomic<Watch> watch_{Watch::kIdle};
  // The earliest deadline of calls that sleep until the device thread wakes them.
  std::atomic<std::int64_t> alarm_ns_{kNoAlarm};
  std::atomic<std::int64_t> seen_ns_{0};  // when a call last asked for the time
  BlockingWait::Experience experience_;
  static constexpr std::int64_t kNoAlarm = INT64_MAX;
  // What was accepted is being played on.
  class Drain {
   public:
    // All is played, or nobody fetches it. Else how long to wait.
    bool over(Playback& playback, std::int64_t now_ns, TransferResult& step);

   private:
    std::uint64_t progress_ = 0;
    std::int64_t moved_ns_ = 0;  // when the consumer last fetched something
  };
  Drain drain_;  // of a side that is left: the device thread's
};

}  // namespace ossloop::device
