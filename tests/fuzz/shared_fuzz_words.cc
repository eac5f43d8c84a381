#include "shared_fuzz_words.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "base/sys.h"

namespace ossloop::fuzz {
namespace {

constexpr std::size_t kWake = offsetof(abi::Half, wake);
constexpr std::size_t kMarks = offsetof(abi::Producer, marks);

constexpr std::size_t direction_at(std::size_t direction) {
  return offsetof(abi::Segment, direction) + direction * sizeof(abi::Direction);
}
// The server's half in a direction, and the client's.
constexpr std::size_t half_at(std::size_t direction, bool client) {
  return direction_at(direction) + (client ? offsetof(abi::Direction, client) : 0);
}
constexpr std::size_t lane_at(std::size_t direction) {
  return direction_at(direction) + offsetof(abi::Direction, lane);
}
#define OSSLOOP_WHOLE(member) \
  { #member, offsetof(abi::Segment, member), sizeof(abi::Segment::member) }
#define OSSLOOP_LANE(direction)                                                      \
  {"producer " #direction, lane_at(direction), sizeof(abi::Producer)},               \
      {"consumer " #direction, lane_at(direction) + offsetof(abi::Lane, consumer),   \
       sizeof(abi::Consumer)},                                                       \
  {                                                                                  \
    "marks " #direction, lane_at(direction) + kMarks, sizeof(abi::Producer) - kMarks \
  }
#define OSSLOOP_HALF(direction, client)                                                           \
  {"half " #direction #client, half_at(direction, client), offsetof(abi::Half, partial)},         \
      {"end " #direction #client, half_at(direction, client) + offsetof(abi::Half, mapped),       \
       offsetof(abi::Half, command) - offsetof(abi::Half, mapped)},                               \
      {"texts " #direction #client, half_at(direction, client) + offsetof(abi::Half, partial),    \
       480},                                                                                      \
      {"sleepers " #direction #client, half_at(direction, client) + offsetof(abi::Half, waiting), \
       16},                                                                                       \
      {"lock " #direction #client, half_at(direction, client) + offsetof(abi::Half, lock), 8,     \
       kTurns},                                                                                   \
  {                                                                                               \
    "wake " #direction #client, half_at(direction, client) + kWake, 16, kWakes                    \
  }
constexpr Region kRegions[] = {
    OSSLOOP_WHOLE(header),  OSSLOOP_WHOLE(policy),
    OSSLOOP_WHOLE(mixer),   {"file end", offsetof(abi::Header, file_end), 8},
    OSSLOOP_LANE(0),        OSSLOOP_LANE(1),
    OSSLOOP_HALF(0, false), OSSLOOP_HALF(0, true),
    OSSLOOP_HALF(1, false), OSSLOOP_HALF(1, true),
};
#undef OSSLOOP_HALF
#undef OSSLOOP_LANE
#undef OSSLOOP_WHOLE

}  // namespace

Words::Words(Chance& chance, std::uint32_t parts, const Board& board)
    : chance_(chance),
      parts_(parts),
      board_(board),
      favourite_(chance.below(2 * std::size(kRegions))) {}

void Words::open(const std::string& folder) {
  if (segment_ != nullptr) ::munmap(segment_, abi::kRingOffset);
  segment_ = nullptr;
  const int fd = ::open((folder + "/loop0").c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  struct stat status {};
  ::fstat(fd, &status);
  void* const at =
      status.st_size < abi::kRingOffset
          ? MAP_FAILED
          : ::mmap(nullptr, abi::kRingOffset, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  if (at != MAP_FAILED) segment_ = static_cast<unsigned char*>(at);
}

bool Words::pick(Word& word) {
  const bool favourite = favourite_ < std::size(kRegions) && chance_.one_in(2);
  const auto region = favourite ? favourite_ : chance_.below(std::size(kRegions));
  word.region = &kRegions[region];
  if (region == 0 && !chance_.one_in(20)) return false;
  if ((parts_ & word.region->part) == 0) return false;
  // Who does not think that it is shared takes no turns.
  if (word.region->part == kTurns) {
    for (const std::size_t direction : {0, 1}) {
      for (const bool client : {false, true}) {
        store({&kRegions[0], half_at(direction, client) + offsetof(abi::Half, shared), 4}, 1);
      }
    }
  }
  word.bytes = chance_.one_in(2) ? 4 : 8;
  word.at = word.region->at + chance_.below(word.region->bytes / word.bytes) * word.bytes;
  return true;
}

std::uint64_t Words::load(const Word& word) const {
  std::uint64_t value = 0;
  std::memcpy(&value, segment_ + word.at, word.bytes);
  return value;
}

void Words::store(const Word& word, std::uint64_t value) {
  // Long buffers are allowed, but would fill the machine's memory.
  const std::size_t buffer = offsetof(abi::Segment, policy) + offsetof(abi::Policy, buffer_ms);
  if (word.bytes == 8 && word.at <= buffer && buffer < word.at + 8) {
    value = (value & 0xffffffff) | (value >> 32) % 100 << 32;
    static_assert(offsetof(abi::Policy, buffer_ms) % 8 == 4);
  } else if (word.at == buffer) {
    value %= 100;
  }
  if (word.bytes == 4) {
    *reinterpret_cast<volatile std::uint32_t*>(segment_ + word.at) =
        static_cast<std::uint32_t>(value);
  } else {
    *reinterpret_cast<volatile std::uint64_t*>(segment_ + word.at) = value;
  }
}

std::uint64_t Words::value_for(const Word& word) {
  const std::uint64_t present = load(word);
  switch (chance_.below(9)) {
    case 0:
    case 1:
      return plausible();
    case 2:
      return chance_.bits();
    case 3:
      return present ^ std::uint64_t{1} << chance_.below(word.bytes * 8);
    case 4:
      return present + chance_.up_to(1 << 20);
    case 5:
      return present - chance_.up_to(1 << 20);
    case 6: {
      Word other{};
      return pick(other) ? load(other) : 0;
    }
    case 7:  // as who holds a lock
      return static_cast<std::uint32_t>(board_.post[chance_.below(kPosts)].pid.load()) |
             chance_.below(2) << 31;
    default:
      return static_cast<std::uint64_t>(base::sys().now_ns()) + chance_.between(0, 4'000'000'000) -
             2'000'000'000;
  }
}

std::uint64_t Words::plausible() {
  constexpr std::uint64_t kSmall[] = {0, 1, 2, 3, 4, 16, 255, 1000, 4096, 48000};
  if (chance_.one_in(2)) return chance_.pick(kSmall);
  const std::uint64_t power = std::uint64_t{1} << chance_.below(64);
  return chance_.one_in(2) ? power : power - 1 - chance_.below(2);
}

}  // namespace ossloop::fuzz
