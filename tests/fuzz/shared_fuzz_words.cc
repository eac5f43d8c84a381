#include "shared_fuzz_words.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "base/sys.h"

namespace ossloop::fuzz {
namespace {

constexpr std::size_t kWake = offsetof(abi::Side, wake);
constexpr std::size_t kMarks = offsetof(abi::Producer, marks);

constexpr std::size_t side_at(std::size_t side) {
  return offsetof(abi::Segment, side) + side * sizeof(abi::Side);
}
constexpr std::size_t direction_at(std::size_t direction) {
  return offsetof(abi::Segment, direction) + direction * sizeof(abi::Direction);
}
#define OSSLOOP_WHOLE(member) \
  { #member, offsetof(abi::Segment, member), sizeof(abi::Segment::member) }
constexpr Region kRegions[] = {
    OSSLOOP_WHOLE(header),
    OSSLOOP_WHOLE(policy),
    {"file end", offsetof(abi::Header, file_end), 8},
    {"producer 0", direction_at(0), sizeof(abi::Producer)},
    {"consumer 0", direction_at(0) + sizeof(abi::Producer), sizeof(abi::Consumer)},
    {"producer 1", direction_at(1), sizeof(abi::Producer)},
    {"consumer 1", direction_at(1) + sizeof(abi::Producer), sizeof(abi::Consumer)},
    {"marks 0", direction_at(0) + kMarks, sizeof(abi::Producer) - kMarks},
    {"marks 1", direction_at(1) + kMarks, sizeof(abi::Producer) - kMarks},
    {"server side", side_at(0), offsetof(abi::Side, partial)},
    {"client side", side_at(1), offsetof(abi::Side, partial)},
    {"server texts", side_at(0) + offsetof(abi::Side, partial), 400},
    {"client texts", side_at(1) + offsetof(abi::Side, partial), 400},
    {"server sleepers", side_at(0) + offsetof(abi::Side, waiting), 16},
    {"client sleepers", side_at(1) + offsetof(abi::Side, waiting), 16},
    {"server lock", side_at(0) + offsetof(abi::Side, lock), 8, kTurns},
    {"client lock", side_at(1) + offsetof(abi::Side, lock), 8, kTurns},
    {"server semaphore", side_at(0) + kWake, 16, kSemaphores},
    {"client semaphore", side_at(1) + kWake, 16, kSemaphores},
    OSSLOOP_WHOLE(clock_stats),
    OSSLOOP_WHOLE(mixer),
    OSSLOOP_WHOLE(start),
    OSSLOOP_WHOLE(mapped),
    OSSLOOP_WHOLE(clips),
};
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
    for (const std::size_t side : {0, 1}) {
      store({&kRegions[0], side_at(side) + offsetof(abi::Side, shared), 4}, 1);
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
