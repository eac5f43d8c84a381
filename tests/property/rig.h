// An instance that is used for one case after another: making a folder and a
// segment for each would take longer than the case itself.
#pragma once

#include <cstring>
#include <optional>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>

#include "../unit/instance.h"
#include "base/host.h"
#include "kept_memory.h"
#include "stepper.h"

namespace ossloop::property {

using audio::PcmFormat;
using test::Bytes;
using test::kMs;
using test::kSecond;
using test::Opened;

struct Broken : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What must hold; else the case fails with this text, which is put together only then.
template <typename... Parts>
void hold(bool condition, const Parts&... parts) {
  if (condition) [[likely]]
    return;
  std::ostringstream text;
  (text << ... << parts);
  throw Broken(text.str());
}

// Random choices of one case. `size` bounds its length: a failing case is looked
// for again in smaller sizes.
class Chance {
 public:
  Chance(std::uint64_t seed, int size) : random_(seed), size_(size) {}
  int size() const { return size_; }
  std::uint64_t below(std::uint64_t limit) { return limit == 0 ? 0 : random_() % limit; }
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low + below(high - low + 1);
  }
  bool one_in(std::uint64_t count) { return below(count) == 0; }
  template <typename List>
  auto pick(const List& list) {
    return *(std::begin(list) + below(std::size(list)));
  }
  Bytes bytes(std::size_t count) {
    Bytes data(count + sizeof(std::uint64_t));
    for (std::size_t at = 0; at < count; at += sizeof(std::uint64_t)) {
      const std::uint64_t word = random_();
      std::memcpy(data.data() + at, &word, sizeof word);
    }
    data.resize(count);
    return data;
  }
  // Small numbers as likely as large ones.
  std::uint64_t up_to(std::uint64_t limit) {
    return below(std::uint64_t{1} << below(std::bit_width(limit))) % limit + 1;
  }

 private:
  std::mt19937_64 random_;
  int size_;
};

struct Setup {
  config::InstancePolicy policy;
  PcmFormat player{};
  PcmFormat recorder{};
  bool server_reads = true;
};

class Rig {
 public:
  Rig() {
    base::start_log("off");
    char name[] = "/dev/shm/ossloop-property-XXXXXX";
    hold(::mkdtemp(name) != nullptr, "no folder in /dev/shm");
    folder_ = name;
    int error = 0;
    segment_ = shm::Segment::open(
        folder_, 0, [](abi::Segment&) {}, error);
    hold(segment_ != nullptr, "no segment");
    // What needs a descriptor is done by this thread, not by another that it would wait for.
    base::thread_note().device_thread = true;
    segment_->keep_descriptor();
    stepper_ = std::make_unique<Stepper>(memory_, folder_ + "/loop0", &contract());
  }
  ~Rig() {
    player_.reset();
    recorder_.reset();
    heir_.reset();
    stepper_.reset();
    segment_->drop_descriptor();
    segment_.reset();
    base::thread_note().device_thread = false;
    std::filesystem::remove_all(folder_);
  }

  void keep_memory(bool on) { memory_.keep(on); }
  void begin(const Setup& setup) {
    setup_ = setup;
    player_.reset();
    recorder_.reset();
    heir_.reset();
    heir_reads_ = false;
    first_reader_lives_ = true;
    abi::Segment& contract = segment_->contract();
    constexpr std::size_t kFirst = offsetof(abi::Segment, policy);
    std::memset(reinterpret_cast<char*>(&contract) + kFirst, 0, sizeof contract - kFirst);
    contract.header.file_end.store(0);
    config::store_policy(setup.policy, contract.policy);
    now = 1000 * kSecond;
    if (setup.server_reads) open_recorder();
    open_player();
    if (!setup.server_reads) open_recorder();
  }
  void open_player() {
    player_.reset();
    open(player_, setup_.player, !setup_.server_reads, device::kWrite);
  }
  void open_recorder() {
    recorder_.reset();
    open(recorder_, setup_.recorder, setup_.server_reads, device::kRead);
  }

  // When a program is killed in a call of its own: before the store of this number. A
  // recorder does not write to rings.
  struct Kill {
    std::uint64_t stores;
    bool rings_count;
  };
  // The player's process makes a call. False if it was killed in it: then what the call
  // gave is unknown to everybody.
  template <typename Call>
  bool player_survives(const std::optional<Kill>& kill, Call call) {
    memory_.player_acts(true);
    const bool survives = this->survives(kill, call);
    memory_.player_acts(false);
    return survives;
  }
  // Another process of the player's open goes on for the one that was killed.
  void change_player() {
    player_->half().own().shared.store(1);
    player_ = std::make_unique<Opened>(segment_, player_->half().side(), device::kWrite);
  }
  // The same of one of the processes that share the recorder's open: another one goes on.
  template <typename Call>
  bool reader_survives(const std::optional<Kill>& kill, Call call) {
    if (kill) recorder_->half().own().shared.store(1);
    if (survives(kill, call)) return true;
    first_reader_lives_ = first_reader_lives_ && heir_reads_;
    change_reader(true);
    return false;
  }

  // The recording program reads in another process that has the open from it: one that
  // was forked before, or one that was executed just now.
  void change_reader(bool executed) {
    recorder_->half().own().shared.store(1);
    executed = executed || !first_reader_lives_;
    if (executed || heir_ == nullptr) heir_ = std::make_unique<Heir>(segment_, setup_);
    heir_reads_ = executed || !heir_reads_;
  }
  device::Capture& reader() {
    if (!heir_reads_) return recorder_->capture;
    heir_->half.refresh();
    return heir_->capture;
  }

  Opened& player() { return *player_; }
  Opened& recorder() { return *recorder_; }
  abi::Segment& contract() { return segment_->contract(); }
  const std::shared_ptr<shm::Segment>& segment() const { return segment_; }
  // What joins the two.
  abi::Lane& lane() {
    return contract()
        .direction[setup_.server_reads ? abi::kClientToServer : abi::kServerToClient]
        .lane[0];
  }
  const Setup& setup() const { return setup_; }

  std::int64_t now = 0;

 private:
  void open(std::unique_ptr<Opened>& side, const PcmFormat& format, bool server,
            device::Access way) {
    side = std::make_unique<Opened>(segment_, server ? abi::kServer : abi::kClient, way, format);
  }

  template <typename Call>
  bool survives(const std::optional<Kill>& kill, Call call) {
    if (kill) return stepper_->survives(kill->stores, kill->rings_count, call);
    call();
    return true;
  }

  // An open that came from another process.
  struct Heir {
    Heir(std::shared_ptr<shm::Segment> segment, const Setup& setup)
        : half(std::move(segment), setup.server_reads ? abi::kServer : abi::kClient, device::kRead),
          capture(half) {}
    device::OpenHalf half;
    device::Capture capture;
  };

  KeptMemory memory_;
  std::string folder_;
  std::shared_ptr<shm::Segment> segment_;
  Setup setup_;
  std::unique_ptr<Stepper> stepper_;
  std::unique_ptr<Opened> player_;
  std::unique_ptr<Opened> recorder_;
  std::unique_ptr<Heir> heir_;
  bool heir_reads_ = false;
  bool first_reader_lives_ = true;
};

// Runs cases with growing sizes for the time that OSSLOOP_PROPERTY_SECONDS says, or the
// one that OSSLOOP_PROPERTY_SEED and OSSLOOP_PROPERTY_SIZE name. A failing one is made
// smaller before it is told.
using Case = void (*)(Rig& rig, Chance& chance);
void run_cases(const char* name, Case body);

}  // namespace ossloop::property
