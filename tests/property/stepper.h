// A process that is killed between two of its stores into shared memory.
#pragma once

#include <cstdint>
#include <string>

#include "kept_memory.h"

namespace ossloop::property {

// The stores of a call are counted one by one: the memory is read-only, and the processor
// is told to stop behind each instruction that was let through. From the chosen one on
// the memory is the call's own: it goes on to its end, and nobody hears of it. Where the
// processor cannot be told so, and under ThreadSanitizer, which stores for the program,
// every call survives.
class Stepper {
 public:
  // `segment`: where the file of this name is mapped.
  Stepper(KeptMemory& memory, const std::string& file, void* segment);
  ~Stepper();
  Stepper(const Stepper&) = delete;
  Stepper& operator=(const Stepper&) = delete;

  // Makes a call, which dies when it has made so many stores: into the segment, and, of a
  // player, into its rings if those count too. False if it did.
  template <typename Call>
  bool survives(std::uint64_t stores, bool rings_count, Call call) {
    arm(stores, rings_count);
    call();
    return disarm();
  }

 private:
  struct Handlers;
  void arm(std::uint64_t stores, bool rings_count);
  bool disarm();
  void protect(int protection) const;
  bool covers(const void* address) const;
  void die();
  bool may_store();

  KeptMemory& memory_;
  int fd_;
  void* const segment_;
  std::uint64_t stores_left_ = 0;
  bool armed_ = false;
  bool rings_count_ = false;
  bool dead_ = false;
};

}  // namespace ossloop::property
