// Making, changing and removing instances.
//
// Each command returns 0 (create: the number) or -errno with one line in `why`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "abi/layout.h"
#include "config/runtime.h"

namespace ossloop::control {

// Changes of policies, each checked when it is added.
class Changes {
 public:
  // Takes "key=value". False, with one line in `why`, if there is no such policy
  // or the value is not accepted.
  bool add(std::string_view word, std::string& why);

  void apply(config::InstancePolicy& policy) const;
  bool empty() const { return settings_.empty(); }
  bool names(std::string_view key) const;
  // As abi::Policy::pinned.
  std::uint32_t pins() const;

 private:
  struct Setting {
    std::string key;
    std::string value;
  };
  std::vector<Setting> settings_;
};

inline constexpr int kFirstFree = -1;

// Makes folder, segment and nodes of instance `number`, or of the first that
// neither the configuration nor a segment has taken. -EEXIST when it has a
// segment already: a configured one that was never used may be made like this.
int create(const config::Runtime& runtime, int number, const Changes& changes, std::string& why);

// Removes segment and nodes. -EBUSY while a program holds a side; -ENOENT when
// nothing is there. A configured instance is made anew by its next open.
int destroy(const config::Runtime& runtime, int number, std::string& why);

// Changes the policies of an instance that exists. A change of buffer_ms needs a
// new ring: -EBUSY, with nothing changed, while a program holds a side.
int set(const config::Runtime& runtime, int number, const Changes& changes, std::string& why);

// Change the mixer of an instance that exists, as a program's mixer does, unless volume=lock:
// -EPERM. A level is moved by `steps` of half a decibel and stays in its range. -ENOENT
// before the instance is used for the first time.
int move_level(const config::Runtime& runtime, int number, abi::MixerChannel channel, int steps,
               std::string& why);
int set_mute(const config::Runtime& runtime, int number, bool muted, std::string& why);

}  // namespace ossloop::control
