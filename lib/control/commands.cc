#include "control/commands.h"

#include <errno.h>
#include <fcntl.h>

#include <algorithm>

#include "base/error_text.h"
#include "base/fd.h"
#include "control/view.h"
#include "shm/claims.h"
#include "shm/segment.h"
#include "stream/format_word.h"
#include "stream/levels.h"
#include "stream/new_segment.h"

namespace ossloop::control {
namespace {

using config::InstancePolicy;
using config::Runtime;

constexpr abi::SideIndex kSides[] = {abi::kServer, abi::kClient};

std::string name_of(int number) { return "instance " + std::to_string(number); }

std::string missing(int number) {
  return "there is no " + name_of(number) + "; 'ossloopctl create " + std::to_string(number) +
         "' makes it";
}

std::string unreadable(const InstanceView& view) {
  if (!view.foreign) return view.problem;
  return view.problem + "; 'ossloopctl destroy " + std::to_string(view.number) + "' removes it";
}

std::string in_use(const Runtime& runtime, int number) {
  const InstanceView view = look(runtime, number);
  std::string users;
  for (const abi::SideIndex index : kSides) {
    const SideView& side = view.side[index];
    if (!side.alive()) continue;
    users +=
        (users.empty() ? " by " : " and ") +
        (side.state == SideState::kOpen ? side.command + " (PID " + std::to_string(side.pid) + ", "
                                        : "a program (") +
        (index == abi::kServer ? "server" : "client") + " side)";
  }
  return name_of(number) + " is in use" + users;
}

int refuse(int error, const Runtime& runtime, int number, std::string& why) {
  why = error == -EBUSY
            ? in_use(runtime, number)
            : name_of(number) + " in " + runtime.folder + ": " + base::error_text(-error);
  return error;
}

// The claims are held: has an open of another place a program?
bool is_used(const shm::RuntimeDirectory& directory, int number) {
  int error = 0;
  const auto segment = shm::Segment::open_existing(directory, number, error);
  return segment != nullptr && shm::BothClaims::used(directory, number, segment->contract());
}

// Makes the segment; the claims are held.
int make_segment(const Runtime& runtime, int number, const InstancePolicy& policy,
                 std::uint32_t pins, std::string& why) {
  const auto init = [&](abi::Segment& segment) {
    device::fill_segment(segment, policy);
    segment.policy.pinned.store(pins);
  };
  int error = 0;
  const auto segment = shm::Segment::open(directory_of(runtime), number, init, error);
  if (segment == nullptr) return refuse(error, runtime, number, why);
  // A program that was just opening it was quicker.
  if (config::load_policy(segment->contract().policy) == policy) return 0;
  why = name_of(number) + " was made by another program just now";
  return -EEXIST;
}

// 0, or -EEXIST when there is a segment.
int must_be_new(const Runtime& runtime, int number, std::string& why) {
  const InstanceView present = look(runtime, number);
  if (present.segment == SegmentState::kNone) return 0;
  why = present.problem.empty() ? name_of(number) + " exists already" : unreadable(present);
  return -EEXIST;
}

int create_one(const Runtime& runtime, int number, const Changes& changes, std::string& why) {
  int error = must_be_new(runtime, number, why);
  if (error != 0) return error;
  shm::BothClaims claims;
  error = claims.take(directory_of(runtime), number, shm::BothClaims::Missing::kMake);
  if (error != 0) return refuse(error, runtime, number, why);
  // Again: until now another command could make it.
  error = must_be_new(runtime, number, why);
  if (error != 0) return error;
  InstancePolicy policy = runtime.config.policy[number];
  changes.apply(policy);
  return make_segment(runtime, number, policy, changes.pins(), why);
}

// Does `change` to the mixer.
template <typename Change>
int change_mixer(const Runtime& runtime, int number, std::string& why, Change change) {
  int error = check_folder(runtime, false, why);
  if (error != 0) return error;
  const auto segment = shm::Segment::open_existing(directory_of(runtime), number, error);
  if (segment == nullptr) {
    const InstanceView view = look(runtime, number);
    why = !view.problem.empty() ? unreadable(view)
          : view.exists()       ? name_of(number) + " has no mixer before its first use"
                                : missing(number);
    return error;
  }
  if (config::get<"volume", abi::Volume>(segment->contract().policy) == abi::Volume::kLock) {
    why = name_of(number) + " keeps its levels: it has volume=lock";
    return -EPERM;
  }
  change(segment->contract().mixer);
  return 0;
}

}  // namespace

bool Changes::add(std::string_view word, std::string& why) {
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos) {
    why = "no '=' in " + config::quote(word) + "; expected key=value";
    return false;
  }
  InstancePolicy scratch;
  Setting setting{std::string(word.substr(0, equals)), std::string(word.substr(equals + 1))};
  if (!config::set_policy(scratch, setting.key, setting.value, why)) return false;
  settings_.push_back(std::move(setting));
  return true;
}

void Changes::apply(InstancePolicy& policy) const {
  std::string why;
  for (const Setting& setting : settings_) {
    config::set_policy(policy, setting.key, setting.value, why);
  }
}

std::uint32_t Changes::pins() const {
  std::uint32_t pins = 0;
  for (const Setting& setting : settings_) pins |= config::policy_bit(setting.key);
  return pins;
}

bool Changes::names(std::string_view key) const {
  return std::any_of(settings_.begin(), settings_.end(),
                     [&](const Setting& setting) { return setting.key == key; });
}

int create(const Runtime& runtime, int number, const Changes& changes, std::string& why) {
  const int error = check_folder(runtime, true, why);
  if (error != 0) return error;
  if (number != kFirstFree) {
    const int result = create_one(runtime, number, changes, why);
    return result == 0 ? number : result;
  }
  for (number = runtime.config.instances; number < abi::kMaxInstances; ++number) {
    if (look(runtime, number).exists()) continue;
    const int result = create_one(runtime, number, changes, why);
    if (result == 0) return number;
    // Another command is making this one.
    if (result != -EBUSY && result != -EEXIST) return result;
  }
  why = "all " + std::to_string(abi::kMaxInstances) + " instances exist already";
  return -EEXIST;
}

int destroy(const Runtime& runtime, int number, std::string& why) {
  int error = check_folder(runtime, false, why);
  if (error != 0) return error;
  const shm::RuntimeDirectory directory = directory_of(runtime);
  shm::BothClaims claims;
  error = claims.take(directory, number, shm::BothClaims::Missing::kFree);
  if (error == 0 && is_used(directory, number)) error = -EBUSY;
  if (error != 0) return refuse(error, runtime, number, why);
  int removed = 0;
  for (const std::string& name : shm::all_names(number)) {
    error = directory.remove(name);
    if (error == 0) ++removed;
    if (error != 0 && error != -ENOENT) return refuse(error, runtime, number, why);
  }
  if (removed > 0) return 0;
  why = number < runtime.config.instances
            ? name_of(number) + " is in the configuration and was never used: nothing to remove"
            : "there is no " + name_of(number);
  return -ENOENT;
}

int set(const Runtime& runtime, int number, const Changes& changes, std::string& why) {
  int error = check_folder(runtime, false, why);
  if (error != 0) return error;
  const shm::RuntimeDirectory directory = directory_of(runtime);
  const auto segment = shm::Segment::open_existing(directory, number, error);
  if (error == -ENOENT) {
    if (number < runtime.config.instances) {
      return std::min(create(runtime, number, changes, why), 0);
    }
    why = missing(number);
    return error;
  }
  if (segment == nullptr) {
    why = unreadable(look(runtime, number));
    return error;
  }
  InstancePolicy policy = config::load_policy(segment->contract().policy);
  const auto buffer_ms = config::get<"buffer_ms">(policy);
  changes.apply(policy);
  abi::Policy& present = segment->contract().policy;
  const std::uint32_t pins = present.pinned.fetch_or(changes.pins()) | changes.pins();
  if (config::get<"buffer_ms">(policy) == buffer_ms) {
    config::store_policy(policy, present);
    segment->contract().mixer.changes.fetch_add(1, std::memory_order_relaxed);
    return 0;
  }
  // The ring is made for its buffers: another size is another segment.
  shm::BothClaims claims;
  error = claims.take(directory, number, shm::BothClaims::Missing::kMake);
  if (error == 0 && is_used(directory, number)) error = -EBUSY;
  if (error != 0) {
    refuse(error, runtime, number, why);
    if (error == -EBUSY) why += ": buffer_ms can change only while nobody has it open";
    return error;
  }
  error = directory.remove(shm::segment_name(number));
  if (error != 0 && error != -ENOENT) return refuse(error, runtime, number, why);
  return make_segment(runtime, number, policy, pins, why);
}

int move_level(const Runtime& runtime, int number, abi::MixerChannel channel, int steps,
               std::string& why) {
  return change_mixer(runtime, number, why, [&](abi::Mixer& mixer) {
    const auto level = static_cast<int>(device::mixer_level(mixer, channel));
    const auto moved = [&](int part) {
      return static_cast<std::uint32_t>(std::clamp(part + steps, 0, device::kFullLevel));
    };
    device::set_mixer_level(mixer, channel, moved(level & 0xff) | moved(level >> 8) << 8);
  });
}

int set_mute(const Runtime& runtime, int number, bool muted, std::string& why) {
  return change_mixer(runtime, number, why, [&](abi::Mixer& mixer) {
    const std::uint32_t word = muted ? 1 : 0;
    if (mixer.muted.exchange(word, std::memory_order_relaxed) == word) return;
    mixer.changes.fetch_add(1, std::memory_order_relaxed);
  });
}

}  // namespace ossloop::control
